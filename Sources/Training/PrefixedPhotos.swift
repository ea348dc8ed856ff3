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

/// Labelled photos as the frozen prefix leaves them, kept in memory or computed when asked for.
struct PrefixedPhotos: Examples {
  private let photos: [Photo]
  /// All photos of the folder, also those that do not decode.
  private let all: [Photo]
  private let pass: PhotoPass
  private let augmentation: (plan: AugmentationPlan, seed: UInt64)?
  /// The outputs of each view, or nothing.
  private let cache: [Tensor]
  /// What is mixed into each photo in each view, or nothing.
  private let cachedMixtures: [[LabelMixture?]]
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
  /// - Parameter report: told how many pictures are done.
  init(
    _ folder: PhotoFolder, _ pass: PhotoPass,
    _ augmentation: (plan: AugmentationPlan, seed: UInt64)?, cached: Bool,
    wait: PhotoWait = PhotoWait(), report: (Int) throws -> Void
  ) throws {
    self.wait = wait
    self.pass = pass
    self.augmentation = augmentation
    var usable: [Photo] = []
    var fingerprints: [String] = []
    var cache: [Tensor] = []
    var mixtures: [[LabelMixture?]] = []
    all = folder.photos
    if cached {
      let views = (1...(augmentation?.plan.views ?? 1)).map { epoch in
        augmentation.map { $0.plan.view(epoch: epoch, seed: $0.seed, of: folder.photos) }
      }
      var first: [LabelMixture?] = []
      let count = folder.photos.count
      var values: [Float] = []
      values.reserveCapacity(count * pass.plan.outputShapes[0].reduce(1, *))
      tally = try pass.run(folder.photos, view: views[0]) { batch, output in
        usable += batch.indices.map { folder.photos[$0] }
        fingerprints += batch.photos.map(\.fingerprint)
        first += batch.photos.map(\.mixture)
        values += output.scalars
        try report(batch.range.upperBound)
      }
      cache.append(pass.rows(values, count: usable.count))
      mixtures.append(first)
      for (index, view) in views.enumerated().dropFirst() {
        let skipped = count - usable.count
        let (rows, mixed) = try pass.outputs(usable, view: view) {
          try report(index * count + skipped + $0)
        }
        cache.append(rows)
        mixtures.append(mixed)
      }
    } else {
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
    self.cache = cache
    cachedMixtures = mixtures
  }

  /// The photos' paths below the data folder.
  var paths: [String] { photos.map(\.relativePath) }

  /// The outputs that the first epoch sees.
  func values(at indices: [Int]) throws -> Tensor {
    if let first = cache.first { return first.gatheringRows(indices) }
    return try pass.outputs(indices.map { photos[$0] }, view: view(epoch: 1)).rows
  }

  func readable(at indices: [Int]) throws -> (indices: [Int], values: Tensor) {
    if let first = cache.first { return (indices, first.gatheringRows(indices)) }
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
    if !cache.isEmpty {
      let rows = cache[(epoch - 1) % cache.count]
      let mixtures = cachedMixtures[(epoch - 1) % cache.count]
      for indices in batches {
        try body(indices, rows.gatheringRows(indices), indices.map { mixtures[$0] })
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
    _ photos: [Photo], view: AugmentedView?, _ body: (PhotoBatch, Tensor) throws -> Void
  ) throws {
    try run(photos, view: view) { batch, output in
      if let failure = batch.failures.first {
        throw TrainingError.badPhoto(
          failure.photo.relativePath, reason: "it decoded before: \(failure.error)")
      }
      try body(batch, output)
    }
  }

  /// The plan's outputs for photos that decoded before, and what was mixed into them.
  fileprivate func outputs(
    _ photos: [Photo], view: AugmentedView?, report: (Int) throws -> Void = { _ in }
  ) throws -> (rows: Tensor, mixtures: [LabelMixture?]) {
    var values: [Float] = []
    var mixtures: [LabelMixture?] = []
    values.reserveCapacity(photos.count * plan.outputShapes[0].reduce(1, *))
    try runDecodable(photos, view: view) { batch, output in
      values += output.scalars
      mixtures += batch.photos.map(\.mixture)
      try report(batch.range.upperBound)
    }
    return (rows(values, count: photos.count), mixtures)
  }

  fileprivate func rows(_ values: [Float], count: Int) -> Tensor {
    Tensor(shape: [count] + plan.outputShapes[0], scalars: values)
  }
}
