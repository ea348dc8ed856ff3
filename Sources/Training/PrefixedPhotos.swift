import Compute
package import Images

/// How photos are changed at random while training.
package struct AugmentationPlan: Sendable, Equatable, Codable {
  package var ranges: Augmentation
  /// How many views of each photo take turns from epoch to epoch; nil for a new one in each.
  package var views: Int?

  package init(ranges: Augmentation, views: Int? = nil) {
    precondition(views ?? 1 > 0, "a photo needs at least one view but has \(views ?? 1)")
    self.ranges = ranges
    self.views = views
  }

  /// The view that an epoch, counted from 1, sees.
  ///
  /// - Parameter photos: the whole list, of which some may be mixed into others.
  package func view(epoch: Int, seed: UInt64, of photos: [Photo]) -> AugmentedView {
    let number = epoch - 1
    return AugmentedView(
      ranges, seed: seed, number: views.map { number % $0 } ?? number,
      partners: ranges.mixing == nil ? [] : photos)
  }
}

/// Labelled photos as the frozen prefix leaves them, kept on disk or computed when asked for.
struct PrefixedPhotos: Examples {
  private let photos: [Photo]
  /// All photos of the folder, also those that do not decode.
  private let all: [Photo]
  private let pass: PhotoPass
  private let augmentation: (plan: AugmentationPlan, seed: UInt64)?
  /// One for each of the plan's first outputs, none where outputs are not kept.
  private let caches: [PrefixCache]
  /// Which of the plan's outputs the examples are.
  private var number = 0
  let labels: [Int]
  /// SHA-256 of each photo's file.
  let fingerprints: [String]
  let tally: PhotoTally
  /// How long `forEachBatch` waited for photos.
  let wait: PhotoWait
  /// Photos that `forEachBatch` had to do without.
  let lost = LostPhotos()

  /// Runs the prefix once over all views of all photos, to keep the outputs; or only decodes the
  /// photos, to know which of them can be.
  ///
  /// Where the plan has several outputs, as many of them are kept as there is room for; the examples
  /// are the first. Throws `ScratchError` where that one cannot be kept.
  ///
  /// - Parameters:
  ///   - cacheFolder: where outputs are kept, nil where they are not.
  ///   - report: told how many pictures are done.
  init(
    _ folder: PhotoFolder, _ pass: PhotoPass,
    _ augmentation: (plan: AugmentationPlan, seed: UInt64)?, cacheFolder: String?,
    wait: PhotoWait = PhotoWait(), report: (Int) throws -> Void
  ) throws {
    self.wait = wait
    self.pass = pass
    self.augmentation = augmentation
    var usable: [Photo] = []
    var fingerprints: [String] = []
    all = folder.photos
    if let cacheFolder {
      let views = (1...(augmentation?.plan.views ?? 1)).map { epoch in
        augmentation.map { $0.plan.view(epoch: epoch, seed: $0.seed, of: folder.photos) }
      }
      let count = folder.photos.count
      let caches = try Self.caches(
        pass.plan.outputShapes, pictures: count * views.count, folder: cacheFolder)
      tally = try pass.runForAll(folder.photos, view: views[0]) { batch, outputs in
        usable += batch.indices.map { folder.photos[$0] }
        fingerprints += batch.photos.map(\.fingerprint)
        for (cache, output) in zip(caches, outputs) { try cache.add(batch, output) }
        try report(batch.range.upperBound)
      }
      for (index, view) in views.enumerated().dropFirst() {
        let skipped = count - usable.count
        try pass.runDecodable(usable, view: view) { batch, outputs in
          for (cache, output) in zip(caches, outputs) { try cache.add(batch, output) }
          try report(index * count + skipped + batch.range.upperBound)
        }
      }
      for cache in caches { cache.photos = usable.count }
      self.caches = caches
    } else {
      caches = []
      tally = try pass.decode(folder.photos) { batch in
        usable += batch.indices.map { folder.photos[$0] }
        fingerprints += batch.photos.map(\.fingerprint)
        try report(batch.range.upperBound)
      }
    }
    guard !usable.isEmpty else { throw TrainingError.nothingLeft(tally.skipped) }
    photos = usable
    self.fingerprints = fingerprints
    labels = usable.map { $0.label ?? 0 }
  }

  private static func caches(
    _ shapes: [[Int]], pictures: Int, folder: String
  ) throws -> [PrefixCache] {
    var caches: [PrefixCache] = []
    for shape in shapes {
      do {
        caches.append(try PrefixCache(rowShape: shape, pictures: pictures, folder: folder))
      } catch {
        if caches.isEmpty { throw error }
        break
      }
    }
    return caches
  }

  /// The same photos with another of the plan's outputs that are kept.
  func output(_ number: Int) -> PrefixedPhotos {
    var result = self
    result.number = number
    return result
  }

  /// How many of the plan's outputs are kept.
  var keptOutputs: Int { caches.count }

  private var cache: PrefixCache? { caches.isEmpty ? nil : caches[number] }

  /// The photos' paths below the data folder.
  var paths: [String] { photos.map(\.relativePath) }

  /// The outputs that the first epoch sees.
  func values(at indices: [Int]) throws -> Tensor {
    if let cache { return try cache.rows(at: indices, epoch: 1) }
    return try pass.outputs(indices.map { photos[$0] }, view: view(epoch: 1))
  }

  func readable(at indices: [Int]) throws -> (indices: [Int], values: Tensor) {
    if let cache { return (indices, try cache.rows(at: indices, epoch: 1)) }
    var (values, places): ([Float], [Int]) = ([], [])
    try pass.run(indices.map { photos[$0] }, view: view(epoch: 1)) { batch, output in
      lost.add(batch.failures)
      values += output.scalars
      places += batch.indices
    }
    return (places.map { indices[$0] }, pass.rows(values, count: places.count))
  }

  /// Without a cache, photos of later batches are prepared while `body` runs; one that cannot be
  /// read any more is left out.
  func forEachBatch(
    _ batches: [[Int]], epoch: Int, _ body: ([Int], Tensor, [LabelMixture?]) throws -> Void
  ) throws {
    if let cache {
      for (indices, next) in zip(batches, batches.dropFirst() + [[]]) {
        let rows = try cache.rows(at: indices, epoch: epoch, preparing: next)
        try body(indices, rows, cache.mixtures(at: indices, epoch: epoch))
      }
      return
    }
    let order = batches.flatMap { $0 }
    let rowSize = pass.plan.outputShapes[0].reduce(1, *)
    var pending = PendingRows()
    var next = 0
    var end = batches.first?.count ?? 0
    let start = ContinuousClock.now
    defer { wait.total += ContinuousClock.now - start }
    var pass = pass
    pass.wait = wait
    try pass.run(order.map { photos[$0] }, view: view(epoch: epoch)) { batch, output in
      lost.add(batch.failures)
      pending.values += output.scalars
      pending.places += batch.indices
      pending.mixtures += batch.photos.map(\.mixture)
      while next < batches.count, end <= batch.range.upperBound {
        let taken = pending.take(below: end, rowSize: rowSize)
        if !taken.places.isEmpty {
          let rows = pass.rows(taken.values, count: taken.places.count)
          try body(taken.places.map { order[$0] }, rows, taken.mixtures)
        }
        next += 1
        if next < batches.count { end += batches[next].count }
      }
    }
  }

  private func view(epoch: Int) -> AugmentedView? {
    augmentation.map { $0.plan.view(epoch: epoch, seed: $0.seed, of: all) }
  }
}

/// Rows of the prefix's output that wait for their batch to be whole.
private struct PendingRows {
  var values: [Float] = []
  /// Where each row's photo stands in the epoch's order.
  var places: [Int] = []
  var mixtures: [LabelMixture?] = []

  /// Takes out the rows that stand before `end`.
  mutating func take(below end: Int, rowSize: Int) -> PendingRows {
    let count = places.prefix { $0 < end }.count
    let taken = PendingRows(
      values: Array(values.prefix(count * rowSize)), places: Array(places.prefix(count)),
      mixtures: Array(mixtures.prefix(count)))
    values.removeFirst(count * rowSize)
    places.removeFirst(count)
    mixtures.removeFirst(count)
    return taken
  }
}

/// Photos that could be read when a run began and cannot any more.
final class LostPhotos {
  private var found: [PhotoTally.Skipped] = []

  func add(_ failures: [PhotoBatch.Failure]) {
    found += failures.map {
      .init(path: $0.photo.relativePath, reason: "it decoded before: \($0.error)")
    }
  }

  /// Those found since the last call.
  func takeAll() -> [PhotoTally.Skipped] {
    defer { found = [] }
    return found
  }
}

extension PhotoPass {
  /// Runs over photos that decoded before; one that does not any more stops the run.
  fileprivate func runDecodable(
    _ photos: [Photo], view: AugmentedView?, _ body: (PhotoBatch, [Tensor]) throws -> Void
  ) throws {
    _ = try runForAll(photos, view: view) { batch, outputs in
      if let failure = batch.failures.first {
        throw TrainingError.badPhoto(
          failure.photo.relativePath, reason: "it decoded before: \(failure.error)")
      }
      try body(batch, outputs)
    }
  }

  /// The plan's outputs for photos that decoded before.
  fileprivate func outputs(_ photos: [Photo], view: AugmentedView?) throws -> Tensor {
    var values: [Float] = []
    values.reserveCapacity(photos.count * plan.outputShapes[0].reduce(1, *))
    try runDecodable(photos, view: view) { _, outputs in values += outputs[0].scalars }
    return rows(values, count: photos.count)
  }

  func rows(_ values: [Float], count: Int) -> Tensor {
    Tensor(shape: [count] + plan.outputShapes[0], scalars: values)
  }
}
