import Architectures
import ArgumentParser
import Compute
import Images
import Layers
import Training

struct FineTune: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train the unfrozen top of a base together with its head.",
    discussion: """
      Give the model of `tl train-head` with --model; with --base or neither a head is trained \
      first. What lies below the lowest unfrozen layer runs once, its outputs are kept. With \
      --augment or a range of changes it runs in every epoch, on newly changed photos; \
      --augment-views makes a number of views once instead. Validation photos are never changed.
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

  @Option(
    help: "A trained model FILE to go on from.", completion: .file(extensions: ["h5"]))
  var model: String?

  @Option(help: "Layers to train: names, blocks (block5), globs, a,b; all; none.")
  var unfreeze: String

  @Option(
    help: "Write the model to this FILE too (.h5).", completion: .file(extensions: ["h5"]))
  var output: String?

  @Option(help: "How often all photos are gone through.")
  var epochs = 30

  @Option(help: "How many photos make one step.")
  var batchSize = 20

  @Option(help: "The optimizer, with Keras's defaults.")
  var optimizer = OptimizerName(.rmsprop())

  @Option(help: "The optimizer's learning rate; default: what suits the base (VGG: 1e-5).")
  var learningRate: Float?

  @Option(help: "The seed of order, dropout, random changes and, with --base, the head.")
  var seed: UInt64 = 0

  @Option(help: "Keep outputs of the frozen part up to so many MB in memory.")
  var cacheLimit = 4000

  @OptionGroup var precision: PrecisionOptions

  @OptionGroup(title: "Random changes of photos") var augmentation: AugmentationOptions

  @Option(help: ArgumentHelp("Make n views of each photo once, used in turn.", valueName: "n"))
  var augmentViews: Int?

  @OptionGroup(title: "With --base, or a model that does not say") var photos: PhotoOptions
  @OptionGroup(title: "With --base only") var head: HeadOptions

  @Option(help: ArgumentHelp("Epochs of the head's own training; 0: none.", valueName: "n"))
  var headEpochs = 30

  @Option(help: "Learning rate of the head's own training; default: what suits the base.")
  var headLearningRate: Float?

  @OptionGroup var pass: PassOptions
  @OptionGroup var place: RunOptions
  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    guard base == nil || model == nil else {
      throw ValidationError("give either --model (a trained model) or --base (a base alone)")
    }
    guard augmentViews == nil || augmentation.ranges != nil else {
      throw ValidationError("--augment-views needs changes, such as --augment book")
    }
    guard (1...1000).contains(augmentViews ?? 1) else {
      throw ValidationError("--augment-views must be 1 to 1000, found \(augmentViews ?? 1)")
    }
    guard headEpochs != 0 || unfreeze == "none" else {
      throw ValidationError(
        "--head-epochs 0 needs --unfreeze none: a random head would spoil what it is trained with")
    }
    guard cacheLimit >= 0 else {
      throw ValidationError("--cache-limit must be 0 or more, found \(cacheLimit)")
    }
    _ = try (
      settings(WeightDefaults()), headSettings(WeightDefaults()), layerSelection(unfreeze)
    )
  }

  private func settings(_ defaults: WeightDefaults) throws -> TrainingSettings {
    try trainingSettings(
      epochs: epochs, batchSize: batchSize, optimizer: optimizer,
      learningRate: learningRate ?? defaults.tuningLearningRate, seed: seed)
  }

  private func headSettings(_ defaults: WeightDefaults) throws -> TrainingSettings {
    try trainingSettings(
      "head-", epochs: headEpochs, atLeast: 0, batchSize: batchSize, optimizer: optimizer,
      learningRate: headLearningRate ?? defaults.headLearningRate, seed: seed)
  }

  func run() throws {
    let console = options.console
    let folder = try listed(labelled: data, excluding: pass.exclude, console)
    let validating = try validation.map {
      try listed(labelled: $0, excluding: pass.exclude, console)
    }
    try place.check(output: output)
    try requireSameClasses(folder, data, validating, validation)
    let precision = precision.chosen(console)
    var start =
      if let model {
        try opened(model, folder, console)
      } else {
        try withTrainedHead(folder, validating, precision, console)
      }
    start.precision = precision
    let settings = try settings(start.defaults)
    if learningRate == nil { console.note("learning rate: \(settings.learningRate)") }
    let tuning = try named(model ?? base ?? "mini") {
      try FineTuning(
        model: start, unfrozen: layerSelection(unfreeze), settings: settings,
        photosAtOnce: 20, isStrict: pass.strict, cacheLimit: cacheLimit * 1_000_000,
        augmentation: augmentation.ranges.map {
          AugmentationPlan(ranges: $0, views: augmentViews)
        })
    }
    announce(tuning, folder, validating, console)
    let finished = try place.record(
      RunRecord(
        command: "fine-tune", data: data, validation: validation, classNames: folder.classNames),
      output: output,
      chosen: start.chosenOptions + [("learning-rate", "\(settings.learningRate)")], console
    ) { run in
      let result = try tuning.run(
        folder, validation: validating, showingOn: console, keeping: run)
      return RunOutcome(
        model: result.model, frozen: result.proof.sentence, photoWait: result.photoWait,
        predictions: result.predictions)
    }
    if let share = finished.outcome.photoWait {
      console.note("waiting for photos took \(decimal(share * 100, 1)) % of the training")
    }
    console.note("freeze: \(finished.outcome.frozen ?? "")")
    try place.say(finished, console)
  }

  private func announce(
    _ tuning: FineTuning, _ folder: PhotoFolder, _ validating: PhotoFolder?, _ console: Console
  ) {
    let names = tuning.trainedLayers
    console.note(
      "training \(names.isEmpty ? "" : names.joined(separator: ", ") + " and ")the head; "
        + "all up to '\(tuning.boundary.name)' is frozen")
    if let ranges = augmentation.ranges {
      console.note("photos are changed at random: \(ranges.summary)")
    }
    let (photos, others) = (folder.photos.count, validating?.photos.count ?? 0)
    let caching = tuning.caching(photos: photos, validation: others)
    if caching.isFresh {
      console.note("every epoch sees new changes: the frozen part runs anew in each")
      if others == 0 { return }
    }
    let views = caching.views == 1 ? "" : "\(caching.views) views of \(photos) photos and "
    let what =
      caching.isFresh
      ? "\(others) photos for validation"
      : views + "\(caching.views == 1 ? photos + others : others) photos"
    let megabytes = (caching.bytes + 999_999) / 1_000_000
    let place = "outputs of '\(tuning.boundary.name)' for \(what) (\(megabytes) MB)"
    console.note(
      caching.keepsValidation
        ? "\(place) are computed once and kept in memory"
        : "\(place) exceed --cache-limit \(cacheLimit): they are computed anew in every epoch")
  }

  private func opened(
    _ path: String, _ folder: PhotoFolder, _ console: Console
  ) throws -> ClassifierModel {
    let scaling = photos.scaling
    var model = try ClassifierModel.load(
      path,
      overrides: ModelOverrides(
        preprocessing: photos.preprocess, interpolation: scaling.interpolation, fit: scaling.fit,
        ignoreOrientation: scaling.ignoreOrientation, fastDecode: scaling.fastDecode,
        imageSize: photos.givenSize?.pair, fallbackClassNames: folder.classNames))
    model.loader.pixelLimit = pass.limits.pixelLimit
    guard model.classNames == folder.classNames else {
      throw TrainingError.otherClasses(path, model.classNames, data, folder.classNames)
    }
    if model.history.isEmpty {
      console.note("'\(path)' was not written by tl: its classes are taken to be the folder's")
    }
    console.note("model: \(model.summary)")
    console.note("photos: \(model.loader.summary)")
    return model
  }

  /// A base with a head of its own training, as fine-tuning must not start from a random head.
  private func withTrainedHead(
    _ folder: PhotoFolder, _ validating: PhotoFolder?, _ precision: Precision,
    _ console: Console
  ) throws -> ClassifierModel {
    let options = try BaseOptions.parse(
      (base.map { ["--base", $0] } ?? []) + (allowPartial ? ["--allow-partial"] : []))
    let loaded = try loadedBase(options, photos, layer: nil, console)
    if let output { try OutputPlace.check(output, inputs: [loaded.path]) }
    let loader = try photos.loader(for: loaded, pass.limits)
    console.note("photos: \(loader.summary)")
    guard folder.classNames.count >= 2 else {
      throw TrainingError.tooFewClasses(data, found: folder.classNames)
    }
    var fresh = try ClassifierModel(
      base: loaded, head: head.plan, classNames: folder.classNames, loader: loader, seed: seed)
    fresh.precision = precision
    if headEpochs == 0 {
      console.note("the head starts from random weights (--head-epochs 0)")
      return fresh
    }
    console.note(
      "no trained head was given: training one first, \(headEpochs) "
        + "epoch\(headEpochs == 1 ? "" : "s") with all of the base frozen"
        + (augmentation.ranges == nil ? "" : ", on unchanged photos"))
    let tuning = try FineTuning(
      model: fresh, unfrozen: LayerSelection("none"), settings: headSettings(fresh.defaults),
      photosAtOnce: 20, isStrict: pass.strict, cacheLimit: cacheLimit * 1_000_000)
    return try tuning.run(
      folder, validation: validating, showingOn: console, isReporting: false
    ).model
  }
}
