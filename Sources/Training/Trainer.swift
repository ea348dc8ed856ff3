package import Compute
import Images
package import Layers

/// Trains the suffix of a network by mini-batches.
package struct Trainer: Sendable {
  package internal(set) var network: Network
  package private(set) var cut: FreezeCut
  package let loss: Loss
  package let settings: TrainingSettings
  /// What the last outputs are to say of each example, `[examples, outputs]`.
  package var targets: Tensor?
  /// What each class's examples count, nil for 1 each.
  package var classWeights: [Double]?
  /// The finished epochs.
  package internal(set) var history: [EpochResult] = []
  /// The epochs after which other layers came to be trained.
  package internal(set) var stageEnds: [Int] = []
  var optimizer: Optimizer
  var random: SeededRandom
  /// Where the next epoch stands, or nil before its first batch.
  var position: TrainingState.Position?
  /// Factors of the learning rate by node.
  var factors: [Int: Float]
  var averages: [Optimizer.Key: Tensor] = [:]
  var plateau = PlateauCounters()
  var stopping = StoppingCounters()
  var snapshots = Snapshots()
  /// Where the last step found numbers that are not finite; it changed nothing then.
  var trouble: NotFinitePlace?

  /// - Parameter targets: numbers that the network's last outputs are to predict for each example,
  ///   `[examples, outputs]`; the outputs before them are the classes.
  package init(
    network: Network, loss: Loss, settings: TrainingSettings, targets: Tensor? = nil
  ) throws(LayerError) {
    self.targets = targets
    self.network = network
    self.network.setBatchStatistics(settings.usesBatchStatistics)
    self.loss = loss
    self.settings = settings
    cut = try FreezeCut(self.network)
    factors = try settings.partRates.factors(in: network)
    optimizer = Optimizer(
      settings.rule, learningRate: settings.learningRate, weightDecay: settings.weightDecay)
    random = SeededRandom(seed: settings.seed)
  }

  /// Trains other layers from now on; what is remembered of all tensors is kept.
  package mutating func setTrainable(_ trainable: Set<Int>) throws(LayerError) {
    network.setTrainable(trainable)
    network.setBatchStatistics(settings.usesBatchStatistics)
    cut = try FreezeCut(network)
  }

  /// Notes that other layers come to be trained, which may make better what no longer got better.
  package mutating func endStage() {
    stageEnds.append(history.count)
    stopping.hasStopped = false
    stopping.wait = 0
  }

  /// Whether no epoch up to the given one is left to run.
  package func isFinished(through last: Int) -> Bool {
    history.count >= last || stopping.hasStopped
  }

  /// Whether the run ended before its last epoch because nothing got better.
  package var hasStoppedEarly: Bool { stopping.hasStopped && history.count < settings.epochs }

  /// Runs the epochs that are left.
  ///
  /// - Parameters:
  ///   - last: the epoch to stay after; all of them by default.
  ///   - checkpoint: offered the state after every batch and every epoch, before `report`.
  ///   - report: may throw to stop.
  /// - Returns: all epochs, also those of an earlier run that this one goes on from.
  package mutating func train(
    _ examples: some Examples, validation: (any Examples)?, through last: Int? = nil,
    checkpoint: Checkpoint = { _, _ in }, report: (TrainingEvent) throws -> Void
  ) throws -> [EpochResult] {
    TensorMemory.keep()
    while !isFinished(through: min(last ?? settings.epochs, settings.epochs)) {
      let start = ContinuousClock.now
      let before = position?.seconds ?? 0
      let (loss, accuracy) = try trainEpoch(examples, start, checkpoint, report)
      try requireFiniteParameters()
      let validated = try validation.map { try validate($0) }
      let result = EpochResult(
        epoch: history.count + 1, loss: loss, accuracy: accuracy,
        validationLoss: validated?.loss, validationAccuracy: validated?.accuracy,
        learningRate: Double("\(rate(step: optimizer.step - 1, examples.count))"),
        seconds: before + (ContinuousClock.now - start) / .seconds(1))
      history.append(result)
      position = nil
      watch(result)
      try checkpoint(.epoch) { state }
      try report(.epoch(result, of: settings.epochs))
    }
    return history
  }

  private mutating func trainEpoch(
    _ examples: some Examples, _ start: ContinuousClock.Instant, _ checkpoint: Checkpoint,
    _ report: (TrainingEvent) throws -> Void
  ) throws -> (loss: Double, accuracy: Double) {
    let epoch = history.count + 1
    var place = position ?? .init(order: order(examples.count))
    let before = place.seconds
    let order = place.order
    let batches = stride(from: 0, to: order.count, by: settings.batchSize).map {
      Array(order[$0..<min($0 + settings.batchSize, order.count)])
    }
    let left = Array(batches.dropFirst(place.batches))
    try examples.forEachBatch(left, epoch: epoch) { indices, values, mixtures in
      optimizer.learningRate = rate(step: optimizer.step, order.count)
      let step = trainStep(
        values, labels: indices.map { examples.labels[$0] }, mixtures: mixtures,
        targets: targets?.gatheringRows(indices))
      place.batches += 1
      if let trouble {
        throw TrainingError.notFinite(epoch: epoch, batch: place.batches, place: trouble)
      }
      snapshots.confirm()
      place.loss += step.loss * Double(indices.count)
      place.right += step.right
      place.examples += indices.count
      place.seconds = before + (ContinuousClock.now - start) / .seconds(1)
      position = place
      try checkpoint(.batch) { state }
      try report(
        .batch(
          epoch: epoch, done: place.examples, of: order.count,
          loss: place.loss / Double(place.examples),
          accuracy: Double(place.right) / Double(place.examples)))
    }
    let count = Double(max(place.examples, 1))
    return (place.loss / count, Double(place.right) / count)
  }

  /// The learning rate of a step counted from 0, for so many examples.
  private func rate(step: Int, _ examples: Int) -> Float {
    let perEpoch = (examples + settings.batchSize - 1) / settings.batchSize
    let share = settings.schedule.share(
      step: step, stepsPerEpoch: perEpoch, epochs: settings.epochs)
    let rate = settings.learningRate * Float(share)
    return plateau.factor == 1 ? rate : Float(Double(rate) * plateau.factor)
  }

  private mutating func order(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    if settings.shuffles { order.shuffle(using: &random) }
    return order
  }
}
