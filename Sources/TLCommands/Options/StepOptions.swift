import ArgumentParser
import Layers
import Training

/// What becomes of gradients.
struct StepOptions: ParsableArguments {
  @Option(help: "Momentum of sgd or rmsprop; default: 0.")
  var momentum: Float?

  @Flag(help: "Let sgd's momentum look ahead (Nesterov).")
  var nesterov = false

  @Option(help: "Shrink weights by so much of the rate in a step; default: adamw 0.004.")
  var weightDecay: Float?

  @Option(help: "Shrink each tensor's gradient to this norm.")
  var clipnorm: Float?

  @Option(help: "Shrink all gradients together to this norm.")
  var globalClipnorm: Float?

  @Option(help: "Bring each number of the gradients to within this of 0.")
  var clipvalue: Float?

  @Option(help: "Factors of the rate of layers: block5=0.1,block4=0.03.")
  var scale: PartScales?

  @Option(help: "The factor of the rate from each layer of the base to the one below.")
  var layerDecay: Float = 1

  var partRates: PartRates { PartRates(scales: scale?.scales ?? [], layerDecay: layerDecay) }

  var clipping: GradientClipping? {
    clipnorm.map { .norm($0) } ?? globalClipnorm.map { .globalNorm($0) }
      ?? clipvalue.map { .value($0) }
  }

  func apply(to settings: inout TrainingSettings) throws {
    settings.rule = try rule(settings.rule)
    settings.weightDecay = weightDecay
    settings.clipping = clipping
    settings.partRates = partRates
  }

  /// The rule with its momentum.
  private func rule(_ plain: Optimizer.Rule) throws -> Optimizer.Rule {
    switch plain {
    case .sgd: return .sgd(momentum: momentum ?? 0, nesterov: nesterov)
    case .rmsprop where !nesterov: return .rmsprop(momentum: momentum ?? 0)
    default:
      guard momentum == nil, !nesterov else {
        let flag = nesterov ? "--nesterov" : "--momentum"
        throw ValidationError(
          "\(flag) needs --optimizer sgd\(nesterov ? "" : " or rmsprop"), found \(plain.name)")
      }
      return plain
    }
  }

  func validate() throws {
    if let momentum {
      try require(momentum >= 0 && momentum < 1, "momentum", "at least 0 and below 1", momentum)
    }
    if nesterov, momentum ?? 0 == 0 { throw ValidationError("--nesterov needs a --momentum") }
    if let weightDecay {
      try require(
        weightDecay >= 0 && weightDecay < 1, "weight-decay", "at least 0 and below 1", weightDecay)
    }
    for (name, value) in [
      ("clipnorm", clipnorm), ("global-clipnorm", globalClipnorm), ("clipvalue", clipvalue),
    ] {
      if let value { try require(value > 0 && value.isFinite, name, "above 0", value) }
    }
    guard [clipnorm, globalClipnorm, clipvalue].count(where: { $0 != nil }) <= 1 else {
      throw ValidationError("give one of --clipnorm, --global-clipnorm and --clipvalue")
    }
    try require(layerDecay > 0 && layerDecay <= 1, "layer-decay", "above 0, at most 1", layerDecay)
  }
}

/// Layers with numbers, written `block5=0.1,block4=0.03`.
struct PartScales: ExpressibleByArgument {
  let scales: [PartRates.Scale]

  init?(argument: String) {
    guard let pairs = numbers(argument), pairs.allSatisfy({ $0.value > 0 }) else { return nil }
    scales = pairs.map { .init(LayerSelection($0.name), Float($0.value)) }
  }
}
