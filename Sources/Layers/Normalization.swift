package import Compute

/// Normalisation by stored statistics: Keras's `BatchNormalization` outside of training.
///
/// `y = (x - moving_mean) / sqrt(moving_variance + epsilon) * gamma + beta`, channel by channel;
/// input `[n, ..., c]`, every parameter `[c]` (Ioffe and Szegedy 2015, arXiv:1502.03167).
///
/// Training runs on the stored statistics too and never changes them, as Keras's guide to transfer
/// learning advises (`training=False`); `gamma` and `beta` learn.
package struct BatchNormalization: Layer {
  package static let className = "BatchNormalization"
  package let name: String
  /// What is added to the variance; 1e-3 where Keras is not told.
  package let epsilon: Double
  /// Kept for files only: how slowly Keras moves the statistics.
  package let momentum: Double
  package let scales: Bool
  package let centers: Bool
  package var parameters: [Parameter]

  /// A layer for `channels` channels, its parameters zero; without `scales` there is no `gamma`,
  /// without `centers` no `beta`.
  package init(
    name: String, channels: Int, epsilon: Double = 1e-3, momentum: Double = 0.99,
    scales: Bool = true, centers: Bool = true
  ) {
    self.name = name
    self.epsilon = epsilon
    self.momentum = momentum
    self.scales = scales
    self.centers = centers
    let zeros = Tensor(zeros: [channels])
    parameters =
      (scales ? [Parameter("gamma", zeros)] : []) + (centers ? [Parameter("beta", zeros)] : [])
      + [
        Parameter("moving_mean", zeros, isTrainable: false),
        Parameter("moving_variance", zeros, isTrainable: false),
      ]
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    guard inputShapes.count == 1, let channels = inputShapes[0].last else {
      throw .wrongInput(
        layer: configuration.name, expected: "one input with channels", found: inputShapes)
    }
    let last = JSONValue.integer(inputShapes[0].count)
    try configuration.require("axis", [-1, last, .array([last])])
    self.init(
      name: configuration.name, channels: channels,
      epsilon: configuration.fields["epsilon"]?.double ?? 1e-3,
      momentum: configuration.fields["momentum"]?.double ?? 0.99,
      scales: configuration.bool("scale", default: true),
      centers: configuration.bool("center", default: true))
  }

  package var configuration: [String: JSONValue] {
    [
      "name": .string(name), "axis": -1, "momentum": .number(momentum),
      "epsilon": .number(epsilon), "center": .bool(centers), "scale": .bool(scales),
    ]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    let channels = mean.count
    guard inputs.count == 1, inputs[0].last == channels else {
      throw .wrongInput(layer: name, expected: "one input with \(channels) channels", found: inputs)
    }
    return inputs[0]
  }

  private var mean: [Float] { parameters[parameters.count - 2].value.scalars }

  /// The factors `1 / sqrt(moving_variance + epsilon)`.
  private var inverseDeviation: [Float] {
    parameters[parameters.count - 1].value.scalars.map { 1 / ($0 + Float(epsilon)).squareRoot() }
  }

  /// The layer as `x * scale + shift`.
  private var affine: (scale: [Float], shift: [Float]) {
    var scale = inverseDeviation
    if scales { scale = zip(scale, parameters[0].value.scalars).map { $0 * $1 } }
    let shift = zip(scale, mean).map { -$0 * $1 }
    guard centers else { return (scale, shift) }
    return (scale, zip(shift, parameters[scales ? 1 : 0].value.scalars).map { $0 + $1 })
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    let (scale, shift) = affine
    return builder.scaling(inputs[0], scale: scale, shift: shift, name: name)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    let (scale, shift) = affine
    return LayerOutput(channelAffine(inputs[0], scale: scale, shift: shift))
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    let scale = affine.scale
    let input =
      wanted.inputs
      ? [channelAffine(gradient, scale: scale, shift: scale.map { _ in 0 })] : []
    guard wanted.parameters else { return LayerGradients(inputs: input) }
    let (sums, products) = channelSums(gradient, x: inputs[0], mean: mean)
    let gamma = zip(products, inverseDeviation).map { $0 * $1 }
    return LayerGradients(
      inputs: input,
      parameters: ((scales ? [gamma] : []) + (centers ? [sums] : [])).map {
        .stored(Tensor(shape: [$0.count], scalars: $0))
      })
  }

  package mutating func initialize(random: inout SeededRandom) {
    for (index, parameter) in parameters.enumerated() {
      let isOne = parameter.name == "gamma" || parameter.name == "moving_variance"
      parameters[index].value.scalars = .init(
        repeating: isOne ? 1 : 0, count: parameter.value.count)
    }
  }
}
