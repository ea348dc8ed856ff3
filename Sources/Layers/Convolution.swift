package import Compute

/// Two-dimensional convolution (cross-correlation) with bias and activation: Keras's `Conv2D`.
///
/// `y[n, i, j, o] = f(b[o] + sum x[n, i*s + u, j*s + v, c] * k[u, v, c, o])`;
/// input `[n, h, w, c]`, kernel `[kh, kw, c, o]`, bias `[o]`. With a dilation `u` and `v` count so
/// many pixels; with groups each part of the outputs sees its part of the channels only.
package struct Conv2D: ActivatedLayer {
  package static let className = "Conv2D"
  package let name: String
  package let strides: (Int, Int)
  package let dilation: (Int, Int)
  package let groups: Int
  package let padding: Padding
  package let activation: PointwiseFunction
  /// How `initialize` draws the kernel.
  package let initializer: KernelInitializer
  package var parameters: [Parameter]

  /// A layer from its tensors; `kernel` is `[kh, kw, c / groups, o]`.
  package init(
    name: String, kernel: Tensor, bias: Tensor?, strides: (Int, Int) = (1, 1),
    dilation: (Int, Int) = (1, 1), groups: Int = 1, padding: Padding = .valid,
    activation: PointwiseFunction = .linear, initializer: KernelInitializer = .glorotUniform
  ) {
    precondition(kernel.shape.count == 4, "a kernel needs four axes but has \(kernel.shape)")
    self.name = name
    (self.strides, self.dilation, self.groups) = (strides, dilation, groups)
    self.padding = padding
    self.activation = activation
    self.initializer = initializer
    parameters = [Parameter("kernel", kernel)] + (bias.map { [Parameter("bias", $0)] } ?? [])
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    let input = try singleInput(inputShapes, rank: 3, "[height, width, channels]", configuration)
    try configuration.require("data_format", ["channels_last"])
    let filters = try configuration.int("filters")
    guard filters > 0 else { throw .missingField("filters", layer: configuration.name) }
    let groups = configuration.fields["groups"] == nil ? 1 : try configuration.int("groups")
    guard groups > 0, input[2] % groups == 0, filters % groups == 0 else {
      throw .unsupported(
        "\(groups) groups of \(input[2]) channels and \(filters) filters",
        layer: configuration.name)
    }
    let window = try configuration.pair("kernel_size")
    self.init(
      name: configuration.name,
      kernel: Tensor(placeholder: [window.0, window.1, input[2] / groups, filters]),
      bias: configuration.bool("use_bias", default: true) ? Tensor(zeros: [filters]) : nil,
      strides: try configuration.pair("strides", default: (1, 1)),
      dilation: try configuration.pair("dilation_rate", default: (1, 1)), groups: groups,
      padding: try configuration.padding(), activation: try configuration.activation())
  }

  package var kernel: Tensor { parameters[0].value }
  package var bias: [Float]? { parameters.count > 1 ? parameters[1].value.scalars : nil }

  package var configuration: [String: JSONValue] {
    [
      "name": .string(name), "filters": .integer(kernel.shape[3]),
      "kernel_size": [.integer(kernel.shape[0]), .integer(kernel.shape[1])],
      "strides": [.integer(strides.0), .integer(strides.1)], "padding": .string(padding.rawValue),
      "data_format": "channels_last", "groups": .integer(groups),
      "dilation_rate": [.integer(dilation.0), .integer(dilation.1)],
      "activation": activation.configuration, "use_bias": .bool(parameters.count > 1),
    ]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    let channels = kernel.shape[2] * groups
    guard inputs.count == 1, inputs[0].count == 3, inputs[0][2] == channels else {
      throw .wrongInput(layer: name, expected: "[height, width, \(channels)]", found: inputs)
    }
    let rows = WindowAxis(
      input: inputs[0][0], window: (kernel.shape[0] - 1) * dilation.0 + 1, stride: strides.0,
      padding: padding)
    let columns = WindowAxis(
      input: inputs[0][1], window: (kernel.shape[1] - 1) * dilation.1 + 1, stride: strides.1,
      padding: padding)
    guard rows.outputSize > 0, columns.outputSize > 0 else {
      throw .emptyOutput(layer: name, input: inputs[0])
    }
    return [rows.outputSize, columns.outputSize, kernel.shape[3]]
  }

  /// How the convolution is computed: its forms have kernels of their own.
  private enum Form {
    case plain
    /// A group for each channel: the kernel as a depthwise convolution's.
    case depthwise(Tensor)
    /// With groups or dilation.
    case parts
  }

  private var form: Form {
    if groups == 1, dilation == (1, 1) { return .plain }
    guard groups > 1, kernel.shape[2] == 1 else { return .parts }
    return .depthwise(
      kernel.reshaped([kernel.shape[0], kernel.shape[1], groups, kernel.shape[3] / groups]))
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    let sum =
      switch form {
      case .plain:
        builder.convolution(
          inputs[0], kernel: kernel, bias: bias, strides: strides, padding: padding, name: name)
      case .depthwise(let kernel):
        builder.depthwiseConvolution(
          inputs[0], kernel: kernel, bias: bias, strides: strides, dilation: dilation,
          padding: padding, name: name)
      case .parts:
        builder.convolution(
          inputs[0], kernel: kernel, bias: bias, strides: strides, dilation: dilation,
          groups: groups, padding: padding, name: name)
      }
    return activation.compile(after: sum, name: name, into: &builder)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    let sum =
      switch form {
      case .plain:
        convolution(inputs[0], kernel: kernel, bias: bias, strides: strides, padding: padding)
      case .depthwise(let kernel):
        depthwiseConvolution(
          inputs[0], kernel: kernel, bias: bias, strides: strides, dilation: dilation,
          padding: padding)
      case .parts:
        convolution(
          inputs[0], kernel: kernel, bias: bias, strides: strides, dilation: dilation,
          groups: groups, padding: padding)
      }
    return activation.output(of: sum)
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    let sum = activation.gradient(gradient, of: output)
    let result =
      switch form {
      case .plain:
        convolutionGradients(
          sum, x: inputs[0], kernel: kernel, strides: strides, padding: padding,
          wantsInput: wanted.inputs, wantsParameters: wanted.parameters)
      case .depthwise(let kernel):
        depthwiseGradients(
          sum, x: inputs[0], kernel: kernel, strides: strides, dilation: dilation,
          padding: padding, wantsInput: wanted.inputs, wantsParameters: wanted.parameters)
      case .parts:
        convolutionGradients(
          sum, x: inputs[0], kernel: kernel, strides: strides, dilation: dilation,
          groups: groups, padding: padding, wantsInput: wanted.inputs,
          wantsParameters: wanted.parameters)
      }
    let gradients = gradients(result, hasBias: parameters.count > 1)
    guard case .depthwise = form, wanted.parameters else { return gradients }
    return LayerGradients(
      inputs: gradients.inputs,
      parameters: zip(gradients.parameters, parameters).map { gradient, parameter in
        .stored(Tensor(shape: parameter.value.shape, scalars: gradient.scalars))
      })
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
