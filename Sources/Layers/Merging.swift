package import Compute

/// The sum of inputs of one shape: Keras's `Add`, the end of a residual block.
package struct Add: Layer {
  package static let className = "Add"
  package let name: String

  package init(name: String) { self.name = name }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    self.init(name: configuration.name)
  }

  package var configuration: [String: JSONValue] { ["name": .string(name)] }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count >= 2, inputs.allSatisfy({ $0 == inputs[0] }) else {
      throw .wrongInput(layer: name, expected: "inputs of one shape", found: inputs)
    }
    return inputs[0]
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    builder.sum(inputs, name: name)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    var sum = inputs[0]
    for input in inputs.dropFirst() { sum.add(input) }
    return LayerOutput(sum)
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    LayerGradients(inputs: inputs.map { _ in gradient })
  }
}

/// Inputs side by side along the channels: Keras's `Concatenate`.
package struct Concatenate: Layer {
  package static let className = "Concatenate"
  package let name: String

  package init(name: String) { self.name = name }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    try configuration.require("axis", [-1, .integer(inputShapes.first?.count ?? 0)])
    self.init(name: configuration.name)
  }

  package var configuration: [String: JSONValue] { ["name": .string(name), "axis": -1] }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count >= 2,
      inputs.allSatisfy({ !$0.isEmpty && $0.dropLast() == inputs[0].dropLast() })
    else {
      throw .wrongInput(
        layer: name, expected: "inputs that differ only in their channels", found: inputs)
    }
    return inputs[0].dropLast() + [inputs.reduce(0) { $0 + ($1.last ?? 0) }]
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    builder.concatenation(inputs, name: name)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    LayerOutput(concatenated(inputs))
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    guard wanted.inputs else { return LayerGradients() }
    return LayerGradients(inputs: split(gradient, widths: inputs.map { $0.shape.last ?? 0 }))
  }
}
