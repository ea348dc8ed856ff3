import Images
import Training

/// A part of a run, in which the same is trained.
struct RunPart {
  /// How many epochs the run had before it.
  var earlier = 0
  /// What is trained in it; nil where it is the whole run.
  var stage: String?
}

extension FineTuning {
  /// Trains with progress for everything that takes long.
  ///
  /// - Parameters:
  ///   - kept: where the epochs and the state are kept.
  ///   - part: which part of the run this is.
  ///   - isReporting: whether to say what was noticed about the photos.
  ///   - cacheLimit: as it was given; nil where nothing is to be said of what is trained and kept.
  ///   - changes: how photos are changed at random.
  func run(
    _ folder: PhotoFolder, validation: PhotoFolder?, showingOn console: Console,
    keeping kept: (run: RunFolder, keeper: RunKeeper), as part: RunPart = RunPart(),
    isReporting: Bool = true, cacheLimit: Int? = nil, changes: Augmentation? = nil
  ) throws -> Result {
    var part = part
    var tuning = self
    tuning.cacheFolder = kept.run.path
    let photos = (folder.photos.count, validation?.photos.count ?? 0)
    var prefix: Progress?
    var saving: CacheSaving?
    var isFirst = true
    let progress = EpochProgress(console)
    return try tuning.run(folder, validation: validation, keeper: kept.keeper) { event in
      try Interrupt.check()
      switch event {
      case .stage(let stage, let index, let count, let caching):
        part.stage = stage.name ?? part.stage
        if count > 1, let name = stage.name {
          console.note("stage \(index + 1) of \(count): \(name), \(stage.epochs) epochs")
        }
        if let cacheLimit {
          announce(stage, caching, photos, changes, cacheLimit: cacheLimit, console)
          saving = CacheSaving(stage, caching, photos)
        }
        prefix =
          caching.isReady
          ? nil
          : Progress(
            title: title(stage, caching), total: caching.total, unit: "photos", console: console)
      case .uncached(let reason):
        console.warning("\(reason); the frozen part runs anew in every epoch")
        saving = nil
        prefix = nil
      case .prefix(let done, let total):
        if prefix == nil {
          prefix = Progress(
            title: "check of photos", total: total, unit: "photos", console: console)
        }
        prefix?.advance(to: done)
        if done == total {
          prefix?.finish()
          if let note = saving?.note { console.note(note) }
        }
      case .examined(let tally, let validationTally, let shared):
        guard isReporting, isFirst else { return }
        isFirst = false
        report(tally, console)
        if let validationTally { report(validationTally, console) }
        if shared > 0 {
          console.warning("\(shared) photos are in both folders: validation is too good")
        }
      case .lost(let photos, let epoch):
        for photo in photos { console.warning("skipped '\(photo.path)': \(photo.reason)") }
        console.warning(
          "epoch \(epoch) went without \(photos.count) photo\(photos.count == 1 ? "" : "s")")
      case .training(let event):
        try progress.show(event)
        try kept.run.add(event, as: part)
      }
    }
  }

  private func title(_ stage: Stage, _ caching: Caching) -> String {
    guard caching.keepsPhotos else { return "check of photos" }
    return stage.hasFrozenLayers ? "frozen part" : "photos"
  }

  /// Says what is trained in a stage, and what is kept for it.
  private func announce(
    _ stage: Stage, _ caching: Caching, _ count: (photos: Int, others: Int),
    _ changes: Augmentation?, cacheLimit: Int, _ console: Console
  ) {
    let parts = stage.trainedParts
    let list = [parts.dropLast().joined(separator: ", "), parts.last ?? ""]
    console.note(
      "training \(list.filter { !$0.isEmpty }.joined(separator: " and ")); "
        + "all up to '\(stage.boundary.name)' is frozen")
    if let changes { console.note("photos are changed at random: \(changes.summary)") }
    let (photos, others) = count
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
    let place = "outputs of '\(stage.boundary.name)' for \(what) (\(megabytes) MB)"
    let most = "at most \(cacheLimit) MB (--cache-limit)"
    console.note(
      caching.isReady
        ? "\(place) were kept on disk in the pass before, \(most): every epoch starts from them"
        : caching.keepsValidation
          ? "\(place) are computed once and kept on disk, \(most)"
          : "\(place) exceed --cache-limit \(cacheLimit): they are computed anew in every epoch")
  }
}

/// What later epochs are spared by outputs that are kept.
private struct CacheSaving {
  private let began = ContinuousClock.now
  /// The part of the pictures gone through that every epoch would go through.
  private let share: Double
  private let boundary: String

  /// Nil where nothing is kept, or nothing lies below what is trained.
  init?(
    _ stage: FineTuning.Stage, _ caching: FineTuning.Caching, _ count: (photos: Int, others: Int)
  ) {
    guard stage.hasFrozenLayers, stage.epochs > 1, caching.keepsValidation else { return nil }
    boundary = stage.boundary.name
    let spared = (caching.keepsPhotos ? count.photos : 0) + count.others
    share = Double(spared) / Double(max(caching.total, 1))
  }

  var note: String {
    let spared = (ContinuousClock.now - began) * share
    return "each epoch after the first starts from '\(boundary)' and is spared \(timeText(spared))"
  }
}

/// Throws where a folder to validate on has other classes than the one to train on.
func requireSameClasses(
  _ folder: PhotoFolder, _ path: String, _ validating: PhotoFolder?, _ validation: String?
) throws {
  guard let validating, let validation, folder.classNames != validating.classNames else { return }
  throw TrainingError.otherClasses(path, folder.classNames, validation, validating.classNames)
}
