package import Compute

/// An element-wise function (or softmax over the last axis) as a layer: Keras's `Activation`.
package struct Activation: ClassifierLayer {
  package static let className = "Activation"
  package let name: String
  package let activation: PointwiseFunction

  package init(name: String, activation: PointwiseFunction) {
    self.name = name
    self.activation = activation
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    guard inputShapes.count == 1 else {
      throw .wrongInput(layer: configuration.name, expected: "one input", found: inputShapes)
    }
    self.init(name: configuration.name, activation: try configuration.activation())
  }

  package var parameters: [Parameter] {
    get { [] }
    set {}
  }

  package var configuration: [String: JSONValue] {
    ["name": .string(name), "activation": .string(activation.rawValue)]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] { inputs[0] }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    builder.activation(inputs[0], activation, name: name)
  }

  package func compileLogits(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    inputs[0]
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    var y = inputs[0]
    activation.apply(to: &y, width: y.shape.last ?? 1)
    return LayerOutput(y, saved: inputs[0])
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    let width = gradient.shape.last ?? 1
    return LayerGradients(
      inputs: [activation.gradient(gradient, output: output.value, width: width)])
  }

  package func backward(
    beforeActivation gradient: Tensor, inputs: [Tensor], wanted: WantedGradients
  ) -> LayerGradients {
    LayerGradients(inputs: [gradient])
  }
}

/// Inverted dropout (Srivastava and others 2014), only while training: Keras's `Dropout`.
package struct Dropout: Layer {
  package static let className = "Dropout"
  package let name: String
  /// The share of inputs set to zero, in `0..<1`.
  package let rate: Double

  package init(name: String, rate: Double) {
    precondition(rate >= 0 && rate < 1, "a dropout rate must be in 0..<1 but is \(rate)")
    self.name = name
    self.rate = rate
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    guard let rate = configuration.fields["rate"]?.double ?? configuration.fields["p"]?.double,
      rate >= 0, rate < 1
    else { throw .missingField("rate", layer: configuration.name) }
    try configuration.require("noise_shape", [])
    self.init(name: configuration.name, rate: rate)
  }

  package var parameters: [Parameter] {
    get { [] }
    set {}
  }

  package var configuration: [String: JSONValue] {
    ["name": .string(name), "rate": .number(rate)]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] { inputs[0] }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    inputs[0]
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    let (output, factors) = dropout(inputs[0], rate: Float(rate), random: &random)
    return LayerOutput(output, saved: factors)
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    guard let factors = output.saved else { return LayerGradients(inputs: [gradient]) }
    return LayerGradients(inputs: [product(gradient, factors)])
  }
}
