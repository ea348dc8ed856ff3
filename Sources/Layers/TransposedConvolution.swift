package import Compute

/// Each pixel spread over a window, with bias and activation: Keras's `Conv2DTranspose`.
///
/// Input `[n, h, w, c]`, kernel `[kh, kw, o, c]`, bias `[o]`; the output has `strides` times the rows
/// and columns, and the rest of the last window with `valid` padding; `output_padding` gives it as
/// many more than the windows need.
package struct Conv2DTranspose: ActivatedLayer {
  package static let className = "Conv2DTranspose"
  package let name: String
  package let strides: (Int, Int)
  package let padding: Padding
  package let outputPadding: (Int, Int)?
  package let activation: PointwiseFunction
  package var parameters: [Parameter]

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    let input = try singleInput(inputShapes, rank: 3, "[height, width, channels]", configuration)
    try configuration.require("data_format", ["channels_last"])
    try configuration.require("dilation_rate", [1, [1, 1]])
    let filters = try configuration.int("filters")
    guard filters > 0 else { throw .missingField("filters", layer: configuration.name) }
    let window = try configuration.pair("kernel_size")
    name = configuration.name
    strides = try configuration.pair("strides", default: (1, 1))
    padding = try configuration.padding()
    outputPadding = try configuration.outputPadding(strides)
    activation = try configuration.activation()
    parameters = [Parameter("kernel", Tensor(zeros: [window.0, window.1, filters, input[2]]))]
    if configuration.bool("use_bias", default: true) {
      parameters.append(Parameter("bias", Tensor(zeros: [filters])))
    }
    guard call([1] + input).fits else {
      throw .unsupported(
        "output_padding \(configuration.fields["output_padding"] ?? .null) with a window of "
          + "\(window) and strides of \(strides)", layer: name)
    }
  }

  private var kernel: Tensor { parameters[0].value }
  private var bias: [Float]? { parameters.count > 1 ? parameters[1].value.scalars : nil }

  package var configuration: [String: JSONValue] {
    [
      "name": .string(name), "filters": .integer(kernel.shape[2]),
      "kernel_size": [.integer(kernel.shape[0]), .integer(kernel.shape[1])],
      "strides": [.integer(strides.0), .integer(strides.1)], "padding": .string(padding.rawValue),
      "data_format": "channels_last", "dilation_rate": [1, 1],
      "output_padding": outputPadding.map { [.integer($0.0), .integer($0.1)] } ?? .null,
      "activation": activation.configuration, "use_bias": .bool(parameters.count > 1),
    ]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count == 1, inputs[0].count == 3, inputs[0][2] == kernel.shape[3] else {
      throw .wrongInput(
        layer: name, expected: "[height, width, \(kernel.shape[3])]", found: inputs)
    }
    return Array(call([1] + inputs[0]).outputShape.dropFirst())
  }

  private func call(_ input: [Int]) -> TransposedConvolution {
    TransposedConvolution(
      input: input, kernel: kernel.shape, strides: strides, padding: padding,
      outputPadding: outputPadding)
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    let sum = builder.transposedConvolution(
      inputs[0], kernel: kernel, bias: bias, strides: strides, padding: padding,
      outputPadding: outputPadding, name: name)
    return activation.compile(after: sum, name: name, into: &builder)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    activation.output(of: call(inputs[0].shape)(inputs[0], kernel: kernel, bias: bias))
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    let result = call(inputs[0].shape).gradients(
      activation.gradient(gradient, of: output), x: inputs[0], kernel: kernel,
      wantsInput: wanted.inputs, wantsParameters: wanted.parameters)
    return gradients(result, hasBias: parameters.count > 1)
  }

  package mutating func initialize(random: inout SeededRandom) {
    initializeAffine(&parameters, random: &random)
  }
}

extension Configuration {
  /// Fewer rows and columns than `strides`, nil where nothing is said.
  fileprivate func outputPadding(_ strides: (Int, Int)) throws(LayerError) -> (Int, Int)? {
    guard let value = fields["output_padding"], value != .null else { return nil }
    let list = value.array ?? [value, value]
    guard list.count == 2, let rows = list[0].int, let columns = list[1].int,
      (0..<strides.0).contains(rows), (0..<strides.1).contains(columns)
    else { throw .unsupported("output_padding \(value)", layer: name) }
    return (rows, columns)
  }
}
