import Architectures
import ArgumentParser
import Foundation
import Training

struct TrainHead: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train-head",
    abstract: "Train a small dense classifier on stored features.",
    discussion: """
      The model file holds the base and the head together: Keras opens it, and so do \
      `tl predict` and `tl fine-tune --model`.
      """)

  @Argument(
    help: "The feature FILE to learn from.", completion: .file(extensions: ["h5"]))
  var features: String

  @Option(
    help: "A feature FILE to validate on after every epoch.",
    completion: .file(extensions: ["h5"]))
  var validation: String?

  @Option(
    help: "Write the model to this FILE too (.h5).", completion: .file(extensions: ["h5"]))
  var output: String?

  @Option(
    help: "The base's weights, if they moved since the features were made.",
    completion: .baseFile)
  var base: String?

  @OptionGroup var kernels: KernelOptions
  @OptionGroup var head: HeadOptions

  @Option(help: "How often all features are gone through.")
  var epochs = 30

  @Option(help: "How many photos make one step.")
  var batchSize = 20

  @Option(help: "The optimizer, with Keras's defaults.")
  var optimizer = OptimizerName(.rmsprop())

  @Option(help: "The optimizer's learning rate; default: what suits the base (VGG: 2e-5).")
  var learningRate: Float?

  @Option(help: "The seed of initial weights, order and dropout.")
  var seed: UInt64 = 0

  @OptionGroup var learning: LearningOptions
  @OptionGroup var place: RunOptions
  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    _ = try settings(WeightDefaults())
    try place.requireOneSeed(for: [("output", output)])
  }

  private func settings(_ defaults: WeightDefaults) throws -> TrainingSettings {
    let plain = try trainingSettings(
      epochs: epochs, batchSize: batchSize, optimizer: optimizer,
      learningRate: learningRate ?? defaults.headLearningRate, seed: seed)
    return try learning.settings(plain, isValidated: validation != nil)
  }

  func run() throws {
    let console = options.console
    if try place.runSeeds(first: seed, console) { return }
    try place.check(
      output: output, inputs: [features, validation, base].compactMap { $0 })
    let stored = try FeatureFile(features)
    let training = try HeadTraining(
      features: stored, validation: validation.map { try FeatureFile($0) },
      head: head.plan, settings: settings(Architectures.defaults(ofBase: stored.source.base)))
    if training.sharedPhotos > 0 {
      console.warning("\(training.sharedPhotos) photos are in both files: validation is too good")
    }
    let source = training.features.source
    guard base != nil || FileManager.default.fileExists(atPath: source.baseFile) else {
      throw TrainingError.baseGone(source.baseFile, features: features)
    }
    if let output { try OutputPlace.check(output, inputs: [source.baseFile]) }
    // The fingerprint tells whether it is the same base, which may have lacked tensors.
    let loaded = try BaseLoader.load(
      base.map { try baseFile($0, console) } ?? source.baseFile, height: source.loader.height,
      width: source.loader.width,
      layer: source.layer, allowPartial: true, kernelOrder: kernels.kernelOrder,
      fingerprint: source.baseFingerprint)
    for note in loaded.report.notes { console.note(note) }
    if learningRate == nil {
      console.note("learning rate: \(training.settings.learningRate), which suits \(loaded.name)")
    }
    noteLearning(training.settings, isValidated: validation != nil, console)
    let progress = EpochProgress(console)
    let finished = try place.record(
      RunRecord(
        command: "train-head", data: features, validation: validation,
        classNames: training.features.classNames), output: output,
      chosen: [("learning-rate", "\(training.settings.learningRate)"), ("base", loaded.path)],
      console
    ) { run, keeper in
      let model = try training.run(
        base: loaded.network.pooled(source.pooling), baseDescription: loaded.summary,
        keeper: keeper
      ) { event in
        try Interrupt.check()
        try progress.show(event)
        try run.add(event)
      }
      return RunOutcome(
        model: model, frozen: model.history.last?.proof, photoWait: nil,
        predictions: try training.validationPredictions(of: model))
    }
    reportResult(finished.outcome.model, console)
    try place.say(finished, console)
  }
}
