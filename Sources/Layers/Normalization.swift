package import Compute

/// Normalisation by stored statistics: Keras's `BatchNormalization` outside of training.
///
/// `y = (x - moving_mean) / sqrt(moving_variance + epsilon) * gamma + beta`, channel by channel;
/// input `[n, ..., c]`, every parameter `[c]` (Ioffe and Szegedy 2015, arXiv:1502.03167).
///
/// Training runs on the stored statistics too and never changes them, as Keras's guide to transfer
/// learning advises (`training=False`); `gamma` and `beta` learn. With `usesBatchStatistics` it runs
/// on those of the batch, and the stored ones follow them, as in Keras's `fit`.
package struct BatchNormalization: Layer {
  package static let className = "BatchNormalization"
  package let name: String
  /// What is added to the variance; 1e-3 where Keras is not told.
  package let epsilon: Double
  /// How slowly the stored statistics follow those of batches.
  package let momentum: Double
  /// Whether training normalises by the batch's own statistics; never said in files.
  package var usesBatchStatistics = false
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
    try configuration.require("axis", [-1, last, [-1], .array([last])])
    try configuration.require("renorm", [false])
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
    guard usesBatchStatistics else {
      let (scale, shift) = affine
      return LayerOutput(channelAffine(inputs[0], scale: scale, shift: shift))
    }
    let batch = channelMoments(inputs[0])
    let (scale, shift) = withStatistics(batch.mean, batch.variance).affine
    return LayerOutput(
      channelAffine(inputs[0], scale: scale, shift: shift), kept: [batch.mean, batch.variance])
  }

  /// The same layer with other statistics.
  private func withStatistics(_ mean: Tensor, _ variance: Tensor) -> BatchNormalization {
    var result = self
    result.usesBatchStatistics = false
    result.parameters[parameters.count - 2].value = mean
    result.parameters[parameters.count - 1].value = variance
    return result
  }

  /// Moves the stored statistics towards those of a batch, whose variance is that of its numbers
  /// (divided by their count, as Keras 3 does).
  package mutating func follow(_ output: LayerOutput) {
    guard usesBatchStatistics, output.kept.count == 2 else { return }
    let (old, new) = (Float(momentum), Float(1 - momentum))
    for (index, batch) in zip(parameters.count - 2..<parameters.count, output.kept) {
      parameters[index].value.scalars = zip(parameters[index].value.scalars, batch.scalars).map {
        $0 * old + $1 * new
      }
    }
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    if usesBatchStatistics, output.kept.count == 2 {
      return withStatistics(output.kept[0], output.kept[1])
        .backward(throughStatistics: gradient, inputs: inputs, wanted: wanted)
    }
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

  /// The gradients where the statistics are those of the input itself:
  /// `dx = scale * (dy - mean(dy) - x_normal * mean(dy * x_normal))`.
  private func backward(
    throughStatistics gradient: Tensor, inputs: [Tensor], wanted: WantedGradients
  ) -> LayerGradients {
    let (sums, products) = channelSums(gradient, x: inputs[0], mean: mean)
    let factors = inverseDeviation
    let gammas = zip(products, factors).map { $0 * $1 }
    let count = Float(mean.isEmpty ? 1 : gradient.count / mean.count)
    let parameters = ((scales ? [gammas] : []) + (centers ? [sums] : [])).map {
      ParameterGradient.stored(Tensor(shape: [$0.count], scalars: $0))
    }
    guard wanted.inputs else { return LayerGradients(parameters: parameters) }
    let scale = affine.scale
    // dy * scale + x * slope + shift, channel by channel.
    let slope = mean.indices.map { -scale[$0] * factors[$0] * gammas[$0] / count }
    let shift = mean.indices.map { -scale[$0] * sums[$0] / count - slope[$0] * mean[$0] }
    var input = channelAffine(gradient, scale: scale, shift: shift)
    input.add(channelAffine(inputs[0], scale: slope, shift: slope.map { _ in 0 }))
    return LayerGradients(inputs: [input], parameters: wanted.parameters ? parameters : [])
  }

  package mutating func initialize(random: inout SeededRandom) {
    for (index, parameter) in parameters.enumerated() {
      let isOne = parameter.name == "gamma" || parameter.name == "moving_variance"
      parameters[index].value.scalars = .init(
        repeating: isOne ? 1 : 0, count: parameter.value.count)
    }
  }
}
