internal import CKernels

/// Kernels of a convolution in panels of outputs: `[panels, kh * kw * cin, panel]`, with bf16
/// `[panels, kh * kw * cin / 2, panel]` slots.
struct PackedWeights: Sendable {
  let panel: Int
  let panelCount: Int
  private let depth: Int
  private let buffer: PackedBuffer

  /// - Parameter kernel: `[..., cout]`; all axes but the last are summed over.
  init(kernel: Tensor, precision: Precision = .f32, kernels: ck_table) {
    let outputs = kernel.shape[kernel.shape.count - 1]
    let rows = kernel.count / max(outputs, 1)
    let (depth, panel) = (precision == .bf16 ? rows / 2 : rows, Int(kernels.panel))
    let panelCount = (outputs + panel - 1) / panel
    let buffer = PackedBuffer(count: panelCount * depth * panel)
    kernel.scalars.withUnsafeBufferPointer { scalars in
      guard let source = scalars.baseAddress else { return }
      nonisolated(unsafe) let weights = source
      parallelItems(panelCount, workers: Threads.count) { _, item in
        let columns = min(panel, outputs - item * panel)
        for row in 0..<depth {
          let target = buffer.floats + (item * depth + row) * panel
          if precision == .bf16 {
            let first = weights + 2 * row * outputs + item * panel
            kernels.bf16_pack(first, first + outputs, columns, target)
            continue
          }
          target.update(from: weights + row * outputs + item * panel, count: columns)
          (target + columns).update(repeating: 0, count: panel - columns)
        }
      }
    }
    (self.panel, self.panelCount, self.depth, self.buffer) = (panel, panelCount, depth, buffer)
  }

  /// `[depth, panel]`; depth counts slots with bf16.
  func panel(_ index: Int) -> UnsafePointer<Float> {
    UnsafePointer(buffer.floats + index * depth * panel)
  }

  /// The panel that comes next where those of a group are gone through again and again.
  func panel(after index: Int, in group: Range<Int>) -> UnsafePointer<Float> {
    panel(index + 1 < group.upperBound ? index + 1 : group.lowerBound)
  }

  /// All panels, in as many groups as keep the workers busy when there are `others` other items.
  func panelGroups(besides others: Int, workers: Int) -> [Range<Int>] {
    let wanted = workers == 1 ? 1 : max(1, 4 * workers / max(others, 1))
    return PlanProgram.chunks(
      of: panelCount, atMost: (panelCount + wanted - 1) / max(wanted, 1))
  }
}
