import Compute
import Foundation
package import Images
package import Layers

/// Trains the unfrozen layers of a model together with its head, on photos.
///
/// What leaves the frozen prefix does not change from epoch to epoch. It is computed once and kept
/// in memory where it fits into `cacheLimit` bytes, else anew in every epoch.
package struct FineTuning {
  package private(set) var model: ClassifierModel
  package let cut: FreezeCut
  private let settings: TrainingSettings
  private let batchSize: Int
  private let isStrict: Bool
  private let cacheLimit: Int

  /// What a fine-tuning run reports.
  package enum Event: Sendable {
    /// Photos through the frozen prefix.
    case prefix(done: Int, of: Int)
    /// What was noticed about the photos, before training starts; `shared` is how many photos of
    /// the validation folder are, byte for byte, also trained on.
    case examined(PhotoTally, validation: PhotoTally?, shared: Int)
    case training(TrainingEvent)
  }

  /// What a fine-tuning run gave.
  package struct Result: Sendable {
    package let model: ClassifierModel
    package let proof: FreezeProof
  }

  /// - Parameter unfrozen: the layers of the base to train; the head always is.
  package init(
    model: ClassifierModel, unfrozen: LayerSelection, settings: TrainingSettings,
    photosAtOnce: Int, isStrict: Bool, cacheLimit: Int
  ) throws {
    self.model = model
    self.settings = settings
    self.isStrict = isStrict
    self.cacheLimit = cacheLimit
    batchSize = photosAtOnce
    let chosen = try unfrozen.nodes(in: model.network)
    self.model.network.setTrainable(chosen.union(model.headNodes))
    cut = try FreezeCut(self.model.network)
  }

  /// The names of the layers of the base that will be trained.
  package var trainedLayers: [String] {
    let network = model.network
    return cut.suffix.filter {
      $0 < network.headStart && network.nodes[$0].isTrainable && network.nodes[$0].hasParameters
    }.map { network.nodes[$0].name }
  }

  /// The layer whose output is what the prefix gives, and its size for one photo.
  package var boundary: (name: String, shape: [Int]) {
    let node = model.network.nodes[cut.boundary]
    return (node.name, node.shape)
  }

  /// Whether the prefix's outputs of so many photos fit into memory under the limit.
  package func fitsCache(photos: Int) -> Bool { cacheBytes(photos: photos) <= cacheLimit }

  /// The bytes that the prefix's outputs of so many photos take.
  package func cacheBytes(photos: Int) -> Int { 4 * boundary.shape.reduce(1, *) * photos }

  /// Trains on a folder; `report` may throw to stop.
  package func run(
    _ folder: PhotoFolder, validation: PhotoFolder?, report: (Event) throws -> Void
  ) throws -> Result {
    let total = folder.photos.count + (validation?.photos.count ?? 0)
    let cached = fitsCache(photos: total)
    let plan = model.network.plan(outputs: [cut.boundary])
    let pass = PhotoPass(
      loader: model.loader, plan: plan, batchSize: batchSize, isStrict: isStrict)
    let examples = try PrefixedPhotos(folder, pass, cached: cached) {
      try report(.prefix(done: $0, of: total))
    }
    let validating = try validation.map { folder in
      try PrefixedPhotos(folder, pass, cached: cached) {
        try report(.prefix(done: total - folder.photos.count + $0, of: total))
      }
    }
    let trained = Set(examples.fingerprints)
    try report(
      .examined(
        examples.tally, validation: validating?.tally,
        shared: validating?.fingerprints.count { trained.contains($0) } ?? 0))
    let before = FreezeProof.digests(model.network)
    var trainer = try Trainer(network: model.network, loss: model.loss, settings: settings)
    let epochs = try trainer.train(examples, validation: validating) {
      try report(.training($0))
    }
    try trainer.requireFinite(on: examples)
    return try result(
      trainer.network, before: before, epochs: epochs, photos: examples.count)
  }

  private func result(
    _ network: Network, before: [[String]], epochs: [EpochResult], photos: Int
  ) throws -> Result {
    let proof = FreezeProof(before: before, after: network)
    guard proof.frozenButChanged.isEmpty else {
      throw TrainingError.frozenChanged(proof.frozenButChanged)
    }
    var model = model
    model.network = network
    let trained = (trainedLayers + ["the head"]).joined(separator: ", ")
    model.history.append(
      TrainingRun(
        command: "fine-tune", trained: trained, settings: settings, photos: photos,
        proof: proof.sentence, epochs: epochs))
    return Result(model: model, proof: proof)
  }
}

/// Labelled photos as the frozen prefix leaves them, kept in memory or computed when asked for.
private struct PrefixedPhotos: Examples {
  private let photos: [Photo]
  private let pass: PhotoPass
  private let cache: Tensor?
  let labels: [Int]
  /// SHA-256 of each photo's file.
  let fingerprints: [String]
  let tally: PhotoTally

  /// Runs the prefix once over all photos: to keep the outputs, or to know which photos decode.
  init(
    _ folder: PhotoFolder, _ pass: PhotoPass, cached: Bool, report: (Int) throws -> Void
  ) throws {
    self.pass = pass
    var usable: [Photo] = []
    var fingerprints: [String] = []
    var values: [Float] = []
    let rowShape = pass.plan.outputShapes[0]
    if cached { values.reserveCapacity(folder.photos.count * rowShape.reduce(1, *)) }
    func take(_ batch: PhotoBatch, _ output: Tensor?) throws {
      usable += batch.indices.map { folder.photos[$0] }
      fingerprints += batch.photos.map(\.fingerprint)
      if let output { values += output.scalars }
      try report(batch.range.upperBound)
    }
    if cached {
      tally = try pass.run(folder.photos) { try take($0, $1) }
    } else {
      tally = try pass.decode(folder.photos) { try take($0, nil) }
    }
    guard !usable.isEmpty else { throw TrainingError.nothingLeft(tally.skipped) }
    photos = usable
    self.fingerprints = fingerprints
    labels = usable.map { $0.label ?? 0 }
    cache = cached ? Tensor(shape: [usable.count] + rowShape, scalars: values) : nil
  }

  func values(at indices: [Int]) throws -> Tensor {
    if let cache { return cache.gatheringRows(indices) }
    var values: [Float] = []
    try pass.run(indices.map { photos[$0] }) { batch, output in
      if let failure = batch.failures.first {
        throw TrainingError.badPhoto(
          failure.photo.relativePath, reason: "it decoded before: \(failure.error)")
      }
      values += output.scalars
    }
    return Tensor(shape: [indices.count] + pass.plan.outputShapes[0], scalars: values)
  }
}

extension Trainer {
  /// Throws `TrainingError.notFinite` where the trained network gives no numbers any more, which
  /// the losses of its steps need not show: they are those before each step.
  func requireFinite(on examples: some Examples) throws {
    let first = Array(0..<min(examples.count, settings.batchSize))
    let sample = CachedExamples(
      features: try examples.values(at: first), labels: first.map { examples.labels[$0] })
    guard try evaluate(sample).loss.isFinite else {
      throw TrainingError.notFinite(epoch: settings.epochs)
    }
  }
}
