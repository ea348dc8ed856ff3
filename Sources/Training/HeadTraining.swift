import Compute
import Foundation
package import Layers

/// Trains a head on cached features and joins it with the base they came from.
package struct HeadTraining {
  package let features: FeatureFile
  package let validation: FeatureFile?
  package let head: HeadPlan
  package let settings: TrainingSettings

  /// Throws when the two files do not belong together or have no labels.
  package init(
    features: FeatureFile, validation: FeatureFile?, head: HeadPlan, settings: TrainingSettings
  ) throws {
    for file in [features, validation].compactMap({ $0 }) {
      guard file.isComplete else {
        throw TrainingError.incomplete(file.path, rows: file.rows.count)
      }
      guard !file.classNames.isEmpty else { throw TrainingError.unlabelled(file.path) }
    }
    guard features.classNames.count >= 2 else {
      throw TrainingError.tooFewClasses(features.path, found: features.classNames)
    }
    if let validation {
      if let why = features.source.mismatch(with: validation.source) {
        throw TrainingError.doNotBelongTogether(features.path, validation.path, why: why)
      }
      guard features.classNames == validation.classNames else {
        throw TrainingError.otherClasses(
          features.path, features.classNames, validation.path, validation.classNames)
      }
    }
    self.features = features
    self.validation = validation
    self.head = head
    self.settings = settings
  }

  /// How many photos of the validation file are, byte for byte, also trained on.
  package var sharedPhotos: Int {
    let trained = Set(features.rows.map(\.fingerprint))
    return validation?.rows.count { trained.contains($0.fingerprint) } ?? 0
  }

  /// Trains, and returns the whole model with the epochs' results in its history.
  ///
  /// Throws `BrokenTraining` where the loss stopped being a number after some good epochs.
  /// - Parameters:
  ///   - base: the base the features came from, its fingerprint already checked.
  ///   - keeper: keeps the run, and leads it to where it stood.
  package func run(
    base: Network, baseDescription: String, keeper: RunKeeper? = nil,
    report: (TrainingEvent) throws -> Void
  ) throws -> ClassifierModel {
    let examples = try features.examples()
    let validation = try validation?.examples()
    var random = SeededRandom(seed: settings.seed)
    var head = Network(name: "head", inputShape: features.rowShape, inputName: "features")
    try self.head.add(
      to: &head, classCount: features.classNames.count, random: &random,
      taken: Set(base.nodes.map(\.name)))
    let before = FreezeProof.digests(head)

    var trainer = try Trainer(
      network: head, loss: Loss(classCount: features.classNames.count), settings: settings)
    // Flatten has nothing to learn, so the cut lies above it and rows enter as it leaves them.
    let rowShape = trainer.network.nodes[trainer.cut.boundary].shape
    let kept = try keeper?.begin(head, photos: digest)
    if let state = kept?.state { try trainer.resume(state) }
    if kept == nil { try keeper?.keep(trainer.state) }
    let rows = examples.reshaped(rowShape)
    trainer.classWeights = try settings.classWeighting?.weights(
      labels: rows.labels, classNames: features.classNames)
    func model(_ head: Network) throws -> ClassifierModel {
      try joined(base, head, before: before, trainer, baseDescription)
    }
    do {
      _ = try trainer.train(
        rows, validation: validation?.reshaped(rowShape),
        checkpoint: { try keeper?.offer($0, $1) }, report: report)
      try trainer.requireFinite(on: rows)
    } catch let error as TrainingError where error.isNotFinite {
      guard let good = trainer.lastGood else { throw error }
      throw BrokenTraining(model: try model(good.network), epoch: good.epoch, reason: error)
    }
    let whole = try model(trainer.result)
    if let run = whole.history.last { try keeper?.end(run, trainer.state) }
    return whole
  }

  /// A digest of the photos that the features are of.
  private var digest: String {
    let rows = features.rows + (validation?.rows ?? [])
    return RunKeeper.digest(of: rows.map(\.fingerprint), labels: rows.map { $0.label ?? 0 })
  }

  /// The base with a trained head, and the proof that the base did not change.
  private func joined(
    _ base: Network, _ head: Network, before: [[String]], _ trainer: Trainer,
    _ baseDescription: String
  ) throws -> ClassifierModel {
    var network = base
    for node in head.nodes.dropFirst() { try network.add(node.layer) }
    network.declareHead(from: base.nodes.count)
    for index in network.nodes.indices {
      network.setTrainable(at: index, index >= base.nodes.count)
    }
    let unchanged = FreezeProof.digests(base)
    let proof = FreezeProof(before: unchanged + before.dropFirst(), after: network)
    try proof.check()
    var run = TrainingRun(
      command: "train-head", trained: "the head", settings: settings,
      photos: features.rows.count, proof: proof.sentence,
      frozenDigest: proof.frozenDigests?.after, epochs: trainer.history)
    run.bestEpoch = trainer.bestEpoch
    run.stoppedEarly = trainer.hasStoppedEarly ? true : nil
    return ClassifierModel(
      network: network, classNames: features.classNames, loader: features.source.loader,
      history: [run], baseDescription: baseDescription)
  }
}
