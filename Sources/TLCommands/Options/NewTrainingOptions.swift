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

  @Option(help: "What is dropped before the classifier; default: the network's own.")
  var dropout: Double?

  @Option(help: "The seed of weights, order, dropout and random changes.")
  var seed: UInt64 = 0

  func settings() throws -> TrainingSettings {
    try trainingSettings(
      epochs: epochs, atLeast: 0, batchSize: batchSize, optimizer: optimizer,
      learningRate: learningRate, seed: seed)
  }

  func validate() throws {
    if let dropout, !(dropout >= 0 && dropout < 1) {
      throw ValidationError("--dropout must be at least 0 and below 1, found \(dropout)")
    }
  }
}
