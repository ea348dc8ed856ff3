package import Compute

/// Each channel divided by what its neighbours show together, as in AlexNet (Krizhevsky and others
/// 2012) and GoogLeNet; TensorFlow's `local_response_normalization`.
///
/// `y[c] = x[c] / (bias + alpha * sum x[j]^2)^beta` over the channels `j` with `|j - c| <= radius`;
/// input `[n, ..., c]`.
package struct LocalResponseNormalization: Layer {
  package static let className = "LocalResponseNormalization"
  package let name: String
  package let window: ResponseWindow

  /// - Parameter alpha: of the sum; Caffe's is divided by the number of channels that it sees.
  package init(name: String, radius: Int, bias: Double, alpha: Double, beta: Double) {
    self.name = name
    window = ResponseWindow(radius: radius, bias: bias, alpha: alpha, beta: beta)
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    guard inputShapes.count == 1 else {
      throw .wrongInput(layer: configuration.name, expected: "one input", found: inputShapes)
    }
    let radius = try configuration.int("depth_radius")
    let numbers = try ["bias", "alpha", "beta"].map { field throws(LayerError) in
      guard let value = configuration.fields[field]?.double, value > 0 else {
        throw .missingField(field, layer: configuration.name)
      }
      return value
    }
    guard radius >= 0 else { throw .missingField("depth_radius", layer: configuration.name) }
    self.init(
      name: configuration.name, radius: radius, bias: numbers[0], alpha: numbers[1],
      beta: numbers[2])
  }

  package var parameters: [Parameter] {
    get { [] }
    set {}
  }

  package var configuration: [String: JSONValue] {
    [
      "name": .string(name), "depth_radius": .integer(window.radius),
      "bias": .number(window.bias), "alpha": .number(window.alpha), "beta": .number(window.beta),
    ]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count == 1, !inputs[0].isEmpty else {
      throw .wrongInput(layer: name, expected: "one input with channels", found: inputs)
    }
    return inputs[0]
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    builder.responseNormalization(inputs[0], window, name: name)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    LayerOutput(responseNormalized(inputs[0], window))
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    guard wanted.inputs else { return LayerGradients() }
    return LayerGradients(inputs: [responseGradient(gradient, x: inputs[0], window)])
  }
}
