package import Compute
package import Images
package import Layers

/// What a training run is told; the defaults are the book's.
package struct TrainingSettings: Sendable {
  package var epochs: Int
  package var batchSize: Int
  package var rule: Optimizer.Rule
  package var learningRate: Float
  package var schedule = LearningRateSchedule()
  /// The share of each target that is spread evenly over all classes.
  package var labelSmoothing: Float = 0
  package var seed: UInt64
  /// Whether each epoch takes the examples in a new order.
  package var shuffles = true

  package init(
    epochs: Int = 30, batchSize: Int = 20, rule: Optimizer.Rule = .rmsprop(),
    learningRate: Float = 2e-5, seed: UInt64 = 0
  ) {
    self.epochs = epochs
    self.batchSize = batchSize
    self.rule = rule
    self.learningRate = learningRate
    self.seed = seed
  }
}

/// What one epoch gave: means over the examples, as Keras's history has them.
package struct EpochResult: Codable, Sendable, Equatable {
  package let epoch: Int
  package let loss: Double
  package let accuracy: Double
  package let validationLoss: Double?
  package let validationAccuracy: Double?

  enum CodingKeys: String, CodingKey {
    case epoch, loss, accuracy
    case validationLoss = "val_loss"
    case validationAccuracy = "val_accuracy"
  }
}

/// What a trainer reports while it runs.
package enum TrainingEvent: Sendable {
  /// A batch is done: how many examples of how many, and the epoch's mean loss so far.
  case batch(epoch: Int, done: Int, of: Int, loss: Double, accuracy: Double)
  case epoch(EpochResult, of: Int)
}

/// Examples as the network's frozen prefix leaves them, in an order that can be drawn from.
package protocol Examples {
  var labels: [Int] { get }
  /// The prefix's output `[indices.count, ...]` for the given examples.
  func values(at indices: [Int]) throws -> Tensor
  /// Calls `body` with each batch of examples and the prefix's output for it, in the order given.
  ///
  /// - Parameters:
  ///   - epoch: counted from 1; examples may look different in each.
  ///   - body: gets what other classes have a share in the examples, nothing if none has.
  func forEachBatch(
    _ batches: [[Int]], epoch: Int, _ body: ([Int], Tensor, [LabelMixture?]) throws -> Void
  ) throws
}

extension Examples {
  package func forEachBatch(
    _ batches: [[Int]], epoch: Int, _ body: ([Int], Tensor, [LabelMixture?]) throws -> Void
  ) throws {
    for indices in batches { try body(indices, values(at: indices), []) }
  }

  package var count: Int { labels.count }
}

/// Examples whose prefix outputs are all in memory.
package struct CachedExamples: Examples, Sendable {
  package let features: Tensor
  package let labels: [Int]

  package init(features: Tensor, labels: [Int]) {
    precondition(features.shape[0] == labels.count, "one label a row is needed")
    self.features = features
    self.labels = labels
  }

  package func values(at indices: [Int]) -> Tensor { features.gatheringRows(indices) }

  /// The same examples with rows of another shape of the same count.
  package func reshaped(_ rowShape: [Int]) -> CachedExamples {
    CachedExamples(features: features.reshaped([count] + rowShape), labels: labels)
  }
}

/// Trains the suffix of a network by mini-batches.
package struct Trainer: Sendable {
  package private(set) var network: Network
  package let cut: FreezeCut
  package let loss: Loss
  package let settings: TrainingSettings
  private var optimizer: Optimizer
  private var random: SeededRandom
  /// What the last outputs are to say of each example, `[examples, outputs]`.
  private let targets: Tensor?

  /// - Parameter targets: numbers that the network's last outputs are to predict for each example,
  ///   `[examples, outputs]`; the outputs before them are the classes.
  package init(
    network: Network, loss: Loss, settings: TrainingSettings, targets: Tensor? = nil
  ) throws(LayerError) {
    self.targets = targets
    self.network = network
    self.loss = loss
    self.settings = settings
    cut = try FreezeCut(network)
    optimizer = Optimizer(settings.rule, learningRate: settings.learningRate)
    random = SeededRandom(seed: settings.seed)
  }

  /// Runs all epochs; `report` may throw to stop.
  package mutating func train(
    _ examples: some Examples, validation: (any Examples)?,
    report: (TrainingEvent) throws -> Void
  ) throws -> [EpochResult] {
    TensorMemory.keep()
    var history: [EpochResult] = []
    for epoch in 1...max(settings.epochs, 1) where settings.epochs > 0 {
      let (loss, accuracy) = try trainEpoch(epoch, examples, report)
      let validation = try validation.map { try evaluate($0) }
      let result = EpochResult(
        epoch: epoch, loss: loss, accuracy: accuracy, validationLoss: validation?.loss,
        validationAccuracy: validation?.accuracy)
      history.append(result)
      try report(.epoch(result, of: settings.epochs))
    }
    return history
  }

  private mutating func trainEpoch(
    _ epoch: Int, _ examples: some Examples, _ report: (TrainingEvent) throws -> Void
  ) throws -> (loss: Double, accuracy: Double) {
    var order = Array(0..<examples.count)
    if settings.shuffles { order.shuffle(using: &random) }
    var (lossSum, right, done) = (0.0, 0, 0)
    let batches = stride(from: 0, to: order.count, by: settings.batchSize).map {
      Array(order[$0..<min($0 + settings.batchSize, order.count)])
    }
    try examples.forEachBatch(batches, epoch: epoch) { indices, values, mixtures in
      let labels = indices.map { examples.labels[$0] }
      let share = settings.schedule.share(
        step: optimizer.step, stepsPerEpoch: batches.count, epochs: settings.epochs)
      optimizer.learningRate = settings.learningRate * Float(share)
      let step = trainStep(
        values, labels: labels, mixtures: mixtures,
        targets: targets?.gatheringRows(indices))
      lossSum += step.loss * Double(indices.count)
      right += step.right
      done += indices.count
      try report(
        .batch(
          epoch: epoch, done: done, of: order.count, loss: lossSum / Double(done),
          accuracy: Double(right) / Double(done)))
    }
    return (lossSum / Double(max(done, 1)), Double(right) / Double(max(done, 1)))
  }

  /// One optimizer step on one batch of prefix outputs.
  ///
  /// - Returns: the batch's mean loss of the classes and how many predictions were right, before the
  ///   step.
  package mutating func trainStep(
    _ values: Tensor, labels: [Int], mixtures: [LabelMixture?] = [], targets: Tensor? = nil
  ) -> (loss: Double, right: Int) {
    let pass = network.forward(suffix: cut, from: values, random: &random)
    let logits = pass.logits.firstColumns(pass.logits.shape[1] - (targets?.shape[1] ?? 0))
    var (loss, gradient) = loss.value(
      logits: logits, labels: labels, mixtures: mixtures, smoothing: settings.labelSmoothing)
    if let targets {
      gradient = Teacher.gradient(
        outputs: pass.logits, targets: targets, classGradient: gradient)
    }
    let gradients = network.backward(suffix: cut, pass: pass, logitsGradient: gradient)
    optimizer.beginStep()
    for (node, gradients) in gradients.sorted(by: { $0.key < $1.key }) {
      network.updateLayer(at: node) { layer in
        for (index, gradient) in gradients.enumerated() {
          optimizer.update(
            .init(node: node, parameter: index), &layer.parameters[index].value,
            gradient: gradient)
        }
      }
    }
    return (loss, self.loss.right(logits: logits, labels: labels))
  }

  /// Loss and accuracy of the present network on examples, without training.
  package func evaluate(_ examples: some Examples) throws -> (loss: Double, accuracy: Double) {
    let plan = network.plan(from: [cut.boundary], to: [network.outputIndex], logits: true)
    var (lossSum, right) = (0.0, 0)
    for start in stride(from: 0, to: examples.count, by: 100) {
      let indices = Array(start..<min(start + 100, examples.count))
      let labels = indices.map { examples.labels[$0] }
      let outputs = plan.run(try examples.values(at: indices))[0]
      let logits = outputs.firstColumns(outputs.shape[1] - (targets?.shape[1] ?? 0))
      lossSum += loss.losses(
        logits: logits, labels: labels, smoothing: settings.labelSmoothing
      ).reduce(0, +)
      right += loss.right(logits: logits, labels: labels)
    }
    let count = Double(max(examples.count, 1))
    return (lossSum / count, Double(right) / count)
  }
}
