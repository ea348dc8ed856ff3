import Compute
import Foundation
package import Images
package import Layers

/// Trains the unfrozen layers of a model together with its head, on photos.
///
/// Unless photos are changed at random, what leaves the frozen prefix does not change from epoch to
/// epoch. It is computed once and kept in memory where it fits into `cacheLimit` bytes, else anew in
/// every epoch. Photos for validation are never changed.
package struct FineTuning {
  package private(set) var model: ClassifierModel
  package let cut: FreezeCut
  private let settings: TrainingSettings
  private let batchSize: Int
  private let isStrict: Bool
  private let cacheLimit: Int
  private let augmentation: AugmentationPlan?
  private let command: String
  private let teacher: Teacher?

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
    /// The share of the training in which the network waited for photos, 0 to 1; nil where what
    /// it needed was kept in memory.
    package let photoWait: Double?
    /// What the model says of the photos to validate on, nil without any.
    package let predictions: Predictions?
  }

  /// - Parameters:
  ///   - unfrozen: the layers of the base to train; the head always is.
  ///   - teacher: what else to learn of the photos to train on.
  ///   - command: what the model's history calls the run.
  package init(
    model: ClassifierModel, unfrozen: LayerSelection, settings: TrainingSettings,
    photosAtOnce: Int, isStrict: Bool, cacheLimit: Int, augmentation: AugmentationPlan? = nil,
    teacher: Teacher? = nil, command: String = "fine-tune"
  ) throws {
    self.teacher = teacher
    self.command = command
    self.augmentation = augmentation
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

  /// Whether anything lies below what is trained.
  package var hasFrozenLayers: Bool { cut.boundary > 0 }

  /// Which outputs of the prefix are kept in memory, for so many photos to train and validate on.
  package func caching(photos: Int, validation: Int) -> Caching {
    let rowBytes = 4 * boundary.shape.reduce(1, *)
    let isFresh = augmentation != nil && augmentation?.views == nil
    let views = augmentation?.views ?? 1
    let kept = (isFresh ? 0 : photos * views) + validation
    let fits = kept * rowBytes <= cacheLimit
    return Caching(
      isFresh: isFresh, views: views, keepsPhotos: fits && !isFresh, keepsValidation: fits,
      bytes: kept * rowBytes,
      total: photos * (fits && !isFresh ? views : 1) + validation)
  }

  /// What becomes of the frozen prefix's outputs.
  package struct Caching: Sendable, Equatable {
    /// Whether every epoch has new pictures, so that keeping outputs would be of no use.
    package let isFresh: Bool
    /// How many pictures of each photo there are, if they are not new in every epoch.
    package let views: Int
    package let keepsPhotos: Bool
    package let keepsValidation: Bool
    /// What there is to keep.
    package let bytes: Int
    /// How many pictures are gone through before the first epoch.
    package let total: Int
  }

  /// Trains on a folder; `report` may throw to stop.
  ///
  /// - Parameters:
  ///   - state: of an earlier run that was set up alike, to go on from.
  ///   - checkpoint: offered the state after every batch and every epoch.
  package func run(
    _ folder: PhotoFolder, validation: PhotoFolder?, from state: TrainingState? = nil,
    checkpoint: Checkpoint = { _, _ in }, report: (Event) throws -> Void
  ) throws -> Result {
    let caching = caching(
      photos: folder.photos.count, validation: validation?.photos.count ?? 0)
    let plan = model.network.plan(outputs: [cut.boundary], precision: model.precision)
    let pass = PhotoPass(
      loader: model.loader, plan: plan, batchSize: batchSize, isStrict: isStrict)
    let examples = try PrefixedPhotos(
      folder, pass, augmentation.map { ($0, settings.seed) }, cached: caching.keepsPhotos
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
    let before = FreezeProof.digests(model.network)
    let targets = try teacher?.targets(for: examples.fingerprints)
    let start =
      try teacher.map { try model.network.widened(by: $0.width, seed: settings.seed) }
      ?? model.network
    var trainer = try Trainer(
      network: start, loss: model.loss, settings: settings, targets: targets)
    if let state { try trainer.resume(state) }
    let epochs = try trainer.train(examples, validation: validating, checkpoint: checkpoint) {
      try report(.training($0))
    }
    try trainer.requireFinite(on: examples)
    let network =
      teacher == nil
      ? trainer.network : try trainer.network.narrowed(to: model.network.outputShape[0])
    let predictions = try validating.map { validating in
      Predictions(
        classNames: model.classNames, paths: validating.paths, labels: validating.labels,
        try trainer.probabilities(of: validating, classCount: model.classNames.count))
    }
    return try result(network, before: before, epochs: epochs, examples, predictions)
  }

  private func result(
    _ network: Network, before: [[String]], epochs: [EpochResult], _ examples: PrefixedPhotos,
    _ predictions: Predictions?
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
        command: command, trained: trained, settings: settings,
        photos: examples.count, proof: proof.sentence, augmentation: augmentation,
        teacher: teacher?.name, epochs: epochs))
    return Result(
      model: model, proof: proof, photoWait: examples.wait.share, predictions: predictions)
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
