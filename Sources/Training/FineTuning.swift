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
    /// Photos that an epoch had to do without, as they cannot be read any more.
    case lost([PhotoTally.Skipped], epoch: Int)
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
  ///   - keeper: keeps the run, and leads it to where it stood.
  package func run(
    _ folder: PhotoFolder, validation: PhotoFolder?, keeper: RunKeeper? = nil,
    report: (Event) throws -> Void
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
    let targets = try teacher?.targets(for: examples.fingerprints)
    let start =
      try teacher.map { try model.network.widened(by: $0.width, seed: settings.seed) }
      ?? model.network
    var trainer = try Trainer(
      network: start, loss: model.loss, settings: settings, targets: targets)
    let kept = try keeper?.begin(start, photos: digest(examples, validating))
    // A widened network is never that of a later phase: it is as it was before the run.
    let before = (teacher == nil ? kept?.digests : nil) ?? FreezeProof.digests(model.network)
    if let state = kept?.state { try trainer.resume(state) }
    if kept == nil { try keeper?.keep(trainer.state) }
    let epochs = try trainer.train(
      examples, validation: validating, checkpoint: { try keeper?.offer($0, $1) },
      report: { event in
        if case .epoch(let result, _) = event {
          let lost = examples.lost.takeAll() + (validating?.lost.takeAll() ?? [])
          if !lost.isEmpty { try report(.lost(lost, epoch: result.epoch)) }
        }
        try report(.training(event))
      })
    try trainer.requireFinite(on: examples)
    let network =
      teacher == nil
      ? trainer.network : try trainer.network.narrowed(to: model.network.outputShape[0])
    let predictions = try validating.map { validating in
      let (indices, probabilities) = try trainer.probabilities(
        of: validating, classCount: model.classNames.count)
      return Predictions(
        classNames: model.classNames, paths: indices.map { validating.paths[$0] },
        labels: indices.map { validating.labels[$0] }, probabilities)
    }
    let result = try result(network, before: before, epochs: epochs, examples, predictions)
    if let run = result.model.history.last { try keeper?.end(run, trainer.state) }
    return result
  }

  private func digest(_ examples: PrefixedPhotos, _ validating: PrefixedPhotos?) -> String {
    RunKeeper.digest(
      of: examples.fingerprints + (validating?.fingerprints ?? []),
      labels: examples.labels + (validating?.labels ?? []))
  }

  /// The model as a finished phase of a run that goes on left it, but for its tensors, which the
  /// phase under way has; nil if this phase is not over.
  package func skippingFinished(_ keeper: RunKeeper) -> ClassifierModel? {
    guard let run = keeper.skipFinishedPhase(model.network) else { return nil }
    var model = model
    model.history.append(run)
    return model
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
    let (indices, values) = try examples.readable(at: first)
    let sample = CachedExamples(features: values, labels: indices.map { examples.labels[$0] })
    guard try evaluate(sample).loss.isFinite else {
      throw TrainingError.notFinite(epoch: settings.epochs)
    }
  }
}
