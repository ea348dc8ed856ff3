import Images
import Layers

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
    let examples = try PrefixedPhotos(
      folder, pass, augmentation.map { ($0, settings.seed) }, cached: caching.keepsPhotos,
      wait: wait
    ) {
      try report(.prefix(done: $0, of: caching.total))
    }
    let validating = try validation.map { folder in
      try PrefixedPhotos(folder, pass, nil, cached: caching.keepsValidation) {
        let before = caching.total - folder.photos.count
        try report(.prefix(done: before + $0, of: caching.total))
      }
    }
    let trained = Set(examples.fingerprints)
    try report(
      .examined(
        examples.tally, validation: validating?.tally,
        shared: validating?.fingerprints.count { trained.contains($0) } ?? 0))
    return StageData(examples: examples, validation: validating)
  }
}
