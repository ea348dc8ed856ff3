package import Compute

extension PointwiseFunction {
  /// The function of that name in Keras, nil where there is none.
  ///
  /// - Parameter kerasVersion: the version's first number; `hard_sigmoid` changed with 3.
  package init?(kerasName: String, kerasVersion: Int = 3) {
    switch kerasName {
    case "hard_sigmoid": self = .hardSigmoid(slope: kerasVersion < 3 ? 0.2 : 1 / 6)
    // Keras 2 knew these from TensorFlow.
    case "swish": self = .silu
    case "hard_swish": self = .hardSilu
    default:
      guard let function = Self.names.first(where: { $0.name == kerasName })?.function else {
        return nil
      }
      self = function
    }
  }

  /// What Keras calls the function, nil where it has no name for its numbers.
  package var kerasName: String? {
    if case .hardSigmoid = self { return "hard_sigmoid" }
    return Self.names.first { $0.function == self }?.name
  }

  /// Every function that a Keras configuration can name.
  package static let kerasNames =
    (names.map(\.name) + ["hard_sigmoid", "hard_swish", "swish"]).sorted()

  private static let names: [(name: String, function: PointwiseFunction)] = [
    ("linear", .linear), ("relu", .relu), ("sigmoid", .sigmoid), ("tanh", .tanh),
    ("softmax", .softmax), ("relu6", .relu6),
    ("leaky_relu", .rectifier(Rectifier(slope: 0.2))), ("elu", .elu(alpha: 1)), ("selu", .selu),
    ("gelu", .gelu(isApproximate: false)), ("gelu_approximate", .gelu(isApproximate: true)),
    ("silu", .silu), ("hard_silu", .hardSilu), ("softplus", .softplus), ("softsign", .softsign),
    ("exponential", .exponential),
  ]

  /// The function as a field of a Keras configuration: its name, or the layer that computes it.
  package var configuration: JSONValue {
    if let kerasName { return .string(kerasName) }
    let layer: any Layer
    switch self {
    case .rectifier(let line): layer = ReLU(name: "activation", line)
    case .elu(let alpha): layer = ELU(name: "activation", alpha: Double(alpha))
    default: return "linear"
    }
    return [
      "module": "keras.layers", "class_name": .string(layer.className),
      "config": .object(layer.configuration), "registered_name": .null,
    ]
  }
}

extension Configuration {
  /// The activation: a name, a serialised function, or a layer such as `ReLU` in its place.
  package func activation() throws(LayerError) -> PointwiseFunction {
    guard let field = fields["activation"], field != .null else { return .linear }
    if let layer = try functionLayer(field) { return layer.activation }
    let text = field.string ?? field["config"]?.string ?? field["class_name"]?.string ?? "?"
    guard
      let function = PointwiseFunction(
        kerasName: text.lowercased(), kerasVersion: kerasVersion)
    else {
      throw .unsupported(
        "the activation '\(text)' (known are "
          + "\(PointwiseFunction.kerasNames.joined(separator: ", ")))", layer: name)
    }
    return function
  }

  private func functionLayer(_ field: JSONValue) throws(LayerError) -> (any FunctionLayer)? {
    guard let className = field["class_name"]?.string, var inner = field["config"]?.object,
      let type = LayerRegistry.type(named: className) as? any FunctionLayer.Type
    else { return nil }
    inner["name"] = .string(name)
    return try type.init(
      configuration: Configuration(inner, kerasVersion: kerasVersion), inputShapes: [[1]])
  }
}

extension PointwiseFunction {
  /// The function of the sums that a layer computes over its last axis, with what the way back
  /// will want.
  ///
  /// - Parameter keepsSum: whether the sums are kept although the gradient does not need them.
  func output(of sum: Tensor, keepsSum: Bool = false, kept: [Tensor] = []) -> LayerOutput {
    var y = sum
    apply(to: &y, width: sum.shape.last ?? 1)
    return LayerOutput(y, saved: needsInput || keepsSum ? sum : nil, kept: kept)
  }

  /// The gradient of the sums, given that of what `output(of:)` gave.
  func gradient(_ gradient: Tensor, of output: LayerOutput) -> Tensor {
    self.gradient(
      gradient, output: output.value, input: output.saved, width: gradient.shape.last ?? 1)
  }

  /// Adds the function to a plan; nothing is added for `linear`.
  func compile(
    after sum: PlanValue, name: String, into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    self == .linear ? sum : builder.activation(sum, self, name: name)
  }
}
