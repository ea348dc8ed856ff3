import ArgumentParser
import Layers
import Training

/// How all commands that train do it, beside what differs between them by default.
struct LearningOptions: ParsableArguments {
  @OptionGroup(title: "Steps") var steps: StepOptions
  @OptionGroup(title: "The learning rate over time") var pace: PaceOptions
  @OptionGroup(title: "The loss and the weights") var loss: LossChoices

  /// The settings with all of this.
  ///
  /// - Parameter isValidated: whether there is something to validate on.
  func settings(
    _ plain: TrainingSettings, isValidated: Bool
  ) throws -> TrainingSettings {
    var settings = plain
    try steps.apply(to: &settings)
    loss.apply(to: &settings)
    settings.schedule = pace.schedule
    settings.plateau = pace.plateau
    settings.stopping = pace.stopping
    settings.monitor = pace.monitor
    if let monitor = pace.monitor, monitor.needsValidation, !isValidated {
      throw ValidationError("--monitor \(monitor.rawValue) needs --validation")
    }
    guard pace.warmUp <= Double(max(settings.epochs, 0)) else {
      throw ValidationError(
        "--warm-up must be 0 to the \(settings.epochs) epochs, found \(pace.warmUp)")
    }
    return settings
  }
}

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

/// How the learning rate changes, and when a run ends.
struct PaceOptions: ParsableArguments {
  @Option(help: "How the rate goes on from its highest value.")
  var learningRateSchedule = LearningRateSchedule.Shape.constant

  @Option(help: "Let the learning rate rise from 0 for so many epochs first.")
  var warmUp = 0.0

  @Option(help: "The factor of step and exponential; default: 0.1.")
  var decayFactor: Double?

  @Option(help: "In how many epochs that factor comes once; default: 10.")
  var decayEpochs: Double?

  @Option(help: ArgumentHelp("Lower the rate after n epochs without gain.", valueName: "n"))
  var reduceOnPlateau: Int?

  @Option(help: "The factor of --reduce-on-plateau.")
  var plateauFactor = 0.1

  @Option(help: "Epochs after a lower rate that do not count.")
  var plateauCooldown = 0

  @Option(help: "The rate below which --reduce-on-plateau does not go.")
  var minLearningRate = 0.0

  @Option(help: ArgumentHelp("End after n epochs without gain; keep the best.", valueName: "n"))
  var earlyStopping: Int?

  @Option(help: "What counts as gain; default: 0, with --reduce-on-plateau 1e-4.")
  var minDelta: Double?

  @Option(help: "What those two look at; default: val_loss, else loss.")
  var monitor: Monitor?

  var schedule: LearningRateSchedule {
    LearningRateSchedule(
      learningRateSchedule, warmUpEpochs: warmUp, factor: decayFactor, every: decayEpochs)
  }

  var plateau: PlateauRule? {
    reduceOnPlateau.map {
      PlateauRule(
        patience: $0, factor: plateauFactor, minimumDelta: minDelta ?? 1e-4,
        cooldown: plateauCooldown, minimumRate: minLearningRate)
    }
  }

  var stopping: StoppingRule? {
    earlyStopping.map { StoppingRule(patience: $0, minimumDelta: minDelta ?? 0) }
  }

  func validate() throws {
    try require(warmUp >= 0 && warmUp.isFinite, "warm-up", "0 or more", warmUp)
    let decays = [.step, .exponential].contains(learningRateSchedule)
    for (name, value) in [("decay-factor", decayFactor), ("decay-epochs", decayEpochs)] {
      guard let value else { continue }
      guard decays else {
        throw ValidationError("--\(name) needs --learning-rate-schedule step or exponential")
      }
      try require(value > 0 && value.isFinite, name, "above 0", value)
    }
    try require(
      plateauFactor > 0 && plateauFactor < 1, "plateau-factor", "above 0, below 1", plateauFactor)
    try require(reduceOnPlateau ?? 1 > 0, "reduce-on-plateau", "1 or more", reduceOnPlateau ?? 1)
    try require(plateauCooldown >= 0, "plateau-cooldown", "0 or more", plateauCooldown)
    try require(minLearningRate >= 0, "min-learning-rate", "0 or more", minLearningRate)
    try require(earlyStopping ?? 0 >= 0, "early-stopping", "0 or more", earlyStopping ?? 0)
    try require(minDelta ?? 0 >= 0, "min-delta", "0 or more", minDelta ?? 0)
  }
}

/// What is learned, and how weights are kept in bounds.
struct LossChoices: ParsableArguments {
  @Option(help: "Spread so large a share of each label over all classes.")
  var labelSmoothing: Float = 0

  @Option(help: ArgumentHelp("Focal loss with this gamma (Keras: 2).", valueName: "gamma"))
  var focal: Double?

  @Option(help: "The factor of the focal loss for more than two classes.")
  var focalAlpha = 0.25

  @Option(help: "What classes count: balanced, or cats=2,dogs=1.")
  var classWeight: ClassWeightList?

  @Option(help: "Add so much of the squares of the head's kernels to the loss.")
  var l2: Float = 0

  @Option(help: "Evaluate and write the average of the weights: 0.99, 0.999.")
  var ema: Float?

  func apply(to settings: inout TrainingSettings) {
    settings.labelSmoothing = labelSmoothing
    settings.focal = focalLoss
    settings.classWeighting = classWeight?.weighting
    settings.l2 = l2
    settings.averaging = ema
  }

  private var focalLoss: FocalLoss? { focal.map { FocalLoss(gamma: $0, alpha: focalAlpha) } }

  func validate() throws {
    try require(
      labelSmoothing >= 0 && labelSmoothing < 1, "label-smoothing", "at least 0 and below 1",
      labelSmoothing)
    try require(focal ?? 0 >= 0 && focal?.isFinite != false, "focal", "0 or more", focal ?? 0)
    try require(focalAlpha > 0 && focalAlpha.isFinite, "focal-alpha", "above 0", focalAlpha)
    try require(l2 >= 0 && l2.isFinite, "l2", "0 or more", l2)
    if let ema { try require(ema > 0 && ema < 1, "ema", "above 0, below 1", ema) }
  }
}

/// Throws where an option's value is out of its range.
private func require<Value>(
  _ isRight: Bool, _ name: String, _ range: String, _ value: Value
) throws {
  guard isRight else { throw ValidationError("--\(name) must be \(range), found \(value)") }
}

/// Layers with numbers, written `block5=0.1,block4=0.03`.
struct PartScales: ExpressibleByArgument {
  let scales: [PartRates.Scale]

  init?(argument: String) {
    guard let pairs = numbers(argument), pairs.allSatisfy({ $0.value > 0 }) else { return nil }
    scales = pairs.map { .init(LayerSelection($0.name), Float($0.value)) }
  }
}

/// `balanced`, or classes with numbers, written `cats=2,dogs=1`.
struct ClassWeightList: ExpressibleByArgument {
  let weighting: ClassWeighting

  init?(argument: String) {
    if argument == "balanced" {
      weighting = .balanced
      return
    }
    guard let pairs = numbers(argument), pairs.allSatisfy({ $0.value >= 0 }) else { return nil }
    weighting = .given(
      Dictionary(pairs.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }))
  }
}

private func numbers(_ text: String) -> [(name: String, value: Double)]? {
  var pairs: [(String, Double)] = []
  for part in text.split(separator: ",", omittingEmptySubsequences: false) {
    guard let equals = part.lastIndex(of: "="), equals != part.startIndex,
      let value = Double(part[part.index(after: equals)...]), value.isFinite
    else { return nil }
    let name = part[..<equals].drop { $0 == " " }
    pairs.append((String(name), value))
  }
  return pairs
}

extension LearningRateSchedule.Shape: ExpressibleByArgument {}
extension Monitor: ExpressibleByArgument {}
extension KernelInitializer: ExpressibleByArgument {}
