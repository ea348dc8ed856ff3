package import Compute
package import Images
package import Layers

/// Trains the suffix of a network by mini-batches.
package struct Trainer: Sendable {
  package private(set) var network: Network
  package let cut: FreezeCut
  package let loss: Loss
  package let settings: TrainingSettings
  /// The finished epochs.
  package private(set) var history: [EpochResult] = []
  private var optimizer: Optimizer
  private var random: SeededRandom
  /// Where the next epoch stands, or nil before its first batch.
  private var position: TrainingState.Position?
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

  /// Runs the epochs that are left.
  ///
  /// - Parameters:
  ///   - checkpoint: offered the state after every batch and every epoch, before `report`.
  ///   - report: may throw to stop.
  /// - Returns: all epochs, also those of an earlier run that this one goes on from.
  package mutating func train(
    _ examples: some Examples, validation: (any Examples)?,
    checkpoint: Checkpoint = { _, _ in }, report: (TrainingEvent) throws -> Void
  ) throws -> [EpochResult] {
    TensorMemory.keep()
    while history.count < settings.epochs {
      let start = ContinuousClock.now
      let before = position?.seconds ?? 0
      let (loss, accuracy) = try trainEpoch(examples, start, checkpoint, report)
      let validation = try validation.map { try evaluate($0) }
      let result = EpochResult(
        epoch: history.count + 1, loss: loss, accuracy: accuracy,
        validationLoss: validation?.loss, validationAccuracy: validation?.accuracy,
        learningRate: Double("\(rate(step: optimizer.step - 1, examples.count))"),
        seconds: before + (ContinuousClock.now - start) / .seconds(1))
      history.append(result)
      position = nil
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
      let labels = indices.map { examples.labels[$0] }
      optimizer.learningRate = rate(step: optimizer.step, order.count)
      let step = trainStep(
        values, labels: labels, mixtures: mixtures,
        targets: targets?.gatheringRows(indices))
      place.loss += step.loss * Double(indices.count)
      place.right += step.right
      place.examples += indices.count
      place.batches += 1
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
    return settings.learningRate * Float(share)
  }

  private mutating func order(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    if settings.shuffles { order.shuffle(using: &random) }
    return order
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
    var (lossSum, right, count) = (0.0, 0, 0)
    for start in stride(from: 0, to: examples.count, by: 100) {
      let wanted = Array(start..<min(start + 100, examples.count))
      let (indices, values) = try examples.readable(at: wanted)
      if indices.isEmpty { continue }
      let labels = indices.map { examples.labels[$0] }
      let outputs = plan.run(values)[0]
      let logits = outputs.firstColumns(outputs.shape[1] - (targets?.shape[1] ?? 0))
      lossSum += loss.losses(
        logits: logits, labels: labels, smoothing: settings.labelSmoothing
      ).reduce(0, +)
      right += loss.right(logits: logits, labels: labels)
      count += indices.count
    }
    return (lossSum / Double(max(count, 1)), Double(right) / Double(max(count, 1)))
  }
}

extension Trainer {
  /// All that the run needs to go on.
  package var state: TrainingState {
    let names = TensorNames(network)
    let slotNames = optimizer.rule.slotNames
    let slots = names.keys.compactMap { key, name in
      optimizer.memories[key].map { memory in
        TrainingState.Slot(
          parameter: name, steps: memory.steps,
          tensors: zip(slotNames, memory.slots).map { .init($0, $1) })
      }
    }
    var state = TrainingState(
      parameters: network.namedTensors, rule: optimizer.rule.name, step: optimizer.step,
      slots: slots, random: random.words, history: history)
    state.position = position
    return state
  }

  /// Goes on from a state of a run that was set up alike.
  ///
  /// Throws `TrainingError.otherState` where it does not fit.
  package mutating func resume(_ state: TrainingState) throws {
    guard state.rule == optimizer.rule.name else {
      throw TrainingError.otherState("the optimizer \(state.rule), not \(optimizer.rule.name)")
    }
    guard state.random.count == 4, state.random.contains(where: { $0 != 0 }) else {
      throw TrainingError.otherState("a generator of \(state.random)")
    }
    try network.take(state.parameters)
    try optimizer.resume(step: state.step, memories: memories(state.slots))
    random = SeededRandom(words: state.random)
    history = state.history
    position = state.position
  }

  private func memories(
    _ slots: [TrainingState.Slot]
  ) throws -> [Optimizer.Key: Optimizer.Memory] {
    let names = TensorNames(network)
    var memories: [Optimizer.Key: Optimizer.Memory] = [:]
    for slot in slots {
      let key = try names.key(slot.parameter)
      guard slot.tensors.map(\.name) == optimizer.rule.slotNames,
        slot.tensors.allSatisfy({ $0.tensor.shape == network[key].shape })
      else {
        throw TrainingError.otherState(
          "\(slot.tensors.map { "\($0.name) \($0.tensor.shape)" }) of '\(slot.parameter)'")
      }
      memories[key] = .init(steps: slot.steps, slots: slot.tensors.map(\.tensor))
    }
    return memories
  }
}
