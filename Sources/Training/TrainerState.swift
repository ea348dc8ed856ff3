import Compute
import Layers

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
    state.stageEnds = stageEnds
    state.plateau = plateau
    state.stopping = stopping
    state.averages = names.keys.compactMap { key, name in
      averages[key].map { .init(name, $0) }
    }
    state.best = snapshots.best.map { best in
      let changed = names.keys.filter { best.network[$0.key] != network[$0.key] }
      return .init(
        epoch: best.epoch, value: best.value,
        parameters: changed.map { .init($0.name, best.network[$0.key]) })
    }
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
    let names = TensorNames(network)
    try network.take(state.parameters)
    try optimizer.resume(step: state.step, memories: memories(state.slots, names))
    random = SeededRandom(words: state.random)
    history = state.history
    position = state.position
    stageEnds = state.stageEnds
    (plateau, stopping) = (state.plateau, state.stopping)
    averages = [:]
    for average in state.averages { averages[try names.key(average.name)] = average.tensor }
    snapshots = Snapshots()
    if position == nil, let last = history.last {
      snapshots.note(
        .init(epoch: last.epoch, value: 0, network: averaged),
        isConfirmed: last.validationLoss != nil)
    }
    snapshots.best = try state.best.map { best in
      var earlier = network
      try earlier.take(best.parameters)
      return .init(epoch: best.epoch, value: best.value, network: earlier)
    }
  }

  private func memories(
    _ slots: [TrainingState.Slot], _ names: TensorNames
  ) throws -> [Optimizer.Key: Optimizer.Memory] {
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
