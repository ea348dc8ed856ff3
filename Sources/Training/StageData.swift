import Images
import Layers
import Scratch

/// What one stage's pass over the photos has kept for later ones, also those of another run.
package final class PrefixHandover {
  /// By the node whose outputs they are.
  var data: [Int: StageData] = [:]

  package init() {}
}

/// Photos as a stage's frozen prefix leaves them.
struct StageData {
  let examples: PrefixedPhotos
  let validation: PrefixedPhotos?

  /// Photos that have gone away since the last call, nil if none has.
  func takeLost() -> [PhotoTally.Skipped]? {
    let lost = examples.lost.takeAll() + (validation?.lost.takeAll() ?? [])
    return lost.isEmpty ? nil : lost
  }

  /// The same photos as another of the plan's outputs that are kept has them.
  func output(_ number: Int) -> StageData {
    StageData(examples: examples.output(number), validation: validation?.output(number))
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
  ///
  /// What later stages start from lies below; it is kept in the same pass where there is room.
  func prepared(
    _ index: Int, _ network: Network, _ folder: PhotoFolder, _ validation: PhotoFolder?,
    _ wait: PhotoWait, _ report: (Event) throws -> Void
  ) throws -> StageData {
    let (stage, others) = (stages[index], validation?.photos.count ?? 0)
    var caching = caching(stage, photos: folder.photos.count, validation: others)
    if let ready = handover.data.removeValue(forKey: stage.cut.boundary) {
      caching.isReady = true
      try report(.stage(stage, index: index, of: stages.count, caching))
      try report(examined(ready))
      return ready
    }
    try report(.stage(stage, index: index, of: stages.count, caching))
    let later = laterBoundaries(index, caching, photos: folder.photos.count, others)
    func pass(_ boundaries: [Int]) -> PhotoPass {
      PhotoPass(
        loader: model.loader,
        plan: network.plan(outputs: boundaries, precision: model.precision),
        batchSize: batchSize, isStrict: isStrict)
    }
    let all = pass([stage.cut.boundary] + later)
    func chosen(_ place: String?) -> PhotoPass {
      place == nil && !later.isEmpty ? pass([stage.cut.boundary]) : all
    }
    var total = caching.total
    let examples = try kept(caching.keepsPhotos, report) { place in
      if place == nil { total = folder.photos.count + others }
      return try PrefixedPhotos(
        folder, chosen(place), augmentation.map { ($0, settings.seed) }, cacheFolder: place,
        wait: wait
      ) {
        try report(.prefix(done: $0, of: total))
      }
    }
    let validating = try validation.map { folder in
      try kept(caching.keepsValidation, report) { place in
        try PrefixedPhotos(folder, chosen(place), nil, cacheFolder: place) {
          try report(.prefix(done: total - others + $0, of: total))
        }
      }
    }
    let data = StageData(examples: examples, validation: validating)
    let keptOutputs = min(examples.keptOutputs, validating?.keptOutputs ?? .max)
    for (number, boundary) in zip(1..., later) where number < keptOutputs {
      handover.data[boundary] = data.output(number)
    }
    try report(examined(data))
    return data
  }

  private func examined(_ data: StageData) -> Event {
    let trained = Set(data.examples.fingerprints)
    return .examined(
      data.examples.tally, validation: data.validation?.tally,
      shared: data.validation?.fingerprints.count { trained.contains($0) } ?? 0)
  }

  /// Where later stages start from, as far as it can be kept beside what a stage keeps.
  private func laterBoundaries(
    _ index: Int, _ caching: Caching, photos: Int, _ others: Int
  ) -> [Int] {
    // In bf16 a value that is asked for is not rounded for those that add to it.
    guard caching.keepsPhotos, model.precision == .f32 else { return [] }
    var (bytes, boundaries) = (caching.bytes, [Int]())
    for later in stages[(index + 1)...] + following where later.hasFrozenLayers {
      let boundary = later.cut.boundary
      guard
        boundary != stages[index].cut.boundary, !boundaries.contains(boundary),
        handover.data[boundary] == nil, model.network.staysWhole(at: boundary)
      else { continue }
      bytes += self.caching(later, photos: photos, validation: others).bytes
      guard bytes <= cacheLimit else { break }
      boundaries.append(boundary)
    }
    return boundaries
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
