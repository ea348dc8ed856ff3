internal import CKernels

/// The convolution of each channel of `x` with kernels of its own, as Keras's DepthwiseConv2D.
///
/// - Parameters:
///   - kernel: `[kh, kw, c, m]`: each channel becomes `m` of the outputs, which lie together.
///   - bias: `c * m` numbers, nil for none.
package func depthwiseConvolution(
  _ x: Tensor, kernel: Tensor, bias: [Float]?, strides: (Int, Int), dilation: (Int, Int),
  padding: Padding, kernels: KernelTable = .current
) -> Tensor {
  let call = DepthwiseTraining(
    x: x.shape, kernel: kernel.shape, strides: strides, dilation: dilation, padding: padding,
    kernels: kernels)
  let filter = PlanDepthwiseFilter(
    window: call.window, kernel: kernel.reshaped(call.flatKernel), bias: bias)
  return Tensor(shape: call.outputShape) { y in
    repeated(x, kernel.shape[3]).scalars.withUnsafeBufferPointer { x in
      guard let x = x.baseAddress else { return }
      PlanDepthwise(filter: filter, kernels: kernels.functions)
        .run(photos: call.photos, input: x, output: y)
    }
  }
}

/// The gradients of `depthwiseConvolution` for the gradient `dy` of its result.
///
/// `input` is nil unless `wantsInput`; `kernel` and `bias` are nil unless `wantsParameters`.
package func depthwiseGradients(
  _ dy: Tensor, x: Tensor, kernel: Tensor, strides: (Int, Int), dilation: (Int, Int),
  padding: Padding, wantsInput: Bool, wantsParameters: Bool, kernels: KernelTable = .current
) -> (input: Tensor?, kernel: ParameterGradient?, bias: Tensor?) {
  let call = DepthwiseTraining(
    x: x.shape, kernel: kernel.shape, strides: strides, dilation: dilation, padding: padding,
    kernels: kernels)
  precondition(dy.shape == call.outputShape, "gradient \(dy.shape) must be \(call.outputShape)")
  let times = kernel.shape[3]
  let input =
    wantsInput ? repeatedGradient(call.inputGradient(dy, kernel: kernel), times, x.shape) : nil
  guard wantsParameters else { return (input, nil, nil) }
  return (
    input, .stored(call.kernelGradient(dy, x: repeated(x, times)).reshaped(kernel.shape)),
    sumOverRows(dy, width: call.window.channels)
  )
}

/// The sizes of one depthwise convolution over a batch, and its gradients tap by tap.
private struct DepthwiseTraining {
  let photos: Int
  let window: PlanWindow
  let kernels: KernelTable

  init(
    x: [Int], kernel: [Int], strides: (Int, Int), dilation: (Int, Int), padding: Padding,
    kernels: KernelTable
  ) {
    precondition(
      x.count == 4 && kernel.count == 4 && x[3] == kernel[2],
      "a depthwise kernel \(kernel) does not fit an input \(x)")
    photos = x[0]
    window = PlanWindow(
      input: [x[1], x[2], x[3] * kernel[3]], window: (kernel[0], kernel[1]), strides: strides,
      dilation: dilation, padding: padding)
    self.kernels = kernels
  }

  var flatKernel: [Int] { window.window + [window.channels] }
  var outputShape: [Int] {
    [photos, window.rows.outputSize, window.columns.outputSize, window.channels]
  }

  /// For the repeated channels, `[n, h, w, c * m]`.
  func inputGradient(_ dy: Tensor, kernel: Tensor) -> Tensor {
    let (size, table) = (window.inputCount, kernels.training)
    return Tensor(shape: [photos, window.height, window.width, window.channels]) { dx in
      nonisolated(unsafe) let dx = dx
      dy.scalars.withUnsafeBufferPointer { dy in
        kernel.scalars.withUnsafeBufferPointer { kernel in
          nonisolated(unsafe) let (dy, kernel) = (dy, kernel)
          parallelItems(photos, workers: Threads.count) { _, photo in
            (dx + photo * size).update(repeating: 0, count: size)
            guard let dy = dy.baseAddress, let kernel = kernel.baseAddress else { return }
            forEachTap(photo) { call, tap, output, pixel in
              call.read = dy + output
              call.read_step = window.channels
              call.other = dx + pixel
              call.other_step = window.strides[1] * window.channels
              // Only read.
              call.weights = UnsafeMutablePointer(mutating: kernel + tap * window.channels)
              table.f32_tap_spread(&call)
            }
          }
        }
      }
    }
  }

  /// Summed up photo by photo in order, whatever the number of threads is: `[kh, kw, c * m]`.
  func kernelGradient(_ dy: Tensor, x: Tensor) -> Tensor {
    let (size, table) = (window.window[0] * window.window[1] * window.channels, kernels.training)
    return Tensor(shape: flatKernel) { gradient in
      gradient.update(repeating: 0, count: size)
      WorkingMemory.borrow(max(photos, 1) * size) { sums in
        nonisolated(unsafe) let sums = sums
        dy.scalars.withUnsafeBufferPointer { dy in
          x.scalars.withUnsafeBufferPointer { x in
            nonisolated(unsafe) let (dy, x) = (dy, x)
            parallelItems(photos, workers: Threads.count) { _, photo in
              let own = sums + photo * size
              own.update(repeating: 0, count: size)
              guard let dy = dy.baseAddress, let x = x.baseAddress else { return }
              forEachTap(photo) { call, tap, output, pixel in
                call.read = x + pixel
                call.read_step = window.strides[1] * window.channels
                // Only read.
                call.other = UnsafeMutablePointer(mutating: dy + output)
                call.other_step = window.channels
                call.weights = own + tap * window.channels
                table.f32_tap_sums(&call)
              }
            }
          }
        }
        for photo in 0..<photos { kernels.functions.f32_add(sums + photo * size, gradient, size) }
      }
    }
  }

  /// Calls `body` for each row of outputs of a photo and each tap through which some of them see
  /// the picture, with where the first of these outputs and its pixel lie.
  private func forEachTap(
    _ photo: Int, _ body: (inout ck_tap, _ tap: Int, _ output: Int, _ pixel: Int) -> Void
  ) {
    let channels = window.channels
    let (height, width) = (window.rows.outputSize, window.columns.outputSize)
    var call = ck_tap()
    call.channels = channels
    for y in 0..<height {
      for u in window.rowTaps(y) {
        for v in 0..<window.window[1] {
          let outputs = window.outputs(seeingColumn: v)
          guard !outputs.isEmpty else { continue }
          call.count = outputs.count
          body(
            &call, u * window.window[1] + v,
            ((photo * height + y) * width + outputs.lowerBound) * channels,
            ((photo * window.height + window.pixelRow(y, tap: u)) * window.width
              + window.pixelColumn(outputs.lowerBound, tap: v)) * channels)
        }
      }
    }
  }
}

extension PlanWindow {
  /// The outputs of a row that see the picture through column `tap` of the window.
  fileprivate func outputs(seeingColumn tap: Int) -> Range<Int> {
    let first = pixelColumn(0, tap: tap)
    let stride = strides[1]
    let start = first < 0 ? (-first + stride - 1) / stride : 0
    let end = first < width ? min((width - 1 - first) / stride + 1, columns.outputSize) : 0
    return min(start, end)..<end
  }
}

/// Each number `times` times over along the last axis.
private func repeated(_ x: Tensor, _ times: Int) -> Tensor {
  guard times > 1 else { return x }
  return Tensor(shape: x.shape.dropLast() + [x.shape[3] * times]) { y in
    for (index, value) in x.scalars.enumerated() {
      (y + index * times).update(repeating: value, count: times)
    }
  }
}

private func repeatedGradient(_ dy: Tensor, _ times: Int, _ shape: [Int]) -> Tensor {
  guard times > 1 else { return dy }
  return Tensor(shape: shape) { dx in
    dy.scalars.withUnsafeBufferPointer { dy in
      for i in 0..<dy.count / times {
        var sum: Float = 0
        for k in 0..<times { sum += dy[i * times + k] }
        dx[i] = sum
      }
    }
  }
}
