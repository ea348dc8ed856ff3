/// The sizes of one two-dimensional convolution over a batch.
///
/// Input `[n, height, width, inputs]`, kernel `[kh, kw, inputs, outputs]`,
/// output `[n, rows.outputSize, columns.outputSize, outputs]`.
package struct ConvolutionGeometry: Sendable {
  package let n: Int
  package let height: Int
  package let width: Int
  package let inputs: Int
  package let outputs: Int
  package let kernelHeight: Int
  package let kernelWidth: Int
  package let strides: (Int, Int)
  package let rows: WindowAxis
  package let columns: WindowAxis

  package init(input: [Int], kernel: [Int], strides: (Int, Int), padding: Padding) {
    precondition(
      input.count == 4 && kernel.count == 4 && input[3] == kernel[2],
      "a kernel \(kernel) does not fit an input \(input)")
    (n, height, width, inputs) = (input[0], input[1], input[2], input[3])
    (kernelHeight, kernelWidth, outputs) = (kernel[0], kernel[1], kernel[3])
    self.strides = strides
    rows = WindowAxis(input: height, window: kernelHeight, stride: strides.0, padding: padding)
    columns = WindowAxis(input: width, window: kernelWidth, stride: strides.1, padding: padding)
  }

  package var outputShape: [Int] { [n, rows.outputSize, columns.outputSize, outputs] }
  /// Output positions of one photo.
  var positions: Int { rows.outputSize * columns.outputSize }
  /// Numbers under one window.
  var windowSize: Int { kernelHeight * kernelWidth * inputs }
}

/// The convolution of `x` with `kernel` plus `bias`, as Keras's Conv2D computes it.
package func convolution(
  _ x: Tensor, kernel: Tensor, bias: [Float]?, strides: (Int, Int), padding: Padding,
  kernels: KernelTable = .current
) -> Tensor {
  let g = ConvolutionGeometry(
    input: x.shape, kernel: kernel.shape, strides: strides, padding: padding)
  if let winograd = WinogradTraining(g, kernels: kernels) {
    return Tensor(shape: g.outputShape) { y in
      withPointers(x, kernel) { winograd.forward($0, kernel: $1, bias: bias, into: y) }
    }
  }
  let filter = PlanFilter(
    window: PlanWindow(
      input: Array(x.shape.dropFirst()), window: (g.kernelHeight, g.kernelWidth),
      strides: strides, padding: padding), kernel: kernel, bias: bias)
  return Tensor(shape: g.outputShape) { y in
    x.scalars.withUnsafeBufferPointer { x in
      guard let x = x.baseAddress else { return }
      PackedConvolution(filter: filter, precision: .f32, kernels: kernels).run(
        photos: g.n, input: x, output: y)
    }
  }
}

extension PlanOperation {
  /// Runs the operation outside of a plan.
  func run(
    photos: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>
  ) {
    let workers = Threads.count
    WorkingMemory.borrow(sharedScratch + workers * workerScratch) { scratch in
      run(
        photos: photos, inputs: [input], output: output,
        scratch: PlanScratch(
          shared: scratch, workers: scratch + sharedScratch, workerStride: workerScratch,
          workerCount: workers))
    }
  }
}

/// The gradients of `convolution` for the gradient `dy` of its result.
///
/// `input` is nil unless `wantsInput`; `kernel` and `bias` are nil unless `wantsParameters`.
package func convolutionGradients(
  _ dy: Tensor, x: Tensor, kernel: Tensor, strides: (Int, Int), padding: Padding,
  wantsInput: Bool, wantsParameters: Bool, kernels: KernelTable = .current
) -> (input: Tensor?, kernel: ParameterGradient?, bias: Tensor?) {
  let g = ConvolutionGeometry(
    input: x.shape, kernel: kernel.shape, strides: strides, padding: padding)
  precondition(dy.shape == g.outputShape, "gradient \(dy.shape) must be \(g.outputShape)")
  let input = wantsInput ? inputGradient(dy, kernel: kernel, g, kernels) : nil
  guard wantsParameters else { return (input, nil, nil) }
  return (
    input, .stored(kernelGradient(dy, x: x, shape: kernel.shape, g, kernels)),
    sumOverRows(dy, width: g.outputs)
  )
}

private func kernelGradient(
  _ dy: Tensor, x: Tensor, shape: [Int], _ g: ConvolutionGeometry, _ kernels: KernelTable
) -> Tensor {
  Tensor(shape: shape) { gradient in
    withPointers(dy, x) { dy, x in
      if let winograd = WinogradTraining(g, kernels: kernels) {
        winograd.kernelGradient(dy, x: x, into: gradient)
      } else {
        WindowGradients(g: g, kernels: kernels).kernelGradient(dy, x: x, into: gradient)
      }
    }
  }
}

private func inputGradient(
  _ dy: Tensor, kernel: Tensor, _ g: ConvolutionGeometry, _ kernels: KernelTable
) -> Tensor {
  Tensor(shape: [g.n, g.height, g.width, g.inputs]) { dx in
    withPointers(dy, kernel) { dy, kernel in
      if let winograd = WinogradTraining(g, kernels: kernels) {
        winograd.inputGradient(dy, kernel: kernel, into: dx)
      } else {
        WindowGradients(g: g, kernels: kernels).inputGradient(dy, kernel: kernel, into: dx)
      }
    }
  }
}

/// Calls `body` with where two tensors lie; pointers to empty ones must not be followed.
func withPointers(
  _ a: Tensor, _ b: Tensor, _ body: (UnsafePointer<Float>, UnsafePointer<Float>) -> Void
) {
  a.scalars.withUnsafeBufferPointer { a in
    b.scalars.withUnsafeBufferPointer { b in
      guard let a = a.baseAddress, let b = b.baseAddress else { return }
      body(a, b)
    }
  }
}
