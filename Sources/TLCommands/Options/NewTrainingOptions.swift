import ArgumentParser
import Training

/// How a network is trained from random weights.
struct NewTrainingOptions: ParsableArguments {
  @Option(help: "How often all photos are gone through.")
  var epochs = 30

  @Option(help: "How many photos make one step.")
  var batchSize = 32

  @Option(help: "The optimizer, with Keras's defaults.")
  var optimizer = OptimizerName(.adam())

  @Option(help: "The optimizer's learning rate, its highest with a schedule.")
  var learningRate: Float = 1e-3

  @Option(help: "How the learning rate goes on: as it is, or down to 0.")
  var schedule = LearningRateSchedule.Shape.constant

  @Option(help: "Let the learning rate rise from 0 for so many epochs first.")
  var warmUp = 0.0

  @Option(help: "Spread so large a share of each label over all classes.")
  var labelSmoothing: Float = 0

  @Option(help: "What is dropped before the classifier; default: the network's own.")
  var dropout: Double?

  @Option(help: "The seed of weights, order, dropout and random changes.")
  var seed: UInt64 = 0

  func settings() throws -> TrainingSettings {
    var settings = try trainingSettings(
      epochs: epochs, atLeast: 0, batchSize: batchSize, optimizer: optimizer,
      learningRate: learningRate, seed: seed)
    settings.schedule = LearningRateSchedule(schedule, warmUpEpochs: warmUp)
    settings.labelSmoothing = labelSmoothing
    return settings
  }

  func validate() throws {
    guard warmUp >= 0, warmUp <= Double(max(epochs, 0)) else {
      throw ValidationError("--warm-up must be 0 to the \(epochs) epochs, found \(warmUp)")
    }
    guard labelSmoothing >= 0, labelSmoothing < 1 else {
      throw ValidationError(
        "--label-smoothing must be at least 0 and below 1, found \(labelSmoothing)")
    }
    if let dropout, !(dropout >= 0 && dropout < 1) {
      throw ValidationError("--dropout must be at least 0 and below 1, found \(dropout)")
    }
  }

  /// Such as `adam at 0.001, cosine after 2 epochs of warm-up, label smoothing 0.1`.
  var summary: String {
    var parts = ["\(optimizer.rule.name) at \(learningRate)"]
    let warming = warmUp > 0 ? " after \(short(warmUp)) epochs of warm-up" : ""
    if schedule != .constant || warmUp > 0 { parts.append(schedule.rawValue + warming) }
    if labelSmoothing > 0 { parts.append("label smoothing \(labelSmoothing)") }
    return parts.joined(separator: ", ")
  }

  private func short(_ value: Double) -> String {
    value == value.rounded() ? decimal(value, 0) : "\(value)"
  }
}

extension LearningRateSchedule.Shape: ExpressibleByArgument {}
