internal import CKernels

/// Kernels of a 3x3 convolution, transformed: matrices `[cin, cout]` in panels of outputs; with
/// bf16 `[cin / 2, cout]` slots.
struct WinogradWeights: Sendable {
  /// (tile + 2)^2: 36 for tiles of 4x4.
  let matrixCount: Int
  /// Rows of a matrix: input channels, or pairs of them.
  let depth: Int
  let panel: Int
  let panelCount: Int
  private let buffer: PackedBuffer

  var paddedOutputs: Int { panelCount * panel }

  init(kernel: Tensor, tile: Int, precision: Precision, kernels: ck_table) {
    let (inputs, outputs, panel) = (kernel.shape[2], kernel.shape[3], Int(kernels.panel))
    let panelCount = (outputs + panel - 1) / panel
    let depth = precision == .bf16 ? inputs / 2 : inputs
    let matrixCount = (tile + 2) * (tile + 2)
    let buffer = PackedBuffer(count: matrixCount * panelCount * depth * panel)
    // The transforms of two channels, before they become slots.
    let pairs = PackedBuffer(
      count: precision == .bf16 ? Threads.count * 2 * matrixCount * panel : 0)
    let matrix = panelCount * depth * panel
    kernel.scalars.withUnsafeBufferPointer { scalars in
      guard let source = scalars.baseAddress else { return }
      nonisolated(unsafe) let weights = source
      func transform(
        _ input: Int, _ item: Int, to result: UnsafeMutablePointer<Float>, _ matrix: Int
      ) {
        kernels.f32_winograd_kernel(
          Int32(tile), weights + input * outputs + item * panel, inputs * outputs,
          min(panel, outputs - item * panel), result, matrix)
      }
      parallelItems(depth, workers: Threads.count) { worker, row in
        for item in 0..<panelCount {
          let target = buffer.floats + (item * depth + row) * panel
          if precision == .f32 {
            transform(row, item, to: target, matrix)
            continue
          }
          let first = pairs.floats + worker * 2 * matrixCount * panel
          let second = first + matrixCount * panel
          transform(2 * row, item, to: first, panel)
          transform(2 * row + 1, item, to: second, panel)
          for index in 0..<matrixCount {
            kernels.bf16_pack(
              first + index * panel, second + index * panel, panel, target + index * matrix)
          }
        }
      }
    }
    (self.depth, self.panel, self.panelCount, self.buffer) = (depth, panel, panelCount, buffer)
    self.matrixCount = matrixCount
  }

  /// `[depth, panel]` of one of the matrices.
  func panel(_ index: Int, of matrix: Int) -> UnsafePointer<Float> {
    UnsafePointer(buffer.floats + (matrix * panelCount + index) * depth * panel)
  }

  /// All panels in groups of `size`.
  func panelGroups(of size: Int) -> [Range<Int>] {
    stride(from: 0, to: panelCount, by: size).map { $0..<min($0 + size, panelCount) }
  }
}
