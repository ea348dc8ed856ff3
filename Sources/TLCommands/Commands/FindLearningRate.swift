import Architectures
import ArgumentParser
import Images
import Layers
import Training

struct FindLearningRate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "find-learning-rate",
    abstract: "Try ever higher learning rates, and suggest one.",
    discussion: """
      A learning rate range test (Smith 2017): each step of a short training has a higher rate \
      than the one before, until the loss grows. Where the loss falls fastest is a good rate. What \
      is trained is thrown away. With --model it is the rate for `tl fine-tune`, with --base that \
      for a new head. Photos are not changed at random.
      """)

  @Argument(help: "The data folder.", completion: .directory)
  var data: String

  @Option(
    help: "A Keras weights FILE, or a base's name: mini (default), vgg16, ...",
    completion: .baseFile)
  var base: String?

  @OptionGroup var kernels: KernelOptions

  @Option(help: "A trained model FILE to go on from.", completion: .modelFile)
  var model: String?

  @OptionGroup var freezing: FreezingOptions

  @Option(help: "The lowest rate to try.")
  var from = 1e-7

  @Option(help: "The highest rate to try.")
  var to = 1.0

  @Option(help: "How many rates to try.")
  var steps = 100

  @Option(help: "How many photos make one step.")
  var batchSize = 20

  @Option(help: "The optimizer, with Keras's defaults.")
  var optimizer = OptimizerName(.rmsprop())

  @Option(help: "The seed of order, dropout and, without --model, the head.")
  var seed: UInt64 = 0

  @Option(
    help: "A PNG FILE for the curve of the loss over the rate.",
    completion: .file(extensions: ["png"]))
  var output: String?

  @Flag(help: "Print JSON instead of a table.")
  var json = false

  @OptionGroup(title: "Steps") var learning: StepOptions
  @OptionGroup(title: "The loss and the weights") var loss: LossChoices
  @OptionGroup(title: "Photos") var photos: PhotoOptions
  @OptionGroup(title: "Without --model") var head: HeadOptions
  @OptionGroup var pass: PassOptions
  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    guard base == nil || model == nil else {
      throw ValidationError("give either --model (a trained model) or --base (a base alone)")
    }
    guard from > 0, to > from, to.isFinite, from >= 1e-30 else {
      throw ValidationError("--from must be above 0 and below --to, found \(from) and \(to)")
    }
    guard (20...100_000).contains(steps) else {
      throw ValidationError("--steps must be 20 to 100000, found \(steps)")
    }
    _ = try settings()
  }

  private func settings() throws -> TrainingSettings {
    var settings = try trainingSettings(
      epochs: 1, batchSize: batchSize, optimizer: optimizer, learningRate: 1e-3, seed: seed)
    try learning.apply(to: &settings)
    loss.apply(to: &settings)
    return settings
  }

  func run() throws {
    let console = options.console
    let folder = try listed(labelled: data, excluding: pass.exclude, console)
    if let output { try OutputPlace.check(output, inputs: [model].compactMap { $0 }) }
    guard folder.classNames.count >= 2 else {
      throw TrainingError.tooFewClasses(data, found: folder.classNames)
    }
    let start =
      try model.map { try startingModel($0, folder, data, photos, pass, console) }
      ?? withFreshHead(folder.classNames, console)
    var layers = try freezing.layers()
    if !freezing.isGiven { layers.unfreeze = LayerSelection("none") }
    let tuning = try named(model ?? base ?? "mini") {
      try FineTuning(
        model: start, trained: layers, settings: settings(), photosAtOnce: 20,
        isStrict: pass.strict, cacheLimit: 4_000_000_000)
    }
    console.note("training \(tuning.stages[0].trainedParts.joined(separator: ", "))")
    let curve = try tuning.search(
      folder, RateSearch(lowest: from, highest: to, steps: steps), showingOn: console)
    if let output { try PictureOutput.write(curve.chart.image(), to: output) }
    if json {
      try console.write(JSONText.encode(RateReport(curve), isPretty: true) + "\n")
    } else {
      try console.result(curve.table)
      try console.result(curve.verdict)
    }
    if let output { console.note("wrote \(output)") }
  }

  private func withFreshHead(
    _ classNames: [String], _ console: Console
  ) throws -> ClassifierModel {
    let loaded = try loadedBase(
      BaseOptions.parse((base.map { ["--base", $0] } ?? []) + kernels.arguments), photos,
      layer: nil, console)
    let loader = try photos.loader(for: loaded, pass.limits)
    console.note("photos: \(loader.summary)")
    return try ClassifierModel(
      base: loaded, head: head.plan, classNames: classNames, loader: loader, seed: seed)
  }
}

extension FineTuning {
  /// Looks for a rate, with progress.
  fileprivate func search(
    _ folder: PhotoFolder, _ search: RateSearch, showingOn console: Console
  ) throws -> RateCurve {
    var prefix: Progress?
    let rates = Progress(
      title: "rates", total: search.steps, unit: "steps", console: console)
    let curve = try findLearningRate(folder, search) { event in
      try Interrupt.check()
      switch event {
      case .stage(_, _, _, let caching):
        prefix = Progress(
          title: "photos", total: caching.total, unit: "photos", console: console)
      case .prefix(let done, let total):
        prefix?.advance(to: done)
        if done == total { prefix?.finish() }
      case .uncached(let reason): console.warning("\(reason); the frozen part runs at every step")
      case .examined(let tally, _, _): report(tally, console)
      case .training(.batch(_, let done, _, let loss, _)):
        rates.advance(to: done, note: "loss \(decimal(loss, 4))")
      default: break
      }
    }
    rates.finish()
    return curve
  }
}
