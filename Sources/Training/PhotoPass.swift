package import Compute
package import Images

/// What was noticed about photos on the way into a network.
package struct PhotoTally: Sendable, Equatable {
  /// A photo that could not be used, and why.
  package struct Skipped: Sendable, Equatable {
    package let path: String
    package let reason: String

    package init(path: String, reason: String) {
      self.path = path
      self.reason = reason
    }
  }

  package var used = 0
  /// Photos turned upright by their EXIF orientation.
  package var turned = 0
  /// Photos whose EXIF orientation says to turn them and that were left as stored.
  package var leftUnturned = 0
  /// Photos converted to RGB, by what they were (`grey`, `CMYK`, ...).
  package var converted: [String: Int] = [:]
  /// Photos that decoded though the decoder complained.
  package var warnings: [Skipped] = []
  package var skipped: [Skipped] = []

  package init() {}

  mutating func count(_ batch: PhotoBatch, list: [Photo]) {
    for (index, photo) in zip(batch.indices, batch.photos) {
      used += 1
      if photo.wasTurned { turned += 1 }
      if !photo.wasTurned, !photo.orientation.isUpright { leftUnturned += 1 }
      if photo.colors != .rgb { converted[photo.colors.rawValue, default: 0] += 1 }
      if let warning = photo.warning {
        warnings.append(Skipped(path: list[index].relativePath, reason: warning))
      }
    }
    skipped += batch.failures.map {
      Skipped(path: $0.photo.relativePath, reason: $0.error.description)
    }
  }
}

extension PhotoTally {
  /// Adds what was noticed elsewhere.
  package mutating func add(_ other: PhotoTally) {
    used += other.used
    turned += other.turned
    leftUnturned += other.leftUnturned
    converted.merge(other.converted, uniquingKeysWith: +)
    warnings += other.warnings
    skipped += other.skipped
  }
}

/// Adds up how long a network waited for photos.
final class PhotoWait {
  var waited = Duration.zero
  var total = Duration.zero

  /// The share of the time, 0 to 1; nil if nothing was waited for.
  var share: Double? { total > .zero ? waited / total : nil }
}

/// Runs photos through a plan, batch by batch, decoding ahead.
package struct PhotoPass {
  package let loader: PhotoLoader
  package let plan: InferencePlan
  package let batchSize: Int
  /// Whether a photo that does not decode stops the run.
  package let isStrict: Bool
  /// Where waiting is added up, if anybody wants to know.
  var wait: PhotoWait?

  package init(loader: PhotoLoader, plan: InferencePlan, batchSize: Int, isStrict: Bool) {
    self.loader = loader
    self.plan = plan
    self.batchSize = batchSize
    self.isStrict = isStrict
  }

  /// Calls `body` with each batch and the plan's output `[batch.indices.count, ...]` for it.
  ///
  /// Throws `TrainingError.badPhoto` for a photo that fails when strict, and what `body` throws.
  /// - Parameter view: the random changes that the photos get before.
  @discardableResult
  package func run(
    _ photos: [Photo], view: AugmentedView? = nil, _ body: (PhotoBatch, Tensor) throws -> Void
  ) throws -> PhotoTally {
    try runForAll(photos, view: view) { try body($0, $1[0]) }
  }

  /// The same with each of the plan's outputs.
  func runForAll(
    _ photos: [Photo], view: AugmentedView?, _ body: (PhotoBatch, [Tensor]) throws -> Void
  ) throws -> PhotoTally {
    try decode(photos, view: view) { try body($0, plan.run($0.tensor)) }
  }

  /// Calls `body` with each batch of decoded photos, without running the plan.
  package func decode(
    _ photos: [Photo], view: AugmentedView? = nil, _ body: (PhotoBatch) throws -> Void
  ) throws -> PhotoTally {
    var tally = PhotoTally()
    let batches = PhotoBatches(photos, loader: loader, view: view, batchSize: batchSize)
      .makeIterator()
    defer { wait?.waited += batches.waited }
    while let batch = batches.next() {
      if isStrict, let failure = batch.failures.first {
        throw TrainingError.badPhoto(
          failure.photo.relativePath, reason: failure.error.description)
      }
      tally.count(batch, list: photos)
      try body(batch)
    }
    return tally
  }
}
