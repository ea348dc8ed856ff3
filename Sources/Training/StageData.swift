import Images
import Layers
import Scratch

/// Photos as a stage's frozen prefix leaves them.
struct StageData {
  let examples: PrefixedPhotos
  let validation: PrefixedPhotos?

  /// Photos that have gone away since the last call, nil if none has.
  func takeLost() -> [PhotoTally.Skipped]? {
    let lost = examples.lost.takeAll() + (validation?.lost.takeAll() ?? [])
    return lost.isEmpty ? nil : lost
  }

  /// A digest of the photos, their order and their classes.
  var digest: String {
    RunKeeper.digest(
      of: examples.fingerprints + (validation?.fingerprints ?? []),
      labels: examples.labels + (validation?.labels ?? []))
  }
}

extension FineTuning {
  /// Runs the frozen prefix of a stage, where its outputs are kept, or at least decodes the photos.
  func prepared(
    _ index: Int, _ network: Network, _ folder: PhotoFolder, _ validation: PhotoFolder?,
    _ wait: PhotoWait, _ report: (Event) throws -> Void
  ) throws -> StageData {
    let stage = stages[index]
    let caching = caching(
      stage, photos: folder.photos.count, validation: validation?.photos.count ?? 0)
    try report(.stage(stage, index: index, of: stages.count, caching))
    let plan = network.plan(outputs: [stage.cut.boundary], precision: model.precision)
    let pass = PhotoPass(
      loader: model.loader, plan: plan, batchSize: batchSize, isStrict: isStrict)
    let others = validation?.photos.count ?? 0
    var total = caching.total
    let examples = try kept(caching.keepsPhotos, report) { place in
      if place == nil { total = folder.photos.count + others }
      return try PrefixedPhotos(
        folder, pass, augmentation.map { ($0, settings.seed) }, cacheFolder: place, wait: wait
      ) {
        try report(.prefix(done: $0, of: total))
      }
    }
    let validating = try validation.map { folder in
      try kept(caching.keepsValidation, report) { place in
        try PrefixedPhotos(folder, pass, nil, cacheFolder: place) {
          try report(.prefix(done: total - others + $0, of: total))
        }
      }
    }
    let trained = Set(examples.fingerprints)
    try report(
      .examined(
        examples.tally, validation: validating?.tally,
        shared: validating?.fingerprints.count { trained.contains($0) } ?? 0))
    return StageData(examples: examples, validation: validating)
  }

  /// Prepares photos, without keeping the prefix's outputs where they cannot be kept.
  ///
  /// - Parameter prepare: gets the folder for outputs that are kept.
  private func kept(
    _ isWanted: Bool, _ report: (Event) throws -> Void,
    _ prepare: (String?) throws -> PrefixedPhotos
  ) throws -> PrefixedPhotos {
    if isWanted {
      do {
        return try prepare(cacheFolder)
      } catch let error as ScratchError {
        try report(.uncached(error.description))
      }
    }
    return try prepare(nil)
  }
}
