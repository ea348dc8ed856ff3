package import Compute

/// A layer that is nothing but a function of each number, or softmax over the last axis.
package protocol FunctionLayer: ActivatedLayer {}

extension FunctionLayer {
  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count == 1 else {
      throw .wrongInput(layer: name, expected: "one input", found: inputs)
    }
    return inputs[0]
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    builder.activation(inputs[0], activation, name: name)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    activation.output(of: inputs[0], keepsSum: true)
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    guard wanted.inputs else { return LayerGradients() }
    return LayerGradients(inputs: [activation.gradient(gradient, of: output)])
  }
}

/// A function at the end of a classifier.
package protocol ClassifierFunction: FunctionLayer, ClassifierLayer {}

extension ClassifierFunction {
  package func compileLogits(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    inputs[0]
  }

  package func backward(
    beforeActivation gradient: Tensor, inputs: [Tensor], wanted: WantedGradients
  ) -> LayerGradients {
    LayerGradients(inputs: [gradient])
  }
}

/// Any function that Keras knows by name: Keras's `Activation`.
package struct Activation: ClassifierFunction {
  package static let className = "Activation"
  package let name: String
  package let activation: PointwiseFunction

  package init(name: String, activation: PointwiseFunction) {
    self.name = name
    self.activation = activation
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    self.init(name: configuration.name, activation: try configuration.activation())
  }

  package var configuration: [String: JSONValue] {
    ["name": .string(name), "activation": activation.configuration]
  }
}

/// Shares that sum up to 1 along the last axis: Keras's `Softmax`.
package struct Softmax: ClassifierFunction {
  package static let className = "Softmax"
  package let name: String
  package var activation: PointwiseFunction { .softmax }

  package init(name: String) { self.name = name }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    let last = JSONValue.integer(inputShapes.first?.count ?? 0)
    try configuration.require("axis", [-1, last, [-1], .array([last])])
    self.init(name: configuration.name)
  }

  package var configuration: [String: JSONValue] { ["name": .string(name), "axis": -1] }
}
