internal import CKernels

/// Convolution as matrix products with packed kernels, read straight from the picture.
///
/// A row of outputs is one product: its patches lie at a fixed distance in the picture, and each
/// kernel row sees consecutive floats. Pictures that need padding are copied strip by strip into
/// scratch with zeros around them.
struct PackedConvolution: PlanOperation {
  private let filter: PlanFilter
  private let kernels: ck_table
  private let weights: PackedWeights
  private let bias: PackedBuffer?
  private let isPadded: Bool
  private let stripRows: Int
  /// Columns of a padded strip.
  private let stripColumns: Int

  var algorithm: String { isMatrix ? "product" : "direct" }

  init(filter: PlanFilter, kernels table: KernelTable) {
    kernels = table.functions
    self.filter = filter.withoutKernel
    let weights = PackedWeights(kernel: filter.kernel, kernels: kernels)
    bias = filter.bias.map { PackedBuffer($0, paddedTo: weights.panelCount * weights.panel) }
    self.weights = weights
    let window = filter.window
    let (rows, columns) = (window.rows, window.columns)
    stripColumns = (columns.outputSize - 1) * window.strides[1] + window.window[1]
    let bottom = (rows.outputSize - 1) * window.strides[0] + window.window[0]
    isPadded =
      rows.paddingBefore > 0 || columns.paddingBefore > 0 || bottom > window.height
      || stripColumns > window.width
    // A strip takes a quarter of a 1 MB cache; the rest is for the kernels.
    let rowsThatFit = (1 << 16) / max(stripColumns * window.channels, 1)
    stripRows = max(
      1, min((rowsThatFit - window.window[0]) / window.strides[0] + 1, rows.outputSize))
  }

  /// Whether the whole batch is one matrix: a dense layer, or a 1x1 convolution.
  private var isMatrix: Bool {
    filter.window.window == [1, 1] && filter.window.strides == [1, 1]
  }

  var workerScratch: Int {
    isPadded ? inputRows(of: stripRows) * stripColumns * filter.window.channels : 0
  }

  func run(
    photos: Int, inputs: [UnsafePointer<Float>], output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    guard filter.window.outputPixels * filter.outputChannels > 0 else { return }
    let result = Result(output: output, addend: filter.adds ? inputs[1] : nil)
    if isMatrix {
      multiply(rows: photos * filter.window.outputPixels, inputs[0], result, scratch)
    } else {
      convolve(photos: photos, inputs[0], result, scratch)
    }
  }

  /// Where outputs go, and what lies in the same places to be added to them.
  private struct Result {
    let output: UnsafeMutablePointer<Float>
    let addend: UnsafePointer<Float>?

    static func + (result: Result, offset: Int) -> Result {
      Result(output: result.output + offset, addend: result.addend.map { $0 + offset })
    }

    func place(_ offset: Int, in call: inout ck_product) {
      call.c = output + offset
      call.addend = addend.map { $0 + offset }
    }
  }

  private func multiply(
    rows: Int, _ input: UnsafePointer<Float>, _ result: Result, _ scratch: PlanScratch
  ) {
    let depth = filter.window.channels
    let fitting = max((1 << 16) / max(depth, 1) / 12 * 12, 12)
    let blocks = PlanProgram.chunks(of: rows, atMost: fitting)
    let groups = weights.panelGroups(besides: blocks.count, workers: scratch.workerCount)
    parallelItems(blocks.count * groups.count, workers: scratch.workerCount) { _, item in
      let block = blocks[item / groups.count]
      var call = product(pixelStride: depth)
      call.rows = block.count
      call.segments = 1
      call.depth = depth
      for panel in groups[item % groups.count] {
        point(&call, at: panel)
        call.a = input + block.lowerBound * depth
        result.place(
          block.lowerBound * filter.outputChannels + panel * weights.panel, in: &call)
        kernels.f32_product(&call)
      }
    }
  }

  private func convolve(
    photos: Int, _ input: UnsafePointer<Float>, _ result: Result, _ scratch: PlanScratch
  ) {
    let window = filter.window
    let strips = PlanProgram.chunks(of: window.rows.outputSize, atMost: stripRows)
    let groups = weights.panelGroups(
      besides: photos * strips.count, workers: scratch.workerCount)
    parallelItems(
      photos * strips.count * groups.count, workers: scratch.workerCount
    ) { worker, item in
      let strip = strips[item / groups.count % strips.count]
      let photo = item / groups.count / strips.count
      let picture = input + photo * window.inputCount
      let columns = isPadded ? stripColumns : window.width
      if isPadded { copy(strip, of: picture, to: scratch.worker(worker)) }
      let source =
        isPadded
        ? UnsafePointer(scratch.worker(worker))
        : picture + strip.lowerBound * window.strides[0] * columns * window.channels
      let pixel = (photo * window.rows.outputSize + strip.lowerBound) * window.columns.outputSize
      multiply(
        rows: strip.count, groups[item % groups.count], source, columns: columns,
        result + pixel * filter.outputChannels)
    }
  }

  /// Computes `rows` rows of outputs from a picture with all the padding that they see.
  private func multiply(
    rows: Int, _ panels: Range<Int>, _ source: UnsafePointer<Float>, columns: Int,
    _ result: Result
  ) {
    let window = filter.window
    let sourceRow = columns * window.channels
    var call = product(pixelStride: window.strides[1] * window.channels)
    call.rows = window.columns.outputSize
    call.segments = window.window[0]
    call.a_segment = sourceRow
    call.depth = window.window[1] * window.channels
    for panel in panels {
      point(&call, at: panel)
      for row in 0..<rows {
        call.a = source + row * window.strides[0] * sourceRow
        result.place(
          row * window.columns.outputSize * filter.outputChannels + panel * weights.panel,
          in: &call)
        kernels.f32_product(&call)
      }
    }
  }

  private func product(pixelStride: Int) -> ck_product {
    var call = ck_product()
    call.a_row = pixelStride
    call.a_column = 1
    call.c_row = filter.outputChannels
    call.relu = filter.relu
    return call
  }

  private func point(_ call: inout ck_product, at panel: Int) {
    call.b = weights.panel(panel)
    call.bias = bias.map { UnsafePointer($0.floats + panel * weights.panel) }
    call.columns = min(weights.panel, filter.outputChannels - panel * weights.panel)
  }

  private func inputRows(of outputRows: Int) -> Int {
    (outputRows - 1) * filter.window.strides[0] + filter.window.window[0]
  }

  /// Copies what the output rows `strip` see, zeros where that lies outside of the picture.
  private func copy(
    _ strip: Range<Int>, of picture: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>
  ) {
    let window = filter.window
    let channels = window.channels
    let top = strip.lowerBound * window.strides[0] - window.rows.paddingBefore
    let left = window.columns.paddingBefore
    let inside = max(0, min(window.width, stripColumns - left))
    for row in 0..<inputRows(of: strip.count) {
      let start = target + row * stripColumns * channels
      guard top + row >= 0, top + row < window.height else {
        start.update(repeating: 0, count: stripColumns * channels)
        continue
      }
      start.update(repeating: 0, count: left * channels)
      (start + left * channels).update(
        from: picture + (top + row) * window.width * channels, count: inside * channels)
      (start + (left + inside) * channels).update(
        repeating: 0, count: (stripColumns - left - inside) * channels)
    }
  }
}

/// Kernels of a convolution in panels of outputs: `[panels, kh * kw * cin, panel]`.
struct PackedWeights: Sendable {
  let panel: Int
  let panelCount: Int
  private let depth: Int
  private let buffer: PackedBuffer

  /// - Parameter kernel: `[..., cout]`; all axes but the last are summed over.
  init(kernel: Tensor, kernels: ck_table) {
    let outputs = kernel.shape[kernel.shape.count - 1]
    let (depth, panel) = (kernel.count / max(outputs, 1), Int(kernels.panel))
    let panelCount = (outputs + panel - 1) / panel
    let buffer = PackedBuffer(count: panelCount * depth * panel)
    kernel.scalars.withUnsafeBufferPointer { scalars in
      guard let source = scalars.baseAddress else { return }
      nonisolated(unsafe) let weights = source
      parallelItems(panelCount, workers: Threads.count) { _, item in
        let columns = min(panel, outputs - item * panel)
        for row in 0..<depth {
          let target = buffer.floats + (item * depth + row) * panel
          target.update(from: weights + row * outputs + item * panel, count: columns)
          (target + columns).update(repeating: 0, count: panel - columns)
        }
      }
    }
    (self.panel, self.panelCount, self.depth, self.buffer) = (panel, panelCount, depth, buffer)
  }

  /// `[depth, panel]`.
  func panel(_ index: Int) -> UnsafePointer<Float> {
    UnsafePointer(buffer.floats + index * depth * panel)
  }

  /// All panels, in as many groups as keep the workers busy when there are `others` other items.
  func panelGroups(besides others: Int, workers: Int) -> [Range<Int>] {
    let wanted = workers == 1 ? 1 : max(1, 4 * workers / max(others, 1))
    return PlanProgram.chunks(
      of: panelCount, atMost: (panelCount + wanted - 1) / max(wanted, 1))
  }
}
