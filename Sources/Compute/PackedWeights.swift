internal import CKernels

/// Kernels of a convolution in panels of outputs: `[panels, kh * kw * cin, panel]`, with bf16
/// `[panels, kh * kw * cin / 2, panel]` slots.
///
/// Either all are laid out at once and kept, or one each time it is wanted, as `WinogradWeights`.
struct PackedWeights: Sendable {
  let panel: Int
  let panelCount: Int
  private let layout: PanelLayout
  private let content: Content

  private enum Content {
    case kept(PackedBuffer)
    case kernel(Tensor)
  }

  /// - Parameter kernel: `[..., cout]`; all axes but the last are summed over.
  init(
    kernel: Tensor, precision: Precision = .f32, kernels: ck_table, areKept: Bool = true
  ) {
    let layout = PanelLayout(kernel: kernel, precision: precision, kernels: kernels)
    (self.layout, panel) = (layout, layout.panel)
    let panelCount = (layout.outputs + panel - 1) / panel
    self.panelCount = panelCount
    guard areKept else {
      content = .kernel(kernel)
      return
    }
    let buffer = PackedBuffer(count: panelCount * layout.count)
    kernel.withNumbers { numbers in
      guard let source = numbers.baseAddress else { return }
      nonisolated(unsafe) let weights = source
      parallelItems(panelCount, workers: Threads.count) { _, item in
        layout.pack(item, of: weights, to: buffer.floats + item * layout.count)
      }
    }
    kernel.letGo()
    content = .kept(buffer)
  }

  /// Floats that a worker needs to lay out a panel.
  var scratch: Int {
    switch content {
    case .kept: 0
    case .kernel: layout.count
    }
  }

  /// `[depth, panel]`, made in `scratch` where panels are not kept; depth counts slots with bf16.
  func panel(
    _ index: Int, scratch: UnsafeMutablePointer<Float>
  ) -> UnsafePointer<Float> {
    switch content {
    case .kept(let buffer): return UnsafePointer(buffer.floats + index * layout.count)
    case .kernel(let kernel):
      kernel.withNumbers { numbers in
        if let base = numbers.baseAddress { layout.pack(index, of: base, to: scratch) }
      }
      return UnsafePointer(scratch)
    }
  }

  /// The panel that comes next where those of a group are gone through again and again; nil where
  /// it is not made yet.
  func panel(after index: Int, in group: Range<Int>) -> UnsafePointer<Float>? {
    guard case .kept(let buffer) = content else { return nil }
    let next = index + 1 < group.upperBound ? index + 1 : group.lowerBound
    return UnsafePointer(buffer.floats + next * layout.count)
  }

  /// All panels, in as many groups as keep the workers busy when there are `others` other items.
  func panelGroups(besides others: Int, workers: Int) -> [Range<Int>] {
    let wanted = workers == 1 ? 1 : max(1, 4 * workers / max(others, 1))
    return PlanProgram.chunks(
      of: panelCount, atMost: (panelCount + wanted - 1) / max(wanted, 1))
  }
}

/// How kernels become panels.
private struct PanelLayout: Sendable {
  let outputs: Int
  /// Rows of a panel: floats, or slots with bf16.
  let depth: Int
  let precision: Precision
  let kernels: ck_table

  init(kernel: Tensor, precision: Precision, kernels: ck_table) {
    outputs = kernel.shape[kernel.shape.count - 1]
    let rows = kernel.count / max(outputs, 1)
    depth = precision == .bf16 ? rows / 2 : rows
    (self.precision, self.kernels) = (precision, kernels)
  }

  var panel: Int { Int(kernels.panel) }
  /// Floats of a panel.
  var count: Int { depth * panel }

  func pack(_ item: Int, of weights: UnsafePointer<Float>, to result: UnsafeMutablePointer<Float>) {
    let columns = min(panel, outputs - item * panel)
    for row in 0..<depth {
      let target = result + row * panel
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
