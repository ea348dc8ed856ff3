import ArgumentParser
import Training

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

extension LearningRateSchedule.Shape: ExpressibleByArgument {}
extension Monitor: ExpressibleByArgument {}
