import Compute
import Foundation
package import Images
package import Layers

/// Trains the unfrozen layers of a model together with its head, on photos.
///
/// Unless photos are changed at random, what leaves the frozen prefix does not change from epoch to
/// epoch. It is computed once and kept on disk, in a file without a name, where it fits into
/// `cacheLimit` bytes, else anew in every epoch. Photos for validation are never changed.
///
/// With an unfreezing schedule the run has several stages. What the later ones start from is kept in
/// the first one's pass where there is room, else the prefix runs for each.
package struct FineTuning {
  package let model: ClassifierModel
  package let stages: [Stage]
  package let settings: TrainingSettings
  let batchSize: Int
  let isStrict: Bool
  let cacheLimit: Int
  /// Stages of another run on the same unchanged photos, which this one leads up to.
  package var following: [Stage] = []
  /// What this run keeps for `following`, or an earlier one has kept for it.
  package var handover = PrefixHandover()
  /// The folder on whose disk the prefix's outputs are kept.
  package var cacheFolder = NSTemporaryDirectory()
  let augmentation: AugmentationPlan?
  private let command: String
  private let teacher: Teacher?
  private let schedule: UnfreezingSchedule?

  /// What a fine-tuning run reports.
  package enum Event: Sendable {
    /// Other layers are trained from now on; always the first event.
    case stage(Stage, index: Int, of: Int, Caching)
    /// Photos through the frozen prefix.
    case prefix(done: Int, of: Int)
    /// Outputs of the prefix that cannot be kept, and why; photos are gone through from the first.
    case uncached(String)
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
    /// it needed was kept.
    package let photoWait: Double?
    /// What the model says of the photos to validate on, nil without any.
    package let predictions: Predictions?
  }

  /// - Parameters:
  ///   - trained: the layers to train.
  ///   - schedule: what to unfreeze when, instead of `trained.unfreeze`; its epochs count.
  ///   - teacher: what else to learn of the photos to train on.
  ///   - command: what the model's history calls the run.
  package init(
    model: ClassifierModel, trained: TrainableLayers, schedule: UnfreezingSchedule? = nil,
    settings: TrainingSettings, photosAtOnce: Int, isStrict: Bool, cacheLimit: Int,
    augmentation: AugmentationPlan? = nil, teacher: Teacher? = nil, command: String = "fine-tune"
  ) throws {
    self.teacher = teacher
    self.command = command
    self.augmentation = augmentation
    self.isStrict = isStrict
    self.cacheLimit = cacheLimit
    self.schedule = schedule
    batchSize = photosAtOnce
    var (model, settings) = (model, settings)
    if let schedule {
      settings.epochs = schedule.epochs
      stages = try schedule.stages(of: model.network, freeze: trained.freeze)
    } else {
      stages = [
        try Stage(
          name: nil, epochs: settings.epochs, trainable: trained.nodes(in: model.network),
          of: model.network)
      ]
    }
    model.network.setTrainable(stages[0].trainable)
    self.model = model
    self.settings = settings
    // Parts that match nothing are noticed before anything long is done.
    _ = try settings.partRates.factors(in: model.network)
  }

  /// Which outputs of the prefix are kept, for so many photos to train and validate on.
  package func caching(_ stage: Stage, photos: Int, validation: Int) -> Caching {
    let rowBytes = 4 * stage.boundary.shape.reduce(1, *)
    let isFresh = augmentation != nil && augmentation?.views == nil
    let views = augmentation?.views ?? 1
    let kept = (isFresh ? 0 : photos * views) + validation
    let fits = kept * rowBytes <= cacheLimit
    return Caching(
      isFresh: isFresh, views: views, keepsPhotos: fits && !isFresh, keepsValidation: fits,
      bytes: kept * rowBytes,
      total: photos * (fits && !isFresh ? views : 1) + validation)
  }

  /// Trains on a folder; `report` may throw to stop.
  ///
  /// Throws `BrokenTraining` where the loss stopped being a number after some good epochs.
  /// - Parameter keeper: keeps the run, and leads it to where it stood.
  package func run(
    _ folder: PhotoFolder, validation: PhotoFolder?, keeper: RunKeeper? = nil,
    report: (Event) throws -> Void
  ) throws -> Result {
    var run = try Run(trainer: trainer())
    let first = min(keeper?.upcoming?.stageEnds.count ?? 0, stages.count - 1)
    for index in stages.indices.dropFirst(first) {
      try run.trainer.setTrainable(stages[index].trainable)
      let data = try prepared(index, run.trainer.network, folder, validation, run.wait, report)
      run.photos = data.examples.count
      run.validation = data.validation
      if index == first { try begin(&run, data, keeper) }
      try train(&run, stage: index, data, keeper, report)
      if index < stages.count - 1 { run.trainer.endStage() }
    }
    let result = try result(run.trainer.result, run)
    if let last = result.model.history.last { try keeper?.end(last, run.trainer.state) }
    return result
  }

  /// The model as a finished phase of a run that goes on left it, but for its tensors, which the
  /// phase under way has; nil if this phase is not over.
  package func skippingFinished(_ keeper: RunKeeper) -> ClassifierModel? {
    guard let run = keeper.skipFinishedPhase(markedForAllStages(model.network)) else { return nil }
    var model = model
    model.history.append(run)
    return model
  }

  /// What goes with a run from stage to stage.
  private struct Run {
    var trainer: Trainer
    /// The digests of all tensors before the run.
    var before: [[String]] = []
    var photos = 0
    var validation: PrefixedPhotos?
    let wait = PhotoWait()
  }

  /// Takes the digests before the run, and goes on from where an earlier one stood.
  private func begin(_ run: inout Run, _ data: StageData, _ keeper: RunKeeper?) throws {
    let kept = try keeper?.begin(
      markedForAllStages(run.trainer.network), photos: data.digest)
    // A widened network is never that of a later phase: it is as it was before the run.
    run.before = (teacher == nil ? kept?.digests : nil) ?? FreezeProof.digests(model.network)
    if let state = kept?.state { try run.trainer.resume(state) }
    if kept == nil { try keeper?.keep(run.trainer.state) }
  }

  /// The network with all layers marked as trainable that are in any stage; no stage has one that
  /// the last has not.
  private func markedForAllStages(_ network: Network) -> Network {
    var network = network
    network.setTrainable(stages[stages.count - 1].trainable)
    return network
  }

  private func trainer() throws -> Trainer {
    let start =
      try teacher.map { try model.network.widened(by: $0.width, seed: settings.seed) }
      ?? model.network
    return try Trainer(network: start, loss: model.loss, settings: settings)
  }

  /// Trains for one stage, and proves that what is frozen in it did not change.
  private func train(
    _ run: inout Run, stage index: Int, _ data: StageData, _ keeper: RunKeeper?,
    _ report: (Event) throws -> Void
  ) throws {
    let examples = data.examples
    run.trainer.targets = try teacher?.targets(for: examples.fingerprints)
    run.trainer.classWeights = try settings.classWeighting?.weights(
      labels: examples.labels, classNames: model.classNames)
    let digests = stages.count > 1 ? FreezeProof.digests(run.trainer.network) : nil
    let end = (run.trainer.stageEnds.last ?? 0) + stages[index].epochs
    do {
      _ = try run.trainer.train(
        examples, validation: data.validation, through: end,
        checkpoint: { try keeper?.offer($0, $1) },
        report: { event in
          if case .epoch(let result, _) = event, let lost = data.takeLost() {
            try report(.lost(lost, epoch: result.epoch))
          }
          try report(.training(event))
        })
      if index == stages.count - 1 { try run.trainer.requireFinite(on: examples) }
    } catch let error as TrainingError where error.isNotFinite {
      guard let good = run.trainer.lastGood else { throw error }
      throw BrokenTraining(
        model: try result(good.network, run).model, epoch: good.epoch, reason: error)
    }
    if let digests { try FreezeProof(before: digests, after: run.trainer.network).check() }
  }

  private func result(_ network: Network, _ run: Run) throws -> Result {
    let network =
      teacher == nil ? network : try network.narrowed(to: model.network.outputShape[0])
    let proof = FreezeProof(before: run.before, after: network)
    try proof.check()
    var model = model
    model.network = network
    let last = stages[stages.count - 1]
    var record = TrainingRun(
      command: command, trained: last.trainedParts.joined(separator: ", "),
      settings: settings, photos: run.photos, proof: proof.sentence,
      frozenDigest: proof.frozenDigests?.after, augmentation: augmentation,
      teacher: teacher?.name, epochs: run.trainer.history)
    record.unfreezing = schedule?.text
    record.bestEpoch = run.trainer.bestEpoch
    record.stoppedEarly = run.trainer.hasStoppedEarly ? true : nil
    model.history.append(record)
    let predictions = try run.validation.map {
      try run.trainer.predictions(of: $0, by: network, classNames: model.classNames)
    }
    return Result(
      model: model, proof: proof, photoWait: run.wait.share, predictions: predictions)
  }
}
