import Architectures
import ArgumentParser
import Images
import Layers
import Training

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a network by name from random weights.",
    discussion: """
      Networks: small-convnet (the book's, section 5.2), lenet-5, and tl-mini, whose weights below \
      the classifier --base-output also writes alone, for `tl extract-features --base FILE`. \
      Training from nothing needs many photos; with few, start from a base instead. \
      --epochs 0 writes the random network.
      """)

  @Argument(help: "The data folder.", completion: .directory)
  var data: String

  @Option(help: "A data folder to validate on after every epoch.", completion: .directory)
  var validation: String?

  @Option(help: "The network's name.")
  var network: NewNetwork

  @Option(
    help: "Write the model to this FILE too (.h5).", completion: .file(extensions: ["h5"]))
  var output: String?

  @Option(
    help: "Also write the base alone, in float16, to this FILE (.h5).",
    completion: .file(extensions: ["h5"]))
  var baseOutput: String?

  @Option(
    help: "Go on from a model FILE of the same network and classes.",
    completion: .file(extensions: ["h5"]))
  var start: String?

  @Option(
    help: "Also learn to predict another base's features of the same photos, of FILE.",
    completion: .file(extensions: ["h5"]))
  var teacher: String?

  @OptionGroup var training: NewTrainingOptions
  @OptionGroup var freezing: FreezingOptions
  @Option(help: "What batch normalisation goes by; train: each batch, as Keras's fit.")
  var batchNorm = BatchNormChoice.stored

  @OptionGroup var learning: LearningOptions
  @OptionGroup(title: "Random changes of photos") var augmentation: AugmentationOptions
  @OptionGroup(title: "Photos") var photos: PhotoOptions
  @OptionGroup var pass: PassOptions
  @OptionGroup var place: RunOptions
  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    _ = try settings()
    try place.requireOneSeed(for: [("output", output), ("base-output", baseOutput)])
    guard baseOutput == nil || network.base != nil else {
      throw ValidationError(
        "--base-output needs a network that is a base (tl-mini), found '\(network.rawValue)'")
    }
    if let output, baseOutput == output {
      throw ValidationError("--output and --base-output name the same file, '\(output)'")
    }
  }

  private func settings() throws -> TrainingSettings {
    var settings = try learning.settings(training.settings(), isValidated: validation != nil)
    settings.l2CoversBase = true
    settings.usesBatchStatistics = batchNorm == .train
    return settings
  }

  func run() throws {
    let console = options.console
    if try place.runSeeds(first: training.seed, console) { return }
    let folder = try listed(labelled: data, excluding: pass.exclude, console)
    let validating = try validation.map {
      try listed(labelled: $0, excluding: pass.exclude, console)
    }
    let inputs = [teacher, start].compactMap { $0 }
    try place.check(output: output, inputs: inputs)
    if let baseOutput { try OutputPlace.check(baseOutput, inputs: inputs) }
    try requireSameClasses(folder, data, validating, validation)
    guard folder.classNames.count >= 2 else {
      throw TrainingError.tooFewClasses(data, found: folder.classNames)
    }
    let model = try fresh(folder.classNames)
    let teacher = try teacher.map { try Teacher($0) }
    let settings = try settings()
    announce(model, settings, teacher, console)
    let tuning = try tuning(model, settings, teacher)
    let finished = try place.record(
      RunRecord(
        command: "train", data: data, validation: validation, classNames: folder.classNames),
      output: output, chosen: model.chosenOptions + [("dropout", "\(dropout)")], console
    ) { run, keeper in
      let result = try tuning.run(
        folder, validation: validating, showingOn: console, keeping: (run, keeper))
      return RunOutcome(
        model: result.model, frozen: result.proof.sentence, photoWait: result.photoWait,
        predictions: result.predictions)
    }
    if let baseOutput {
      try finished.outcome.model.saveBase(baseOutput)
      console.note("wrote \(baseOutput): the base alone, in float16")
    }
    reportResult(finished.outcome.model, console)
    try place.say(finished, console)
  }

  private var dropout: Double { training.dropout ?? network.dropout }

  private func tuning(
    _ model: ClassifierModel, _ settings: TrainingSettings, _ teacher: Teacher?
  ) throws -> FineTuning {
    try named(network.rawValue) {
      try FineTuning(
        model: model, trained: freezing.layers(), settings: settings,
        photosAtOnce: training.batchSize, isStrict: pass.strict, cacheLimit: 4_000_000_000,
        augmentation: augmentation.ranges.map { AugmentationPlan(ranges: $0) }, teacher: teacher,
        command: "train")
    }
  }

  private func fresh(_ classNames: [String]) throws -> ClassifierModel {
    let size = photos.givenSize ?? ImageSize(network.inputSize)
    let loader = PhotoLoader(
      size, photos.scaling,
      preprocessing: photos.preprocess ?? Preprocessing(rawValue: network.preprocessing)
        ?? .rescale, pixelLimit: pass.limits.pixelLimit)
    var model = try named(network.rawValue) {
      try ClassifierModel(
        new: network, classNames: classNames, dropout: training.dropout, loader: loader,
        seed: training.seed)
    }
    if let start { try model.takeWeights(of: ClassifierModel.load(start), from: start) }
    return model
  }

  private func announce(
    _ model: ClassifierModel, _ settings: TrainingSettings, _ teacher: Teacher?, _ console: Console
  ) {
    console.note(
      "network: \(network.rawValue), \(grouped(model.network.parameterCount)) parameters "
        + (start.map { "from \($0)" } ?? "drawn with seed \(training.seed)"))
    console.note("photos: \(model.loader.summary)")
    if let ranges = augmentation.ranges {
      console.note("photos are changed at random in every epoch: \(ranges.summary)")
    }
    console.note("training: \(settings.summary)")
    noteWatching(settings, isValidated: validation != nil, console)
    if let teacher {
      console.note("teacher: \(teacher.width) features of \(teacher.name) from \(teacher.path)")
    }
  }
}

extension NewNetwork: ExpressibleByArgument {}
