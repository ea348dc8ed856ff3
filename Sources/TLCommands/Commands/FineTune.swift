import Architectures
import ArgumentParser
import Compute
import Images
import Layers
import Training

struct FineTune: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fine-tune",
    abstract: "Train the unfrozen top of a base together with its head.",
    discussion: """
      Give the model of `tl train-head` with --model; with --base or neither a head is trained \
      first. What lies below the lowest unfrozen layer runs once; its outputs are kept in a file \
      without a name in the run's folder, if they fit into --cache-limit and the disk. With \
      --augment or a range of changes it runs in every epoch, on newly changed photos; \
      --augment-views makes a number of views once instead. Validation photos are never changed.

      --unfreeze, then --freeze: a layer's name, a block or prefix (block5, conv5_block3), a glob \
      (block*_conv1), from:block4_conv1 (it and all after it), last:4 (as Keras's \
      base.layers[-4:]), head, all, none; several with commas. The head is trained too unless it is \
      frozen by name.

      --schedule "head:5, block5:10, block4:10" trains the head for 5 epochs, then block5 too, \
      then block4 too; what the optimizer remembers of the others is kept. --scale \
      block5=0.1,block4=0.03 gives them smaller steps.
      """)

  @Argument(help: "The data folder.", completion: .directory)
  var data: String

  @Option(help: "A data folder to validate on after every epoch.", completion: .directory)
  var validation: String?

  @Option(
    help: "A Keras weights FILE, or a base's name: mini (default), vgg16, ...",
    completion: .baseFile)
  var base: String?

  @Flag(help: "Accept a base file that lacks some of its tensors.")
  var allowPartial = false

  @OptionGroup var kernels: KernelOptions

  @Option(help: "A trained model FILE to go on from.", completion: .modelFile)
  var model: String?

  @OptionGroup var freezing: FreezingOptions

  @Option(help: "What unfrozen batch normalisation goes by; train: each batch, as Keras's fit.")
  var batchNorm = BatchNormChoice.stored

  @Option(
    help: ArgumentHelp(
      "Unfreeze step by step instead: what besides, for how many epochs.",
      valueName: "head:5,block5:10"))
  var schedule: String?

  @Option(
    help: "Write the model to this FILE too (.h5).", completion: .file(extensions: ["h5"]))
  var output: String?

  @Option(help: "How often all photos are gone through; default: 30.")
  var epochs: Int?

  @Option(help: "How many photos make one step.")
  var batchSize = 20

  @Option(help: "The optimizer, with Keras's defaults.")
  var optimizer = OptimizerName(.rmsprop())

  @Option(help: "The optimizer's learning rate; default: what suits the base (VGG: 1e-5).")
  var learningRate: Float?

  @Option(help: "The seed of order, dropout, random changes and, with --base, the head.")
  var seed: UInt64 = 0

  @Option(help: "Keep outputs of the frozen part on disk, up to so many MB.")
  var cacheLimit = 4000

  @OptionGroup var precision: PrecisionOptions

  @OptionGroup var learning: LearningOptions

  @OptionGroup(title: "Random changes of photos") var augmentation: AugmentationOptions

  @Option(help: ArgumentHelp("Make n views of each photo once, used in turn.", valueName: "n"))
  var augmentViews: Int?

  @OptionGroup(title: "With --base, or a model that does not say") var photos: PhotoOptions
  @OptionGroup(title: "With --base only") var head: HeadOptions

  @Option(
    help: ArgumentHelp(
      "Epochs of the head's own training; 0: none; default: 30, or 0 where --schedule begins with it.",
      valueName: "n"))
  var headEpochs: Int?

  @Option(help: "Learning rate of the head's own training; default: what suits the base.")
  var headLearningRate: Float?

  @OptionGroup var pass: PassOptions
  @OptionGroup var place: RunOptions
  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    try place.requireOneSeed(for: [("output", output)])
    guard base == nil || model == nil else {
      throw ValidationError("give either --model (a trained model) or --base (a base alone)")
    }
    guard augmentViews == nil || augmentation.ranges != nil else {
      throw ValidationError("--augment-views needs changes, such as --augment book")
    }
    guard (1...1000).contains(augmentViews ?? 1) else {
      throw ValidationError("--augment-views must be 1 to 1000, found \(augmentViews ?? 1)")
    }
    guard ownHeadEpochs > 0 || freezing.unfreeze == "none" || isHeadFirst else {
      throw ValidationError(
        "--head-epochs 0 needs --unfreeze none: a random head would spoil what it is trained with")
    }
    guard cacheLimit >= 0 else {
      throw ValidationError("--cache-limit must be 0 or more, found \(cacheLimit)")
    }
    guard schedule != nil || freezing.isGiven else {
      throw ValidationError(
        "say what to train: --unfreeze, --freeze or --schedule ('--unfreeze none': the head alone)")
    }
    guard schedule == nil || (freezing.unfreeze == nil && epochs == nil) else {
      throw ValidationError(
        "--schedule says what is unfrozen and for how long: leave out --unfreeze and --epochs")
    }
    _ = try (settings(WeightDefaults()), headSettings(WeightDefaults()), unfreezing())
  }

  private func unfreezing() throws -> UnfreezingSchedule? {
    do {
      return try schedule.map { try UnfreezingSchedule($0) }
    } catch let error as TrainingError {
      throw ValidationError(error.description)
    }
  }

  private func settings(_ defaults: WeightDefaults) throws -> TrainingSettings {
    let plain = try trainingSettings(
      epochs: unfreezing()?.epochs ?? epochs ?? 30, batchSize: batchSize, optimizer: optimizer,
      learningRate: learningRate ?? defaults.tuningLearningRate, seed: seed)
    var settings = try learning.settings(plain, isValidated: validation != nil)
    settings.usesBatchStatistics = batchNorm == .train
    return settings
  }

  /// Whether --schedule begins with the head alone.
  private var isHeadFirst: Bool { (try? unfreezing())?.steps.first?.name == "head" }

  private var ownHeadEpochs: Int { headEpochs ?? (isHeadFirst ? 0 : 30) }

  /// The head's own training has the loss and the steps of the rest, but one rate.
  private func headSettings(_ defaults: WeightDefaults) throws -> TrainingSettings {
    let plain = try trainingSettings(
      "head-", epochs: ownHeadEpochs, atLeast: 0, batchSize: batchSize, optimizer: optimizer,
      learningRate: headLearningRate ?? defaults.headLearningRate, seed: seed)
    var settings = try settings(defaults)
    (settings.epochs, settings.learningRate) = (plain.epochs, plain.learningRate)
    (settings.schedule, settings.plateau) = (LearningRateSchedule(), nil)
    settings.partRates = PartRates()
    return settings
  }

  func run() throws {
    let console = options.console
    if try place.runSeeds(first: seed, console) { return }
    let folder = try listed(labelled: data, excluding: pass.exclude, console)
    let validating = try validation.map {
      try listed(labelled: $0, excluding: pass.exclude, console)
    }
    try place.check(output: output)
    try requireSameClasses(folder, data, validating, validation)
    let precision = precision.chosen(console)
    var start =
      if let model {
        try startingModel(model, folder, data, photos, pass, console)
      } else {
        try fresh(folder, console)
      }
    start.precision = precision
    let settings = try settings(start.defaults)
    if learningRate == nil { console.note("learning rate: \(settings.learningRate)") }
    noteLearning(settings, isValidated: validation != nil, console)
    // Names that match nothing are noticed before anything long is done.
    _ = try tuning(start, settings)
    let finished = try place.record(
      RunRecord(
        command: "fine-tune", data: data, validation: validation, classNames: folder.classNames),
      output: output,
      chosen: start.chosenOptions + [("learning-rate", "\(settings.learningRate)")], console
    ) { run, keeper in
      let kept = (run, keeper)
      let handover = PrefixHandover()
      let trained = try withTrainedHead(
        start, folder, validating, kept, before: tuning(start, settings), handover, console)
      let result = try keepingHead(trained) {
        var tuning = try tuning(trained, settings)
        tuning.handover = handover
        return try tuning.run(
          folder, validation: validating, showingOn: console, keeping: kept,
          as: part(after: trained), cacheLimit: cacheLimit, changes: augmentation.ranges)
      }
      return RunOutcome(
        model: result.model, frozen: result.proof.sentence, photoWait: result.photoWait,
        predictions: result.predictions)
    }
    if let share = finished.outcome.photoWait {
      console.note("waiting for photos took \(decimal(share * 100, 1)) % of the training")
    }
    reportResult(finished.outcome.model, console)
    try place.say(finished, console)
  }

  /// Runs `body`; where it fails for numbers in its first epoch, the head's own training is not lost.
  private func keepingHead<R>(_ trained: ClassifierModel, _ body: () throws -> R) throws -> R {
    do {
      return try body()
    } catch let error as TrainingError {
      // A run that goes on past the head has its weights only in the checkpoint.
      guard model == nil, !place.resume, let broken = BrokenTraining(afterHead: trained, error)
      else {
        throw error
      }
      throw broken
    }
  }

  private func tuning(
    _ model: ClassifierModel, _ settings: TrainingSettings
  ) throws -> FineTuning {
    try named(self.model ?? base ?? "mini") {
      try FineTuning(
        model: model, trained: freezing.layers(), schedule: unfreezing(), settings: settings,
        photosAtOnce: 20, isStrict: pass.strict, cacheLimit: cacheLimit * 1_000_000,
        augmentation: augmentation.ranges.map {
          AugmentationPlan(ranges: $0, views: augmentViews)
        })
    }
  }

  /// A base with a random head.
  private func fresh(_ folder: PhotoFolder, _ console: Console) throws -> ClassifierModel {
    let options = try BaseOptions.parse(
      (base.map { ["--base", $0] } ?? []) + (allowPartial ? ["--allow-partial"] : [])
        + kernels.arguments)
    let loaded = try loadedBase(options, photos, layer: nil, console)
    if let output { try OutputPlace.check(output, inputs: [loaded.path]) }
    let loader = try photos.loader(for: loaded, pass.limits)
    console.note("photos: \(loader.summary)")
    guard folder.classNames.count >= 2 else {
      throw TrainingError.tooFewClasses(data, found: folder.classNames)
    }
    return try ClassifierModel(
      base: loaded, head: head.plan, classNames: folder.classNames, loader: loader, seed: seed)
  }

  /// The model with its head trained by itself where it is new, as fine-tuning must not start from
  /// a random one; what the tuning after it starts from is kept on the way.
  private func withTrainedHead(
    _ start: ClassifierModel, _ folder: PhotoFolder, _ validating: PhotoFolder?,
    _ kept: (run: RunFolder, keeper: RunKeeper), before next: FineTuning,
    _ handover: PrefixHandover, _ console: Console
  ) throws -> ClassifierModel {
    guard model == nil else { return start }
    guard ownHeadEpochs > 0 else {
      let why = isHeadFirst ? "--schedule trains it" : "--head-epochs 0"
      console.note("the head starts from random weights (\(why))")
      return start
    }
    var tuning = try FineTuning(
      model: start, trained: TrainableLayers(unfreeze: LayerSelection("none")),
      settings: headSettings(start.defaults), photosAtOnce: 20, isStrict: pass.strict,
      cacheLimit: cacheLimit * 1_000_000)
    tuning.handover = handover
    if augmentation.ranges == nil { tuning.following = next.stages }
    if let trained = tuning.skippingFinished(kept.keeper) { return trained }
    console.note(
      "no trained head was given: training one first, \(ownHeadEpochs) "
        + "epoch\(ownHeadEpochs == 1 ? "" : "s") with all of the base frozen"
        + (augmentation.ranges == nil ? "" : ", on unchanged photos"))
    return try tuning.run(
      folder, validation: validating, showingOn: console, keeping: kept,
      as: RunPart(stage: "head"), isReporting: false
    ).model
  }

  /// The tuning in the history of a run that may have begun with the head's own training.
  private func part(after trained: ClassifierModel) -> RunPart {
    guard model == nil, ownHeadEpochs > 0 else { return RunPart() }
    let unfrozen = freezing.unfreeze.flatMap { $0 == "none" ? nil : $0 }
    return RunPart(
      earlier: trained.history.last?.epochs.count ?? 0, stage: unfrozen ?? "fine-tune")
  }
}
