import ArgumentParser
import Layers
import Training

/// The optimizer's name on the command line.
struct OptimizerName: ExpressibleByArgument, CustomStringConvertible {
  let rule: Optimizer.Rule

  init?(argument: String) {
    guard let rule = Optimizer.Rule(name: argument) else { return nil }
    self.rule = rule
  }

  init(_ rule: Optimizer.Rule) { self.rule = rule }

  var description: String { rule.name }
  static var allValueStrings: [String] { Optimizer.Rule.names }
  static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }
}

/// The head on top of a base.
struct HeadOptions: ParsableArguments {
  @Option(help: "Units of the hidden layer; 0 for none.")
  var hidden = 256

  @Option(help: "The share of hidden units dropped while training, below 1.")
  var dropout = 0.5

  @Option(help: "How its kernels are drawn.")
  var initializer = KernelInitializer.glorotUniform

  var plan: HeadPlan { HeadPlan(hidden: hidden, dropout: dropout, initializer: initializer) }

  func validate() throws {
    guard hidden >= 0 else {
      throw ValidationError("--hidden must be 0 or more, found \(hidden)")
    }
    guard dropout >= 0, dropout < 1 else {
      throw ValidationError("--dropout must be at least 0 and below 1, found \(dropout)")
    }
  }
}

/// Checks what all training commands share.
///
/// - Parameter prefix: what the options' names begin with, such as `head-`.
func trainingSettings(
  _ prefix: String = "", epochs: Int, atLeast leastEpochs: Int = 1, batchSize: Int,
  optimizer: OptimizerName, learningRate: Float, seed: UInt64
) throws -> TrainingSettings {
  guard epochs >= leastEpochs else {
    throw ValidationError("--\(prefix)epochs must be \(leastEpochs) or more, found \(epochs)")
  }
  guard batchSize > 0 else {
    throw ValidationError("--batch-size must be 1 or more, found \(batchSize)")
  }
  guard learningRate > 0, learningRate.isFinite else {
    throw ValidationError("--\(prefix)learning-rate must be above 0, found \(learningRate)")
  }
  return TrainingSettings(
    epochs: epochs, batchSize: batchSize, rule: optimizer.rule, learningRate: learningRate,
    seed: seed)
}

/// Says what a run gave besides its epochs: whose weights it has, and the proof of freezing.
func reportResult(_ model: ClassifierModel, _ console: Console) {
  guard let run = model.history.last else { return }
  if let best = run.bestEpoch {
    let end = run.stoppedEarly == true ? ", after which nothing got better" : ""
    console.note("the weights are those of epoch \(best), the best of \(run.epochs.count)\(end)")
  }
  if run.averaging != nil { console.note("the weights are averages over the steps (--ema)") }
  console.note("freeze: \(run.proof)")
  if let digest = run.frozenDigest {
    console.note("frozen tensors: sha256 \(digest.prefix(16)) before and after")
  }
}

/// Says how it is learned, where that is not what the book does.
func noteLearning(_ settings: TrainingSettings, isValidated: Bool, _ console: Console) {
  let isPlain = settings.schedule == LearningRateSchedule() && settings.labelSmoothing == 0
  if !isPlain || settings.rareSummary != nil { console.note("training: \(settings.summary)") }
  noteWatching(settings, isValidated: isValidated, console)
}

/// Says what is looked at where it is not what one would think.
func noteWatching(_ settings: TrainingSettings, isValidated: Bool, _ console: Console) {
  guard settings.stopping != nil || settings.plateau != nil, settings.monitor == nil, !isValidated
  else { return }
  console.note("no --validation: what counts is the loss of the training")
}
