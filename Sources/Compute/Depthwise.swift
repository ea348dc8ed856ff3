internal import CKernels

/// The weights of a convolution that keeps channels apart, and what is done to its outputs before
/// they are stored.
struct PlanDepthwiseFilter: Sendable {
  var window: PlanWindow
  /// Weights `[kh, kw, c]`.
  private(set) var kernel: Tensor
  private(set) var bias: [Float]?
  /// Where outputs are brought into `0...ceiling`.
  private(set) var ceiling: Float?

  init(window: PlanWindow, kernel: Tensor, bias: [Float]?) {
    precondition(
      kernel.shape.count == 3 && kernel.shape[2] == window.channels
        && bias?.count ?? window.channels == window.channels,
      "\(window.channels) channels need as many weights and biases but got \(kernel.shape) and "
        + "\(bias?.count ?? 0)")
    (self.window, self.kernel, self.bias) = (window, kernel, bias)
  }

  var multiplyAdds: Int { window.outputPixels * kernel.count }

  /// This and `next` in one pass, nil where that cannot be.
  func merged(with next: PlanNode.Operation) -> PlanNode.Operation? {
    guard ceiling == nil else { return nil }
    var result = self
    switch next {
    case .activation(let function) where function.ceiling != nil:
      result.ceiling = function.ceiling
    case .scaling(let scaling):
      result = scaled(by: scaling)
    default: return nil
    }
    return .depthwise(result)
  }

  private func scaled(by scaling: PlanChannelScaling) -> PlanDepthwiseFilter {
    let channels = window.channels
    var result = self
    for index in 0..<kernel.count {
      result.kernel.scalars[index] *= scaling.scale[index % channels]
    }
    result.bias = (0..<channels).map {
      (bias?[$0] ?? 0) * scaling.scale[$0] + scaling.shift[$0]
    }
    result.ceiling = scaling.ceiling
    return result
  }
}

/// A convolution that keeps channels apart, row by row of outputs.
struct PlanDepthwise: UnaryPlanOperation {
  private let window: PlanWindow
  private let kernel: PackedBuffer
  private let bias: PackedBuffer?
  private let limits: PlanLimits
  private let kernels: ck_table

  var algorithm: String { "depthwise" }

  init(filter: PlanDepthwiseFilter, kernels: ck_table) {
    window = filter.window
    kernel = PackedBuffer(filter.kernel.scalars, paddedTo: filter.kernel.count)
    bias = filter.bias.map { PackedBuffer($0, paddedTo: $0.count) }
    limits = PlanLimits(filter.ceiling)
    self.kernels = kernels
  }

  func run(
    photos: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    let (height, width) = (window.rows.outputSize, window.columns.outputSize)
    guard height * width * window.channels > 0 else { return }
    // Rows that see much of the same picture are computed by one worker.
    let blocks = PlanProgram.chunks(of: height, atMost: 8)
    parallelItems(photos * blocks.count, workers: scratch.workerCount) { _, item in
      let photo = item / blocks.count
      for y in blocks[item % blocks.count] {
        compute(
          y, input + photo * window.inputCount,
          to: output + (photo * height + y) * width * window.channels)
      }
    }
  }

  /// Computes output row `y` of a picture.
  private func compute(
    _ y: Int, _ picture: UnsafePointer<Float>, to row: UnsafeMutablePointer<Float>
  ) {
    let rows = window.rowTaps(y)
    let whole = window.wholeColumns
    var call = ck_depthwise()
    call.step = window.strides[1] * window.channels
    call.tap_row = window.dilation[0] * window.width * window.channels
    call.tap = window.dilation[1] * window.channels
    call.tap_rows = rows.count
    call.kernel_row = window.window[1] * window.channels
    call.bias = bias.map { UnsafePointer($0.floats) }
    call.channels = window.channels
    (call.floor, call.ceiling) = (limits.floor, limits.ceiling)
    func compute(_ outputs: Range<Int>, _ columns: Range<Int>) {
      guard !outputs.isEmpty else { return }
      call.tap_columns = columns.count
      call.count = outputs.count
      call.x =
        picture
        + (window.pixelRow(y, tap: rows.lowerBound) * window.width
          + window.pixelColumn(outputs.lowerBound, tap: columns.lowerBound)) * window.channels
      call.kernel = UnsafePointer(
        kernel.floats + (rows.lowerBound * window.window[1] + columns.lowerBound)
          * window.channels)
      call.y = row + outputs.lowerBound * window.channels
      kernels.f32_depthwise(&call)
    }
    for x in 0..<whole.lowerBound { compute(x..<x + 1, window.columnTaps(x)) }
    compute(whole, 0..<window.window[1])
    for x in whole.upperBound..<window.columns.outputSize {
      compute(x..<x + 1, window.columnTaps(x))
    }
  }
}

extension PlanWindow {
  /// The row of the picture that output row `y` sees through row `tap` of the window.
  func pixelRow(_ y: Int, tap: Int) -> Int {
    y * strides[0] - rows.paddingBefore + tap * dilation[0]
  }

  func pixelColumn(_ x: Int, tap: Int) -> Int {
    x * strides[1] - columns.paddingBefore + tap * dilation[1]
  }

  /// The rows of the window through which output row `y` sees the picture.
  func rowTaps(_ y: Int) -> Range<Int> {
    Self.taps(pixelRow(y, tap: 0), window[0], dilation[0], height)
  }

  func columnTaps(_ x: Int) -> Range<Int> {
    Self.taps(pixelColumn(x, tap: 0), window[1], dilation[1], width)
  }

  /// The outputs of a row whose windows lie in the picture from left to right.
  var wholeColumns: Range<Int> {
    let reach = width - extent[1] + columns.paddingBefore
    let end = reach < 0 ? 0 : min(reach / strides[1] + 1, columns.outputSize)
    let start = (columns.paddingBefore + strides[1] - 1) / strides[1]
    return min(start, end)..<end
  }

  private static func taps(_ first: Int, _ count: Int, _ distance: Int, _ size: Int) -> Range<Int> {
    let start = first < 0 ? (-first + distance - 1) / distance : 0
    let end = size > first ? (size - first + distance - 1) / distance : 0
    return min(start, count)..<max(min(end, count), min(start, count))
  }
}

/// Each number so many times over.
struct PlanRepetition: UnaryPlanOperation {
  let times: Int
  /// Floats per photo of the input.
  let count: Int

  var algorithm: String { "copy" }

  func run(
    photos: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    parallelItems(photos, workers: scratch.workerCount) { _, photo in
      for i in photo * count..<(photo + 1) * count {
        (output + i * times).update(repeating: input[i], count: times)
      }
    }
  }
}
