package import Compute

/// Where a network's input enters; it passes tensors on unchanged.
package struct InputLayer: Layer {
  package static let className = "InputLayer"
  package let name: String
  /// One photo's shape, `[height, width, channels]` or `[features]`.
  package let shape: [Int]

  package init(name: String, shape: [Int]) {
    self.name = name
    self.shape = shape
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    guard inputShapes.count == 1 else {
      throw .wrongInput(layer: configuration.name, expected: "one shape", found: inputShapes)
    }
    self.init(name: configuration.name, shape: inputShapes[0])
  }

  package var configuration: [String: JSONValue] {
    [
      "name": .string(name), "dtype": "float32",
      "batch_input_shape": .array([.null] + shape.map { .integer($0) }),
    ]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] { shape }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    inputs[0]
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    LayerOutput(inputs[0])
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    LayerGradients(inputs: [gradient])
  }
}

/// All axes but the batch made one, in row-major order: Keras's `Flatten` (channels last).
package struct Flatten: Layer {
  package static let className = "Flatten"
  package let name: String

  package init(name: String) { self.name = name }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    guard inputShapes.count == 1 else {
      throw .wrongInput(layer: configuration.name, expected: "one input", found: inputShapes)
    }
    try configuration.require("data_format", ["channels_last"])
    self.init(name: configuration.name)
  }

  package var configuration: [String: JSONValue] {
    ["name": .string(name), "data_format": "channels_last"]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    [inputs[0].reduce(1, *)]
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    builder.reshape(inputs[0], to: [builder.shape(of: inputs[0]).reduce(1, *)], name: name)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    let n = inputs[0].shape[0]
    return LayerOutput(inputs[0].reshaped([n, inputs[0].shape.dropFirst().reduce(1, *)]))
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    LayerGradients(inputs: [gradient.reshaped(inputs[0].shape)])
  }
}

/// The same numbers under another shape: Keras's `Reshape`.
package struct Reshape: Layer {
  package static let className = "Reshape"
  package let name: String
  /// Without the batch axis; one length may be -1, whatever is left.
  package let target: [Int]

  package init(name: String, target: [Int]) {
    (self.name, self.target) = (name, target)
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    guard let list = configuration.fields["target_shape"]?.array,
      case let target = list.compactMap(\.int), target.count == list.count,
      target.count(where: { $0 < 0 }) <= 1
    else { throw .missingField("target_shape", layer: configuration.name) }
    self.init(name: configuration.name, target: target)
  }

  package var configuration: [String: JSONValue] {
    ["name": .string(name), "target_shape": .array(target.map { .integer($0) })]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count == 1, let shape = shape(of: inputs[0]) else {
      throw .wrongInput(layer: name, expected: "as many numbers as \(target)", found: inputs)
    }
    return shape
  }

  private func shape(of input: [Int]) -> [Int]? {
    let count = input.reduce(1, *)
    let known = target.filter { $0 >= 0 }.reduce(1, *)
    let shape = target.map { $0 < 0 ? (known == 0 ? 0 : count / known) : $0 }
    return shape.reduce(1, *) == count ? shape : nil
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    builder.reshape(
      inputs[0], to: shape(of: builder.shape(of: inputs[0])) ?? target, name: name)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    let shape = inputs[0].shape
    return LayerOutput(
      inputs[0].reshaped([shape[0]] + (self.shape(of: Array(shape.dropFirst())) ?? target)))
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    LayerGradients(inputs: [gradient.reshaped(inputs[0].shape)])
  }
}
