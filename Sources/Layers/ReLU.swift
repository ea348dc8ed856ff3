package import Compute

/// `max(x, 0)`, or `min(max(x, 0), maximum)`: Keras's `ReLU` with its `max_value`.
package struct ReLU: Layer {
  package static let className = "ReLU"
  package let name: String
  /// Nil for no limit; 6 in MobileNet.
  package let maximum: Double?

  package init(name: String, maximum: Double? = nil) {
    precondition(
      maximum.map { $0 > 0 } ?? true, "the maximum must be positive but is \(maximum ?? 0)")
    self.name = name
    self.maximum = maximum
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    guard inputShapes.count == 1 else {
      throw .wrongInput(layer: configuration.name, expected: "one input", found: inputShapes)
    }
    for field in ["negative_slope", "threshold"] {
      try configuration.require(field, [0, .number(0)])
    }
    let maximum = configuration.fields["max_value"]?.double
    guard maximum ?? 1 > 0 else {
      throw .unsupported("max_value \(maximum ?? 0)", layer: configuration.name)
    }
    self.init(name: configuration.name, maximum: maximum)
  }

  package var parameters: [Parameter] {
    get { [] }
    set {}
  }

  package var configuration: [String: JSONValue] {
    [
      "name": .string(name), "max_value": maximum.map { .number($0) } ?? .null,
      "negative_slope": .number(0), "threshold": .number(0),
    ]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] { inputs[0] }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    guard let maximum else { return builder.activation(inputs[0], .relu, name: name) }
    return builder.clip(inputs[0], upTo: Float(maximum), name: name)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    LayerOutput(clipped(inputs[0], upTo: limit))
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    LayerGradients(inputs: [clippedGradient(gradient, output: output.value, upTo: limit)])
  }

  private var limit: Float { maximum.map { Float($0) } ?? .infinity }
}
