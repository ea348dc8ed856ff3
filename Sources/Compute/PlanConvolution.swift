/// Picks how a convolution is computed.
enum PlanConvolution {
  /// Whether 2x2 max pooling can be done while the outputs are stored.
  static func canPool(_ filter: PlanFilter) -> Bool { false }

  static func make(_ filter: PlanFilter) -> any PlanOperation {
    PlanPlainConvolution(filter: filter)
  }
}

/// Convolution by its definition, one output row at a time.
struct PlanPlainConvolution: PlanOperation {
  let filter: PlanFilter

  var algorithm: String { "plain" }

  func run(
    photos: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    let window = filter.window
    let (height, width) = (window.rows.outputSize, window.columns.outputSize)
    let outputs = filter.outputChannels
    filter.kernel.scalars.withUnsafeBufferPointer { buffer in
      guard let kernel = buffer.baseAddress else { return }
      nonisolated(unsafe) let weights = kernel
      parallelItems(photos * height, workers: scratch.workerCount) { _, item in
        let (photo, y) = (item / height, item % height)
        let row = output + (photo * height + y) * width * outputs
        for x in 0..<width {
          convolve(input + photo * window.inputCount, weights, row + x * outputs, y, x)
        }
      }
    }
  }

  private func convolve(
    _ picture: UnsafePointer<Float>, _ kernel: UnsafePointer<Float>,
    _ pixel: UnsafeMutablePointer<Float>, _ y: Int, _ x: Int
  ) {
    let window = filter.window
    let outputs = filter.outputChannels
    for o in 0..<outputs { pixel[o] = filter.bias?[o] ?? 0 }
    for row in window.inputRows(y) {
      let ky = row - y * window.strides[0] + window.rows.paddingBefore
      for column in window.inputColumns(x) {
        let kx = column - x * window.strides[1] + window.columns.paddingBefore
        let source = picture + (row * window.width + column) * window.channels
        for c in 0..<window.channels {
          let weights = kernel + ((ky * window.window[1] + kx) * window.channels + c) * outputs
          let value = source[c]
          for o in 0..<outputs { pixel[o] += value * weights[o] }
        }
      }
    }
    if filter.relu { for o in 0..<outputs { pixel[o] = max(pixel[o], 0) } }
  }
}
