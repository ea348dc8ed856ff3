internal import CKernels

/// Kernels of a 3x3 convolution, transformed: matrices `[cin, cout]` in panels of outputs; with
/// bf16 `[cin / 2, cout]` slots.
///
/// They take up to five times the memory of the kernels. Either all are made at once and kept, or
/// those of a few panels each time they are wanted: where that is once, making them in a cache
/// takes less time than filling so much fresh memory.
struct WinogradWeights: Sendable {
  private let transform: KernelTransform
  private let content: Content
  let panelCount: Int

  private enum Content {
    case kept(PackedBuffer)
    case kernel(Tensor)
  }

  var matrixCount: Int { transform.matrixCount }
  /// Rows of a matrix: input channels, or pairs of them.
  var depth: Int { transform.depth }
  var panel: Int { transform.panel }
  var paddedOutputs: Int { panelCount * panel }

  /// - Parameters:
  ///   - areKept: whether all are made at once.
  ///   - areForOneBatch: whether the kernel is wanted for one batch of photos and never again.
  init(
    kernel: Tensor, tile: Int, precision: Precision, kernels: ck_table, areKept: Bool,
    areForOneBatch: Bool
  ) {
    let transform = KernelTransform(
      shape: kernel.shape, tile: tile, isHalf: precision == .bf16, kernels: kernels)
    self.transform = transform
    panelCount = (kernel.shape[3] + transform.panel - 1) / transform.panel
    guard areKept else {
      content = .kernel(areForOneBatch ? kernel : kernel.inOwnMemory)
      return
    }
    let panels = 0..<panelCount
    let rows = 0..<transform.depth
    let kept = PackedBuffer(count: transform.count(panels: panelCount, rows: rows.count))
    let pairs = PackedBuffer(count: Threads.count * transform.pairCount)
    kernel.withNumbers { scalars in
      guard let base = scalars.baseAddress else { return }
      nonisolated(unsafe) let source = base
      parallelItems(transform.depth, workers: Threads.count) { worker, row in
        transform.run(
          row: row, of: rows, panels: panels, from: source, to: kept.floats,
          pairs: pairs.floats + worker * transform.pairCount)
      }
    }
    kernel.letGo()
    content = .kept(kept)
  }

  /// Floats that a worker needs to make `rows` rows of `count` panels.
  func scratch(panels count: Int, rows: Int) -> Int {
    switch content {
    case .kept: 0
    case .kernel: transform.count(panels: count, rows: rows) + transform.pairCount
    }
  }

  /// Some rows of some panels, made in `scratch` where they are not kept.
  func panels(
    _ range: Range<Int>, rows: Range<Int>, scratch: UnsafeMutablePointer<Float>
  ) -> WinogradPanels {
    switch content {
    case .kept(let buffer):
      return WinogradPanels(
        start: UnsafePointer(buffer.floats + rows.lowerBound * panel), first: 0,
        stride: depth * panel, matrix: transform.stride(panels: panelCount, rows: depth),
        next: UnsafePointer(buffer.floats + range.upperBound % panelCount * depth * panel))
    case .kernel(let kernel):
      let pairs = scratch + transform.count(panels: range.count, rows: rows.count)
      kernel.withNumbers { scalars in
        for row in rows {
          transform.run(
            row: row, of: rows, panels: range, from: scalars.baseAddress!, to: scratch,
            pairs: pairs)
        }
      }
      return WinogradPanels(
        start: UnsafePointer(scratch), first: range.lowerBound, stride: rows.count * panel,
        matrix: transform.stride(panels: range.count, rows: rows.count), next: nil)
    }
  }

  /// All panels in groups of `size`.
  func panelGroups(of size: Int) -> [Range<Int>] {
    stride(from: 0, to: panelCount, by: size).map { $0..<min($0 + size, panelCount) }
  }
}

/// Where transformed kernels lie.
struct WinogradPanels {
  fileprivate let start: UnsafePointer<Float>
  fileprivate let first: Int
  fileprivate let stride: Int
  fileprivate let matrix: Int
  /// The panel that comes after them, to be fetched; nil where it is not made yet.
  let next: UnsafePointer<Float>?

  /// `[rows, panel]` of one of the matrices.
  func panel(_ index: Int, of matrix: Int) -> UnsafePointer<Float> {
    start + matrix * self.matrix + (index - first) * stride
  }
}

/// Turns kernels `[3, 3, cin, cout]` into panels of matrices.
private struct KernelTransform: Sendable {
  let depth: Int
  private let tile: Int
  private let inputs: Int
  private let outputs: Int
  private let isHalf: Bool
  private let kernels: ck_table

  init(shape: [Int], tile: Int, isHalf: Bool, kernels: ck_table) {
    (inputs, outputs) = (shape[2], shape[3])
    (self.tile, self.isHalf, self.kernels) = (tile, isHalf, kernels)
    depth = isHalf ? inputs / 2 : inputs
  }

  var panel: Int { Int(kernels.panel) }
  var matrixCount: Int { (tile + 2) * (tile + 2) }
  /// Floats for the transforms of two channels, before they become slots.
  var pairCount: Int { isHalf ? 2 * matrixCount * panel : 0 }

  /// Floats from one matrix of so many rows of panels to the next.
  func stride(panels: Int, rows: Int) -> Int { WinogradSchedule.spread(panels * rows * panel) }

  func count(panels: Int, rows: Int) -> Int { matrixCount * stride(panels: panels, rows: rows) }

  /// Makes a row of some panels of all matrices, for a place where only `rows` of them are.
  func run(
    row: Int, of rows: Range<Int>, panels: Range<Int>, from kernel: UnsafePointer<Float>,
    to result: UnsafeMutablePointer<Float>, pairs: UnsafeMutablePointer<Float>
  ) {
    let stride = stride(panels: panels.count, rows: rows.count)
    for item in panels {
      let place = (item - panels.lowerBound) * rows.count + row - rows.lowerBound
      let target = result + place * panel
      guard isHalf else {
        transform(kernel, row, item, to: target, stride)
        continue
      }
      let second = pairs + matrixCount * panel
      transform(kernel, 2 * row, item, to: pairs, panel)
      transform(kernel, 2 * row + 1, item, to: second, panel)
      for index in 0..<matrixCount {
        kernels.bf16_pack(
          pairs + index * panel, second + index * panel, panel, target + index * stride)
      }
    }
  }

  private func transform(
    _ kernel: UnsafePointer<Float>, _ input: Int, _ item: Int,
    to result: UnsafeMutablePointer<Float>, _ stride: Int
  ) {
    kernels.f32_winograd_kernel(
      Int32(tile), kernel + input * outputs + item * panel, inputs * outputs,
      min(panel, outputs - item * panel), result, stride)
  }
}
