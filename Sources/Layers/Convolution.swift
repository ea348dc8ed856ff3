package import Compute

/// Two-dimensional convolution (cross-correlation) with bias and activation: Keras's `Conv2D`.
///
/// `y[n, i, j, o] = f(b[o] + sum x[n, i*s + u, j*s + v, c] * k[u, v, c, o])`;
/// input `[n, h, w, c]`, kernel `[kh, kw, c, o]`, bias `[o]`.
package struct Conv2D: Layer {
  package static let className = "Conv2D"
  package let name: String
  package let strides: (Int, Int)
  package let padding: Padding
  package let activation: PointwiseFunction
  /// How `initialize` draws the kernel.
  package let initializer: KernelInitializer
  package var parameters: [Parameter]

  /// A layer from its tensors; `kernel` is `[kh, kw, c, o]`.
  package init(
    name: String, kernel: Tensor, bias: Tensor?, strides: (Int, Int) = (1, 1),
    padding: Padding = .valid, activation: PointwiseFunction = .linear,
    initializer: KernelInitializer = .glorotUniform
  ) {
    precondition(kernel.shape.count == 4, "a kernel needs four axes but has \(kernel.shape)")
    self.name = name
    self.strides = strides
    self.padding = padding
    self.activation = activation
    self.initializer = initializer
    parameters = [Parameter("kernel", kernel)] + (bias.map { [Parameter("bias", $0)] } ?? [])
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    let input = try singleInput(inputShapes, rank: 3, "[height, width, channels]", configuration)
    try configuration.require("data_format", ["channels_last"])
    try configuration.require("groups", [1])
    try configuration.require("dilation_rate", [1, [1, 1]])
    let filters = try configuration.int("filters")
    guard filters > 0 else { throw .missingField("filters", layer: configuration.name) }
    let window = try configuration.pair("kernel_size")
    self.init(
      name: configuration.name, kernel: Tensor(zeros: [window.0, window.1, input[2], filters]),
      bias: configuration.bool("use_bias", default: true) ? Tensor(zeros: [filters]) : nil,
      strides: try configuration.pair("strides", default: (1, 1)),
      padding: try configuration.padding(), activation: try configuration.activation())
  }

  package var kernel: Tensor { parameters[0].value }
  package var bias: [Float]? { parameters.count > 1 ? parameters[1].value.scalars : nil }

  package var configuration: [String: JSONValue] {
    [
      "name": .string(name), "filters": .integer(kernel.shape[3]),
      "kernel_size": [.integer(kernel.shape[0]), .integer(kernel.shape[1])],
      "strides": [.integer(strides.0), .integer(strides.1)], "padding": .string(padding.rawValue),
      "data_format": "channels_last", "dilation_rate": [1, 1],
      "activation": activation.configuration, "use_bias": .bool(parameters.count > 1),
    ]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count == 1, inputs[0].count == 3, inputs[0][2] == kernel.shape[2] else {
      throw .wrongInput(
        layer: name, expected: "[height, width, \(kernel.shape[2])]", found: inputs)
    }
    let g = ConvolutionGeometry(
      input: [1] + inputs[0], kernel: kernel.shape, strides: strides, padding: padding)
    guard g.rows.outputSize > 0, g.columns.outputSize > 0 else {
      throw .emptyOutput(layer: name, input: inputs[0])
    }
    return Array(g.outputShape.dropFirst())
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    let sum = builder.convolution(
      inputs[0], kernel: kernel, bias: bias, strides: strides, padding: padding, name: name)
    return activation == .linear ? sum : builder.activation(sum, activation, name: name)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    activation.output(
      of: convolution(
        inputs[0], kernel: kernel, bias: bias, strides: strides, padding: padding))
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    let sum = activation.gradient(gradient, of: output)
    let result = convolutionGradients(
      sum, x: inputs[0], kernel: kernel, strides: strides, padding: padding,
      wantsInput: wanted.inputs, wantsParameters: wanted.parameters)
    return gradients(result, hasBias: parameters.count > 1)
  }

  package mutating func initialize(random: inout SeededRandom) {
    initializeAffine(&parameters, initializer, random: &random)
  }
}

/// The only input's shape, checked for its rank.
func singleInput(
  _ shapes: [[Int]], rank: Int, _ expected: String, _ configuration: Configuration
) throws(LayerError) -> [Int] {
  guard shapes.count == 1, shapes[0].count == rank else {
    throw .wrongInput(layer: configuration.name, expected: expected, found: shapes)
  }
  return shapes[0]
}

/// Packs the gradients of a layer with kernel and perhaps bias.
func gradients(
  _ result: (input: Tensor?, kernel: ParameterGradient?, bias: Tensor?), hasBias: Bool
) -> LayerGradients {
  LayerGradients(
    inputs: [result.input].compactMap { $0 },
    parameters: [result.kernel, hasBias ? result.bias.map { .stored($0) } : nil].compactMap { $0 })
}
