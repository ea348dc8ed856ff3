package import Compute

/// Fully connected layer with bias and activation: Keras's `Dense`.
///
/// `y = f(x * kernel + bias)`; input `[n, ..., inputs]`, kernel `[inputs, units]`, bias `[units]`.
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
    guard inputShapes.count == 1, let inputs = inputShapes[0].last, inputs > 0 else {
      throw .wrongInput(layer: configuration.name, expected: "one input", found: inputShapes)
    }
    let units = try configuration.int("units")
    guard units > 0 else { throw .missingField("units", layer: configuration.name) }
    self.init(
      name: configuration.name, kernel: Tensor(placeholder: [inputs, units]),
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
    guard inputs.count == 1, inputs[0].last == kernel.shape[0] else {
      throw .wrongInput(layer: name, expected: "[\(kernel.shape[0])]", found: inputs)
    }
    return inputs[0].dropLast() + [units]
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
      of: affine(rows(inputs[0]), kernel: kernel, bias: bias)
        .reshaped(inputs[0].shape.dropLast() + [units]),
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
    var result = affineGradients(
      rows(gradient), x: rows(inputs[0]), kernel: kernel, wantsInput: wanted.inputs,
      wantsParameters: wanted.parameters)
    result.input = result.input?.reshaped(inputs[0].shape)
    return gradients(result, hasBias: parameters.count > 1)
  }

  /// All but the last axis made one.
  private func rows(_ x: Tensor) -> Tensor {
    x.shape.count == 2
      ? x : x.reshaped([x.shape.dropLast().reduce(1, *), x.shape[x.shape.count - 1]])
  }

  package mutating func initialize(random: inout SeededRandom) {
    initializeAffine(&parameters, random: &random)
  }
}
