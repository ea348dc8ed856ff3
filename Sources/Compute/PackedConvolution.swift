internal import CKernels

/// Convolution as matrix products with packed kernels, read straight from the picture.
///
/// A row of outputs is one product: its patches lie at a fixed distance in the picture, and each
/// kernel row sees consecutive floats. Pictures that need padding are copied strip by strip into
/// scratch with zeros around them, and so are float32 pictures that must be rounded to bf16. Of
/// pictures that 1x1 kernels see parts of, only those are copied.
struct PackedConvolution: PlanOperation {
  private let filter: PlanFilter
  private let precision: Precision
  private let storage: OperationStorage
  private let kernels: ck_table
  private let weights: PackedWeights
  private let bias: PackedBuffer?
  /// Whether pictures are copied to scratch before they are read.
  private let copies: Bool
  /// Whether only the pixels that 1x1 kernels see are.
  private let gathers: Bool
  private let stripRows: Int
  /// Whether the whole batch is one matrix: a dense layer, or a 1x1 convolution.
  private let isMatrix: Bool
  /// Rows of a matrix that are multiplied by all panels while they stay in the cache.
  private let matrixRows: Int
  /// Columns of a padded strip.
  private let stripColumns: Int

  var algorithm: String { (isMatrix ? "product" : "direct") + precision.suffix }

  /// Blocks or strips of all photos up to which panels are better laid out as they are used.
  private static let fewUses = 2

  /// - Parameter photos: how many there will ever be, if that is known.
  init(
    filter: PlanFilter, precision: Precision, storage: OperationStorage = OperationStorage(),
    kernels table: KernelTable, photos: Int? = nil
  ) {
    kernels = table.functions
    self.precision = precision
    self.storage = storage
    self.filter = filter.withoutKernel
    let window = filter.window
    let (rows, columns) = (window.rows, window.columns)
    gathers =
      window.window == [1, 1] && window.strides != [1, 1] && rows.paddingBefore == 0
      && columns.paddingBefore == 0
    stripColumns =
      gathers
      ? columns.outputSize : (columns.outputSize - 1) * window.strides[1] + window.window[1]
    let bottom = (rows.outputSize - 1) * window.strides[0] + window.window[0]
    copies =
      gathers || precision != storage.input || rows.paddingBefore > 0 || columns.paddingBefore > 0
      || bottom > window.height
      || stripColumns > window.width
    // A strip takes a quarter of a 1 MB cache; the rest is for the kernels.
    let rowsThatFit = (1 << 16) / max(stripColumns * window.channels, 1)
    let wantedRows =
      gathers ? rowsThatFit : (rowsThatFit - window.window[0]) / window.strides[0] + 1
    let stripRows = max(1, min(wantedRows, rows.outputSize))
    self.stripRows = stripRows
    isMatrix = window.window == [1, 1] && window.strides == [1, 1]
    matrixRows = max((1 << 16) / max(window.channels, filter.outputChannels, 1) / 12 * 12, 12)
    let (lines, step) =
      isMatrix ? (window.outputPixels, matrixRows) : (rows.outputSize, stripRows)
    let areFew = photos.map { ($0 * lines + step - 1) / step <= Self.fewUses } ?? false
    let weights = PackedWeights(
      kernel: filter.kernel, precision: precision, kernels: kernels, areKept: !areFew)
    bias = filter.bias.map { PackedBuffer($0, paddedTo: weights.panelCount * weights.panel) }
    self.weights = weights
  }

  var replacedInput: Int? { filter.adds && storage.addend == storage.output ? 1 : nil }

  var workerScratch: Int { inputScratch + weights.scratch }

  /// Floats for what is copied of the input, before those for a panel.
  private var inputScratch: Int {
    let channels = precision.slots(filter.window.channels)
    if isMatrix {
      return precision != storage.input ? PlanLayout.rounded(matrixRows * channels) : 0
    }
    return copies
      ? PlanLayout.rounded(inputRows(of: stripRows) * stripColumns * channels) : 0
  }

  func run(
    photos: Int, inputs: [UnsafePointer<Float>], output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    guard filter.window.outputPixels * filter.outputChannels > 0 else { return }
    let result = Result(
      output: output, addend: filter.adds ? inputs[1] : nil, storage: storage)
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

    let storage: OperationStorage

    /// The same from number `offset` on.
    static func + (result: Result, offset: Int) -> Result {
      Result(
        output: result.storage.output.address(result.output, offset),
        addend: result.addend.map { result.storage.addend.address($0, offset) },
        storage: result.storage)
    }

    func place(_ offset: Int, in call: inout ck_product) {
      let place = self + offset
      call.c = place.output
      call.addend = place.addend
      call.c_is_bf16 = storage.output == .bf16
      call.addend_is_bf16 = storage.addend == .bf16
    }
  }

  private func multiply(
    rows: Int, _ input: UnsafePointer<Float>, _ result: Result, _ scratch: PlanScratch
  ) {
    let depth = filter.window.channels
    let blocks = PlanProgram.chunks(of: rows, atMost: matrixRows)
    let groups = weights.panelGroups(besides: blocks.count, workers: scratch.workerCount)
    parallelItems(blocks.count * groups.count, workers: scratch.workerCount) { worker, item in
      let block = blocks[item / groups.count]
      var source = storage.input.address(input, block.lowerBound * depth)
      if precision != storage.input {
        kernels.bf16_round(source, scratch.worker(worker), block.count * depth)
        source = UnsafePointer(scratch.worker(worker))
      }
      var call = product(pixelStride: precision.slots(depth))
      call.rows = block.count
      call.segments = 1
      call.depth = precision.slots(depth)
      let panels = groups[item % groups.count]
      for panel in panels {
        point(&call, at: panel, scratch.worker(worker))
        call.next_b = weights.panel(after: panel, in: panels)
        call.a = source
        call.next_a = source
        result.place(
          block.lowerBound * filter.outputChannels + panel * weights.panel, in: &call)
        multiply(&call)
      }
    }
  }

  private func multiply(_ call: inout ck_product) {
    switch precision {
    case .f32: kernels.f32_product(&call)
    case .bf16: kernels.bf16_product(&call)
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
      let picture = storage.input.address(input, photo * window.inputCount)
      let pixel = (photo * window.rows.outputSize + strip.lowerBound) * window.columns.outputSize
      convolve(
        strip, groups[item % groups.count], picture, result + pixel * filter.outputChannels,
        scratch.worker(worker))
    }
  }

  private func convolve(
    _ strip: Range<Int>, _ panels: Range<Int>, _ picture: UnsafePointer<Float>,
    _ result: Result, _ scratch: UnsafeMutablePointer<Float>
  ) {
    let window = filter.window
    let columns = copies ? stripColumns : window.width
    if copies { copy(strip, of: picture, to: scratch) }
    let source =
      copies
      ? UnsafePointer(scratch)
      : storage.input.address(
        picture, strip.lowerBound * window.strides[0] * columns * window.channels)
    multiply(rows: strip.count, panels, source, columns: columns, result, scratch)
  }

  /// Computes some rows of outputs of one picture and stores them from `output` on.
  ///
  /// - Parameter scratch: `workerScratch` floats.
  func run(
    rows: Range<Int>, of picture: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    var result = Result(output: output, addend: nil, storage: storage)
    for part in PlanProgram.chunks(of: rows.count, atMost: stripRows) {
      let strip = rows.lowerBound + part.lowerBound..<rows.lowerBound + part.upperBound
      convolve(strip, 0..<weights.panelCount, picture, result, scratch)
      result = result + strip.count * filter.window.columns.outputSize * filter.outputChannels
    }
  }

  /// Computes `rows` rows of outputs from a picture with all the padding that they see.
  private func multiply(
    rows: Int, _ panels: Range<Int>, _ source: UnsafePointer<Float>, columns: Int,
    _ result: Result, _ scratch: UnsafeMutablePointer<Float>
  ) {
    let window = filter.window
    let channels = precision.slots(window.channels)
    let sourceRow = columns * channels
    var call = product(pixelStride: window.strides[1] * channels)
    call.rows = window.columns.outputSize
    call.segments = window.window[0]
    call.a_segment = sourceRow
    call.depth = window.window[1] * channels
    let products = gathers ? 1 : rows
    if gathers {
      call.a_row = channels
      call.rows = rows * window.columns.outputSize
    }
    for panel in panels {
      point(&call, at: panel, scratch)
      for row in 0..<products {
        call.next_b = row + 1 < products ? call.b : weights.panel(after: panel, in: panels)
        call.a = source + row * window.strides[0] * sourceRow
        result.place(
          row * window.columns.outputSize * filter.outputChannels + panel * weights.panel,
          in: &call)
        multiply(&call)
      }
    }
  }

  private func product(pixelStride: Int) -> ck_product {
    var call = ck_product()
    call.a_row = pixelStride
    call.a_column = 1
    call.c_row = filter.outputChannels
    call.c_is_far = true
    call.relu = filter.ceiling != nil
    call.ceiling = PlanFilter.limit(filter.ceiling)
    return call
  }

  private func point(
    _ call: inout ck_product, at panel: Int, _ scratch: UnsafeMutablePointer<Float>
  ) {
    call.b = weights.panel(panel, scratch: scratch + inputScratch)
    call.bias = bias.map { UnsafePointer($0.floats + panel * weights.panel) }
    call.columns = min(weights.panel, filter.outputChannels - panel * weights.panel)
  }

  private func inputRows(of outputRows: Int) -> Int {
    gathers
      ? outputRows : (outputRows - 1) * filter.window.strides[0] + filter.window.window[0]
  }

  /// Copies what the output rows `strip` see, zeros where that lies outside of the picture.
  private func copy(
    _ strip: Range<Int>, of picture: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>
  ) {
    let window = filter.window
    let channels = precision.slots(window.channels)
    if gathers { return gather(strip, of: picture, to: target) }
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
      copy(
        storage.input.address(picture, (top + row) * window.width * window.channels),
        count: inside * window.channels, to: start + left * channels)
      (start + (left + inside) * channels).update(
        repeating: 0, count: (stripColumns - left - inside) * channels)
    }
  }

  /// Copies the pixels that 1x1 kernels see.
  private func gather(
    _ strip: Range<Int>, of picture: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>
  ) {
    let window = filter.window
    var next = target
    for row in strip {
      for column in 0..<window.columns.outputSize {
        let pixel = row * window.strides[0] * window.width + column * window.strides[1]
        copy(
          storage.input.address(picture, pixel * window.channels), count: window.channels, to: next)
        next += precision.slots(window.channels)
      }
    }
  }

  private func copy(
    _ source: UnsafePointer<Float>, count: Int, to target: UnsafeMutablePointer<Float>
  ) {
    if precision == storage.input {
      target.update(from: source, count: precision.slots(count))
    } else {
      kernels.bf16_round(source, target, count)
    }
  }
}
