package import Compute

/// Fully connected layer with bias and activation: Keras's `Dense`.
///
/// `y = f(x * kernel + bias)`; input `[n, inputs]`, kernel `[inputs, units]`, bias `[units]`.
package struct Dense: ClassifierLayer {
  package static let className = "Dense"
  package let name: String
  package let activation: PointwiseFunction
  package var parameters: [Parameter]

  /// A layer from its tensors.
  package init(
    name: String, kernel: Tensor, bias: Tensor?, activation: PointwiseFunction = .linear
  ) {
    precondition(kernel.shape.count == 2, "a kernel needs two axes but has \(kernel.shape)")
    self.name = name
    self.activation = activation
    parameters = [Parameter("kernel", kernel)] + (bias.map { [Parameter("bias", $0)] } ?? [])
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    let input = try singleInput(inputShapes, rank: 1, "a flat vector", configuration)
    let units = try configuration.int("units")
    guard units > 0 else { throw .missingField("units", layer: configuration.name) }
    self.init(
      name: configuration.name, kernel: Tensor(zeros: [input[0], units]),
      bias: configuration.bool("use_bias", default: true) ? Tensor(zeros: [units]) : nil,
      activation: try configuration.activation())
  }

  package var kernel: Tensor { parameters[0].value }
  package var bias: [Float]? { parameters.count > 1 ? parameters[1].value.scalars : nil }
  package var units: Int { kernel.shape[1] }

  package var configuration: [String: JSONValue] {
    [
      "name": .string(name), "units": .integer(units),
      "activation": activation.configuration, "use_bias": .bool(parameters.count > 1),
    ]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs == [[kernel.shape[0]]] else {
      throw .wrongInput(layer: name, expected: "[\(kernel.shape[0])]", found: inputs)
    }
    return [units]
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    let sum = compileLogits(inputs, into: &builder)
    return activation == .linear ? sum : builder.activation(sum, activation, name: name)
  }

  package func compileLogits(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    builder.dense(inputs[0], kernel: kernel, bias: bias, name: name)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    // The loss works on what comes before a sigmoid or softmax, where it is exact.
    activation.output(
      of: affine(inputs[0], kernel: kernel, bias: bias),
      keepsSum: activation == .sigmoid || activation == .softmax)
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    backward(
      beforeActivation: activation.gradient(gradient, of: output), inputs: inputs, wanted: wanted)
  }

  package func backward(
    beforeActivation gradient: Tensor, inputs: [Tensor], wanted: WantedGradients
  ) -> LayerGradients {
    let result = affineGradients(
      gradient, x: inputs[0], kernel: kernel, wantsInput: wanted.inputs,
      wantsParameters: wanted.parameters)
    return gradients(result, hasBias: parameters.count > 1)
  }

  package mutating func initialize(random: inout SeededRandom) {
    initializeAffine(&parameters, random: &random)
  }
}
