package import Compute

/// `x * scale + shift` with fixed numbers, one for each channel.
package protocol FixedScaling: Layer {
  /// The scale and the shift of `channels` channels.
  func affine(channels: Int) -> (scale: [Float], shift: [Float])
}

extension FixedScaling {
  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    let (scale, shift) = affine(channels: builder.shape(of: inputs[0]).last ?? 1)
    return builder.scaling(inputs[0], scale: scale, shift: shift, name: name)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    let (scale, shift) = affine(channels: inputs[0].shape.last ?? 1)
    return LayerOutput(channelAffine(inputs[0], scale: scale, shift: shift))
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    guard wanted.inputs else { return LayerGradients() }
    let scale = affine(channels: gradient.shape.last ?? 1).scale
    return LayerGradients(
      inputs: [channelAffine(gradient, scale: scale, shift: scale.map { _ in 0 })])
  }
}

/// `x * scale + offset`: Keras's `Rescaling`, such as `1 / 255` for photos.
package struct Rescaling: FixedScaling {
  package static let className = "Rescaling"
  package let name: String
  /// One number for all channels, or one for each.
  package let scale: [Double]
  package let offset: [Double]

  package init(name: String, scale: [Double], offset: [Double] = [0]) {
    (self.name, self.scale, self.offset) = (name, scale, offset)
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    guard let scale = configuration.numbers("scale"),
      let offset = configuration.fields["offset"] == nil ? [0] : configuration.numbers("offset")
    else { throw .missingField("scale' or 'offset", layer: configuration.name) }
    self.init(name: configuration.name, scale: scale, offset: offset)
  }

  package var configuration: [String: JSONValue] {
    func value(_ numbers: [Double]) -> JSONValue {
      numbers.count == 1 ? .number(numbers[0]) : .array(numbers.map { .number($0) })
    }
    return ["name": .string(name), "scale": value(scale), "offset": value(offset)]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count == 1, let channels = inputs[0].last,
      [scale, offset].allSatisfy({ [1, channels].contains($0.count) })
    else {
      throw .wrongInput(
        layer: name, expected: "\(max(scale.count, offset.count)) channels", found: inputs)
    }
    return inputs[0]
  }

  package func affine(channels: Int) -> (scale: [Float], shift: [Float]) {
    func all(_ numbers: [Double]) -> [Float] {
      numbers.count == 1
        ? .init(repeating: Float(numbers[0]), count: channels) : numbers.map { Float($0) }
    }
    return (all(scale), all(offset))
  }
}

extension Configuration {
  /// A number or a nested list of numbers, laid flat; nil for anything else.
  fileprivate func numbers(_ field: String) -> [Double]? {
    func flat(_ value: JSONValue) -> [Double]? {
      if let number = value.double { return [number] }
      // Keras 3 keeps NumPy arrays as objects.
      guard let list = value.array ?? value["config"]?["value"]?.array else { return nil }
      let parts = list.map(flat)
      return parts.contains { $0 == nil } ? nil : parts.flatMap { $0 ?? [] }
    }
    return fields[field].flatMap(flat)
  }
}

/// `(x - mean) / sqrt(variance)` with statistics of the training photos: Keras's `Normalization`.
///
/// The statistics lie in the configuration where they were given, else they are weights: `mean [c]`,
/// `variance [c]` and `count`, of how many numbers they are.
package struct Normalization: FixedScaling {
  package static let className = "Normalization"
  package let name: String
  /// Whether statistics are one number for all, not one for each channel.
  private let isScalar: Bool
  private let given: (mean: [Double], variance: [Double])?
  package var parameters: [Parameter]

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    guard inputShapes.count == 1, let channels = inputShapes[0].last else {
      throw .wrongInput(
        layer: configuration.name, expected: "one input with channels", found: inputShapes)
    }
    try configuration.require("invert", [false])
    let last = JSONValue.integer(inputShapes[0].count)
    let axis = configuration.fields["axis"] ?? -1
    guard axis == .null || axis == [] || [-1, last, [-1], .array([last])].contains(axis) else {
      throw .unsupported("axis \(axis)", layer: configuration.name)
    }
    name = configuration.name
    isScalar = axis == .null || axis == []
    parameters = []
    let allowed = isScalar ? [1] : [1, channels]
    if let mean = configuration.numbers("mean"), let variance = configuration.numbers("variance"),
      allowed.contains(mean.count), allowed.contains(variance.count)
    {
      given = (mean, variance)
      return
    }
    given = nil
    let shape = isScalar ? [] : [channels]
    parameters = ["mean", "variance"].map {
      Parameter($0, Tensor(zeros: shape), isTrainable: false)
    }
    parameters.append(Parameter("count", Tensor(zeros: []), isTrainable: false))
  }

  package var configuration: [String: JSONValue] {
    var fields: [String: JSONValue] = [
      "name": .string(name), "axis": isScalar ? .null : [-1], "invert": false,
    ]
    if let given {
      fields["mean"] = .array(given.mean.map { .number($0) })
      fields["variance"] = .array(given.variance.map { .number($0) })
    }
    return fields
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    let count = max(given?.mean.count ?? parameters[0].value.count, given?.variance.count ?? 1)
    guard inputs.count == 1, let channels = inputs[0].last, [1, channels].contains(count) else {
      throw .wrongInput(layer: name, expected: "\(count) channels", found: inputs)
    }
    return inputs[0]
  }

  package func affine(channels: Int) -> (scale: [Float], shift: [Float]) {
    let mean = given?.mean.map { Float($0) } ?? parameters[0].value.scalars
    let variance = given?.variance.map { Float($0) } ?? parameters[1].value.scalars
    func at(_ numbers: [Float], _ channel: Int) -> Float {
      numbers.count == 1 ? numbers[0] : numbers[channel]
    }
    // Keras divides by its epsilon at least.
    let scale = (0..<channels).map { 1 / max(at(variance, $0).squareRoot(), 1e-7) }
    return (scale, scale.indices.map { -scale[$0] * at(mean, $0) })
  }

  package mutating func initialize(random: inout SeededRandom) {
    if parameters.count > 1 {
      parameters[1].value.scalars = .init(repeating: 1, count: parameters[1].value.count)
    }
  }
}

/// Each pixel's channels, or more of a photo, normalised by themselves: Keras's
/// `LayerNormalization`.
///
/// `gamma` and `beta` have the shape of the axes that are normalised together, the last ones.
package struct LayerNormalization: Layer {
  package static let className = "LayerNormalization"
  package let name: String
  package let epsilon: Double
  package let scales: Bool
  package let centers: Bool
  /// The last axes, normalised together.
  private let shape: [Int]
  package var parameters: [Parameter]

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    guard inputShapes.count == 1, !inputShapes[0].isEmpty else {
      throw .wrongInput(layer: configuration.name, expected: "one input", found: inputShapes)
    }
    try configuration.require("rms_scaling", [false])
    let rank = inputShapes[0].count
    let field = configuration.fields["axis"] ?? -1
    let axes = (field.int.map { [$0] } ?? field.array?.compactMap(\.int) ?? [])
      .map { $0 < 0 ? $0 + rank : $0 - 1 }.sorted()
    guard !axes.isEmpty, axes == Array(rank - axes.count..<rank) else {
      throw .unsupported("axis \(field)", layer: configuration.name)
    }
    name = configuration.name
    epsilon = configuration.fields["epsilon"]?.double ?? 1e-3
    scales = configuration.bool("scale", default: true)
    centers = configuration.bool("center", default: true)
    shape = Array(inputShapes[0].suffix(axes.count))
    let zeros = Tensor(zeros: shape)
    parameters =
      (scales ? [Parameter("gamma", zeros)] : []) + (centers ? [Parameter("beta", zeros)] : [])
  }

  package var configuration: [String: JSONValue] {
    [
      "name": .string(name), "epsilon": .number(epsilon), "center": .bool(centers),
      "scale": .bool(scales),
      "axis": shape.count == 1 ? -1 : .array((1...shape.count).reversed().map { .integer(-$0) }),
    ]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count == 1, Array(inputs[0].suffix(shape.count)) == shape else {
      throw .wrongInput(layer: name, expected: "an input that ends with \(shape)", found: inputs)
    }
    return inputs[0]
  }

  private var normalization: RowNormalization {
    let count = shape.reduce(1, *)
    return RowNormalization(
      scale: scales ? parameters[0].value.scalars : .init(repeating: 1, count: count),
      shift: centers
        ? parameters[scales ? 1 : 0].value.scalars : .init(repeating: 0, count: count),
      epsilon: Float(epsilon))
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    builder.rowNormalization(inputs[0], normalization, name: name)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    LayerOutput(normalization(inputs[0]))
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    let result = normalization.gradients(gradient, x: inputs[0])
    let parameters = (scales ? [result.scale] : []) + (centers ? [result.shift] : [])
    return LayerGradients(
      inputs: wanted.inputs ? [result.input] : [],
      parameters: wanted.parameters
        ? parameters.map { .stored(Tensor(shape: shape, scalars: $0)) } : [])
  }

  package mutating func initialize(random: inout SeededRandom) {
    for (index, parameter) in parameters.enumerated() {
      parameters[index].value.scalars = .init(
        repeating: parameter.name == "gamma" ? 1 : 0, count: parameter.value.count)
    }
  }
}
