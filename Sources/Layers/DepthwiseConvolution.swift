package import Compute

/// Convolution of each channel by itself, with bias and activation: Keras's `DepthwiseConv2D`.
///
/// `y[n, i, j, c*m + k] = f(b[c*m + k] + sum x[n, i*s + u*d, j*s + v*d, c] * w[u, v, c, k])`;
/// input `[n, h, w, c]`, kernel `[kh, kw, c, m]`, bias `[c * m]`.
package struct DepthwiseConv2D: ActivatedLayer {
  package static let className = "DepthwiseConv2D"
  package let name: String
  package let strides: (Int, Int)
  package let dilation: (Int, Int)
  package let padding: Padding
  package let activation: PointwiseFunction
  package let initializer: KernelInitializer
  package var parameters: [Parameter]

  /// A layer from its tensors; `kernel` is `[kh, kw, c, m]`.
  package init(
    name: String, kernel: Tensor, bias: Tensor?, strides: (Int, Int) = (1, 1),
    dilation: (Int, Int) = (1, 1), padding: Padding = .valid,
    activation: PointwiseFunction = .linear, initializer: KernelInitializer = .glorotUniform
  ) {
    precondition(kernel.shape.count == 4, "a kernel needs four axes but has \(kernel.shape)")
    self.name = name
    (self.strides, self.dilation, self.padding) = (strides, dilation, padding)
    self.activation = activation
    self.initializer = initializer
    parameters =
      [Parameter("depthwise_kernel", kernel)] + (bias.map { [Parameter("bias", $0)] } ?? [])
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    let input = try singleInput(inputShapes, rank: 3, "[height, width, channels]", configuration)
    try configuration.require("data_format", ["channels_last"])
    let window = try configuration.pair("kernel_size")
    let outputs = input[2] * (try configuration.depthMultiplier())
    self.init(
      name: configuration.name,
      kernel: Tensor(zeros: [window.0, window.1, input[2], outputs / input[2]]),
      bias: configuration.bool("use_bias", default: true) ? Tensor(zeros: [outputs]) : nil,
      strides: try configuration.pair("strides", default: (1, 1)),
      dilation: try configuration.pair("dilation_rate", default: (1, 1)),
      padding: try configuration.padding(), activation: try configuration.activation())
  }

  package var kernel: Tensor { parameters[0].value }
  package var bias: [Float]? { parameters.count > 1 ? parameters[1].value.scalars : nil }

  package var configuration: [String: JSONValue] {
    [
      "name": .string(name), "kernel_size": [.integer(kernel.shape[0]), .integer(kernel.shape[1])],
      "strides": [.integer(strides.0), .integer(strides.1)], "padding": .string(padding.rawValue),
      "depth_multiplier": .integer(kernel.shape[3]), "data_format": "channels_last",
      "dilation_rate": [.integer(dilation.0), .integer(dilation.1)],
      "activation": activation.configuration, "use_bias": .bool(parameters.count > 1),
    ]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    try depthwiseOutputShape(
      inputs, kernel: kernel.shape, strides: strides, dilation: dilation, padding: padding,
      layer: name)
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    let sum = builder.depthwiseConvolution(
      inputs[0], kernel: kernel, bias: bias, strides: strides, dilation: dilation,
      padding: padding, name: name)
    return activation.compile(after: sum, name: name, into: &builder)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    activation.output(
      of: depthwiseConvolution(
        inputs[0], kernel: kernel, bias: bias, strides: strides, dilation: dilation,
        padding: padding))
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    let result = depthwiseGradients(
      activation.gradient(gradient, of: output), x: inputs[0], kernel: kernel, strides: strides,
      dilation: dilation, padding: padding, wantsInput: wanted.inputs,
      wantsParameters: wanted.parameters)
    return gradients(result, hasBias: parameters.count > 1)
  }

  package mutating func initialize(random: inout SeededRandom) {
    initializeAffine(&parameters, initializer, random: &random)
  }
}

extension Configuration {
  fileprivate func depthMultiplier() throws(LayerError) -> Int {
    let multiplier = fields["depth_multiplier"].map { $0.int } ?? 1
    guard let multiplier, multiplier > 0 else {
      throw .missingField("depth_multiplier", layer: name)
    }
    return multiplier
  }
}

/// The output of a depthwise convolution, without the batch axis.
private func depthwiseOutputShape(
  _ inputs: [[Int]], kernel: [Int], strides: (Int, Int), dilation: (Int, Int), padding: Padding,
  layer: String
) throws(LayerError) -> [Int] {
  guard inputs.count == 1, inputs[0].count == 3, inputs[0][2] == kernel[2] else {
    throw .wrongInput(layer: layer, expected: "[height, width, \(kernel[2])]", found: inputs)
  }
  let rows = WindowAxis(
    input: inputs[0][0], window: (kernel[0] - 1) * dilation.0 + 1, stride: strides.0,
    padding: padding)
  let columns = WindowAxis(
    input: inputs[0][1], window: (kernel[1] - 1) * dilation.1 + 1, stride: strides.1,
    padding: padding)
  guard rows.outputSize > 0, columns.outputSize > 0 else {
    throw .emptyOutput(layer: layer, input: inputs[0])
  }
  return [rows.outputSize, columns.outputSize, kernel[2] * kernel[3]]
}

/// A depthwise convolution and a 1x1 convolution after it, with bias and activation: Keras's
/// `SeparableConv2D`.
///
/// Input `[n, h, w, c]`, depthwise kernel `[kh, kw, c, m]`, pointwise kernel `[1, 1, c * m, o]`,
/// bias `[o]`; nothing lies between the two (Chollet 2017, arXiv:1610.02357).
package struct SeparableConv2D: ActivatedLayer {
  package static let className = "SeparableConv2D"
  package let name: String
  package let strides: (Int, Int)
  package let dilation: (Int, Int)
  package let padding: Padding
  package let activation: PointwiseFunction
  package let initializer: KernelInitializer
  package var parameters: [Parameter]

  /// A layer from its tensors; `depthwise` is `[kh, kw, c, m]`, `pointwise` `[1, 1, c * m, o]`.
  package init(
    name: String, depthwise: Tensor, pointwise: Tensor, bias: Tensor?,
    strides: (Int, Int) = (1, 1), dilation: (Int, Int) = (1, 1), padding: Padding = .valid,
    activation: PointwiseFunction = .linear, initializer: KernelInitializer = .glorotUniform
  ) {
    precondition(
      depthwise.shape.count == 4 && pointwise.shape.count == 4
        && pointwise.shape[2] == depthwise.shape[2] * depthwise.shape[3],
      "kernels \(depthwise.shape) and \(pointwise.shape) do not go together")
    self.name = name
    (self.strides, self.dilation, self.padding) = (strides, dilation, padding)
    self.activation = activation
    self.initializer = initializer
    parameters =
      [Parameter("depthwise_kernel", depthwise), Parameter("pointwise_kernel", pointwise)]
      + (bias.map { [Parameter("bias", $0)] } ?? [])
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    let input = try singleInput(inputShapes, rank: 3, "[height, width, channels]", configuration)
    try configuration.require("data_format", ["channels_last"])
    let window = try configuration.pair("kernel_size")
    let multiplier = try configuration.depthMultiplier()
    let filters = try configuration.int("filters")
    guard filters > 0 else { throw .missingField("filters", layer: configuration.name) }
    self.init(
      name: configuration.name,
      depthwise: Tensor(zeros: [window.0, window.1, input[2], multiplier]),
      pointwise: Tensor(zeros: [1, 1, input[2] * multiplier, filters]),
      bias: configuration.bool("use_bias", default: true) ? Tensor(zeros: [filters]) : nil,
      strides: try configuration.pair("strides", default: (1, 1)),
      dilation: try configuration.pair("dilation_rate", default: (1, 1)),
      padding: try configuration.padding(), activation: try configuration.activation())
  }

  package var depthwise: Tensor { parameters[0].value }
  package var pointwise: Tensor { parameters[1].value }
  package var bias: [Float]? { parameters.count > 2 ? parameters[2].value.scalars : nil }

  package var configuration: [String: JSONValue] {
    [
      "name": .string(name), "filters": .integer(pointwise.shape[3]),
      "kernel_size": [.integer(depthwise.shape[0]), .integer(depthwise.shape[1])],
      "strides": [.integer(strides.0), .integer(strides.1)], "padding": .string(padding.rawValue),
      "depth_multiplier": .integer(depthwise.shape[3]), "data_format": "channels_last",
      "dilation_rate": [.integer(dilation.0), .integer(dilation.1)],
      "activation": activation.configuration, "use_bias": .bool(parameters.count > 2),
    ]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    let shape = try depthwiseOutputShape(
      inputs, kernel: depthwise.shape, strides: strides, dilation: dilation, padding: padding,
      layer: name)
    return [shape[0], shape[1], pointwise.shape[3]]
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    let middle = builder.depthwiseConvolution(
      inputs[0], kernel: depthwise, bias: nil, strides: strides, dilation: dilation,
      padding: padding, name: name + " depthwise")
    let sum = builder.convolution(
      middle, kernel: pointwise, bias: bias, strides: (1, 1), padding: .valid, name: name)
    return activation.compile(after: sum, name: name, into: &builder)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    let middle = depthwiseConvolution(
      inputs[0], kernel: depthwise, bias: nil, strides: strides, dilation: dilation,
      padding: padding)
    let sum = convolution(
      middle, kernel: pointwise, bias: bias, strides: (1, 1), padding: .valid)
    return activation.output(of: sum, kept: [middle])
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    let upper = convolutionGradients(
      activation.gradient(gradient, of: output), x: output.kept[0], kernel: pointwise,
      strides: (1, 1), padding: .valid, wantsInput: true, wantsParameters: wanted.parameters)
    guard let middle = upper.input else { return LayerGradients() }
    let lower = depthwiseGradients(
      middle, x: inputs[0], kernel: depthwise, strides: strides, dilation: dilation,
      padding: padding, wantsInput: wanted.inputs, wantsParameters: wanted.parameters)
    let bias = parameters.count > 2 ? upper.bias.map { ParameterGradient.stored($0) } : nil
    return LayerGradients(
      inputs: [lower.input].compactMap { $0 },
      parameters: [lower.kernel, upper.kernel, bias].compactMap { $0 })
  }

  package mutating func initialize(random: inout SeededRandom) {
    for index in 0..<2 {
      parameters[index].value = initializer.draw(
        shape: parameters[index].value.shape, random: &random)
    }
    if parameters.count > 2 {
      parameters[2].value = Tensor(zeros: parameters[2].value.shape)
    }
  }
}
