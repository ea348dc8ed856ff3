package import Compute

/// Flat below zero or of a small slope there, and perhaps flat from a limit on: Keras's `ReLU`.
///
/// `min(x, max_value)` from `threshold` on, else `negative_slope * (x - threshold)`.
package struct ReLU: FunctionLayer {
  package static let className = "ReLU"
  package let name: String
  package let line: PointwiseFunction.Rectifier

  package init(name: String, _ line: PointwiseFunction.Rectifier) {
    self.name = name
    self.line = line
  }

  /// - Parameter maximum: nil for no limit; 6 in MobileNet.
  package init(name: String, maximum: Double? = nil) {
    precondition(
      maximum.map { $0 > 0 } ?? true, "the maximum must be positive but is \(maximum ?? 0)")
    self.init(name: name, .init(ceiling: maximum.map { Float($0) } ?? .infinity))
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    let maximum = configuration.fields["max_value"]?.double
    let slope = try configuration.slope("negative_slope", default: 0)
    let threshold = try configuration.slope("threshold", default: 0)
    guard maximum ?? .infinity > threshold else {
      throw .unsupported("max_value \(maximum ?? 0)", layer: configuration.name)
    }
    self.init(
      name: configuration.name,
      .init(
        slope: Float(slope), threshold: Float(threshold),
        ceiling: maximum.map { Float($0) } ?? .infinity))
  }

  package var activation: PointwiseFunction {
    line == .init() ? .relu : .rectifier(line)
  }

  package var configuration: [String: JSONValue] {
    [
      "name": .string(name),
      "max_value": line.ceiling.isFinite ? .number(Double(line.ceiling)) : .null,
      "negative_slope": .number(Double(line.slope)),
      "threshold": .number(Double(line.threshold)),
    ]
  }
}

extension Configuration {
  /// A number that must not be negative; Keras 2 writes some as a NumPy array with one number.
  fileprivate func slope(_ field: String, default fallback: Double) throws(LayerError) -> Double {
    let value = fields[field]
    let number = value == .null ? nil : value?.double ?? value?["value"]?.double
    guard let number = number ?? (value == nil || value == .null ? fallback : nil), number >= 0
    else { throw .missingField(field, layer: name) }
    return number
  }
}

/// `x` above zero, else a small share of it: Keras's `LeakyReLU`.
package struct LeakyReLU: FunctionLayer {
  package static let className = "LeakyReLU"
  package let name: String
  package let slope: Double

  package init(name: String, slope: Double = 0.3) {
    self.name = name
    self.slope = slope
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    // Keras 3 renamed what Keras 2 calls alpha.
    let field = configuration.fields["negative_slope"] == nil ? "alpha" : "negative_slope"
    self.init(name: configuration.name, slope: try configuration.slope(field, default: 0.3))
  }

  package var activation: PointwiseFunction { .rectifier(.init(slope: Float(slope))) }

  /// With `alpha`, which Keras 2 knows and Keras 3 still reads.
  package var configuration: [String: JSONValue] {
    ["name": .string(name), "alpha": .number(slope)]
  }
}

/// `x` above zero, else `alpha * (exp(x) - 1)` (Clevert and others 2015): Keras's `ELU`.
package struct ELU: FunctionLayer {
  package static let className = "ELU"
  package let name: String
  package let alpha: Double

  package init(name: String, alpha: Double = 1) {
    self.name = name
    self.alpha = alpha
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    self.init(name: configuration.name, alpha: try configuration.slope("alpha", default: 1))
  }

  package var activation: PointwiseFunction { .elu(alpha: Float(alpha)) }

  package var configuration: [String: JSONValue] {
    ["name": .string(name), "alpha": .number(alpha)]
  }
}

/// `x` above zero, else `alpha * x` with learned `alpha` (He and others 2015): Keras's `PReLU`.
///
/// `alpha` has the input's shape without the batch, with 1 for each of `sharedAxes`.
package struct PReLU: Layer {
  package static let className = "PReLU"
  package let name: String
  /// Axes along which all numbers have the same `alpha`, counted from 1 (0 is the batch).
  package let sharedAxes: [Int]
  package var parameters: [Parameter]

  package init(name: String, inputShape: [Int], sharedAxes: [Int] = []) {
    self.name = name
    self.sharedAxes = sharedAxes
    let shape = inputShape.enumerated().map { sharedAxes.contains($0 + 1) ? 1 : $1 }
    parameters = [Parameter("alpha", Tensor(zeros: shape))]
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    guard inputShapes.count == 1 else {
      throw .wrongInput(layer: configuration.name, expected: "one input", found: inputShapes)
    }
    let field = configuration.fields["shared_axes"]
    let axes = field == nil || field == .null ? [] : field?.array?.compactMap(\.int)
    guard let axes, axes.allSatisfy((1...inputShapes[0].count).contains) else {
      throw .missingField("shared_axes", layer: configuration.name)
    }
    self.init(name: configuration.name, inputShape: inputShapes[0], sharedAxes: axes)
  }

  package var configuration: [String: JSONValue] {
    [
      "name": .string(name),
      "shared_axes": sharedAxes.isEmpty ? .null : .array(sharedAxes.map { .integer($0) }),
    ]
  }

  private var alpha: Tensor { parameters[0].value }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count == 1, canBroadcast(alpha.shape, to: inputs[0]) else {
      throw .wrongInput(
        layer: name, expected: "an input that \(alpha.shape) slopes fit", found: inputs)
    }
    return inputs[0]
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    let shape = builder.shape(of: inputs[0])
    return builder.slopes(
      inputs[0], broadcast(alpha.reshaped([1] + alpha.shape), to: [1] + shape).scalars,
      name: name)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    LayerOutput(negativeSlopes(inputs[0], x: inputs[0], alpha: slopes(for: inputs[0])))
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    let x = inputs[0]
    let input = wanted.inputs ? [negativeSlopes(gradient, x: x, alpha: slopes(for: x))] : []
    guard wanted.parameters else { return LayerGradients(inputs: input) }
    // Where x is negative the output is alpha * x.
    let all = product(gradient, negativePart(x))
    let sums = sumToBroadcast(all, [1] + alpha.shape).reshaped(alpha.shape)
    return LayerGradients(inputs: input, parameters: [.stored(sums)])
  }

  private func slopes(for x: Tensor) -> Tensor {
    broadcast(alpha.reshaped([1] + alpha.shape), to: [1] + x.shape.dropFirst())
  }
}
