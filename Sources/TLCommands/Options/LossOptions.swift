import ArgumentParser
import Layers
import Training

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

  @Option(help: "Add so much of squared kernels to the loss: the head's; tl train: all.")
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

extension KernelInitializer: ExpressibleByArgument {}
