/// What spreads each pixel over a window: the way back through a convolution, as Keras's
/// Conv2DTranspose.
///
/// - Parameter kernel: `[kh, kw, o, c]` for `x [n, h, w, c]`: that of the convolution whose way
///   back this is.
package struct TransposedConvolution: Sendable {
  private let g: ConvolutionGeometry
  private let strides: (Int, Int)
  private let padding: Padding

  /// Whether a convolution over the output has as many pixels as the input.
  package let fits: Bool

  /// - Parameters:
  ///   - input: `[n, h, w, c]`.
  ///   - outputPadding: rows and columns beyond those of the windows, as Keras's TensorFlow backend
  ///     counts them; nil for `strides` times those of the input.
  package init(
    input: [Int], kernel: [Int], strides: (Int, Int), padding: Padding,
    outputPadding: (Int, Int)? = nil
  ) {
    precondition(
      input.count == 4 && kernel.count == 4 && input[3] == kernel[3],
      "a kernel \(kernel) does not fit an input \(input)")
    func size(_ axis: Int, _ stride: Int, _ more: Int?) -> Int {
      guard let more else {
        return input[axis + 1] * stride + (padding == .valid ? max(kernel[axis] - stride, 0) : 0)
      }
      let window = padding == .valid ? kernel[axis] : kernel[axis] % 2
      return (input[axis + 1] - 1) * stride + window + more
    }
    (self.strides, self.padding) = (strides, padding)
    g = ConvolutionGeometry(
      input: [
        input[0], size(0, strides.0, outputPadding?.0), size(1, strides.1, outputPadding?.1),
        kernel[2],
      ], kernel: kernel, strides: strides, padding: padding)
    fits = g.rows.outputSize == input[1] && g.columns.outputSize == input[2]
  }

  /// Rows, columns and channels of the result, `[n, h, w, o]`.
  package var outputShape: [Int] { [g.n, g.height, g.width, g.inputs] }

  package func callAsFunction(
    _ x: Tensor, kernel: Tensor, bias: [Float]?, kernels: KernelTable = .current
  ) -> Tensor {
    Tensor(shape: outputShape) { y in
      withPointers(x, kernel) { run($0, kernel: $1, bias: bias, into: y, kernels) }
    }
  }

  func run(
    _ x: UnsafePointer<Float>, kernel: UnsafePointer<Float>, bias: [Float]?,
    into y: UnsafeMutablePointer<Float>, _ kernels: KernelTable
  ) {
    WindowGradients(g: g, kernels: kernels).inputGradient(x, kernel: kernel, into: y)
    guard let bias else { return }
    for start in stride(from: 0, to: outputShape.reduce(1, *), by: max(bias.count, 1)) {
      for c in bias.indices { y[start + c] += bias[c] }
    }
  }

  /// The gradients for the gradient `dy` of the result.
  package func gradients(
    _ dy: Tensor, x: Tensor, kernel: Tensor, wantsInput: Bool, wantsParameters: Bool
  ) -> (input: Tensor?, kernel: ParameterGradient?, bias: Tensor?) {
    precondition(dy.shape == outputShape, "gradient \(dy.shape) must be \(outputShape)")
    let input =
      wantsInput
      ? convolution(dy, kernel: kernel, bias: nil, strides: strides, padding: padding) : nil
    guard wantsParameters else { return (input, nil, nil) }
    let weights = convolutionGradients(
      x, x: dy, kernel: kernel, strides: strides, padding: padding, wantsInput: false,
      wantsParameters: true
    ).kernel
    return (input, weights, sumOverRows(dy, width: g.inputs))
  }
}

struct PlanTransposed: UnaryPlanOperation {
  /// `[h, w, c]`.
  let input: [Int]
  let kernel: Tensor
  let bias: [Float]?
  let strides: (Int, Int)
  let padding: Padding
  let outputPadding: (Int, Int)?
  let kernels: KernelTable

  var algorithm: String { "transposed" }

  func run(
    photos: Int, input x: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    let call = TransposedConvolution(
      input: [photos] + input, kernel: kernel.shape, strides: strides, padding: padding,
      outputPadding: outputPadding)
    kernel.scalars.withUnsafeBufferPointer { kernel in
      guard let kernel = kernel.baseAddress else { return }
      call.run(x, kernel: kernel, bias: bias, into: output, kernels)
    }
  }
}
