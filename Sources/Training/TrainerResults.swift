import Compute
package import Layers

extension Trainer {
  /// The network with averages in place of the weights that have one.
  package var averaged: Network {
    var network = network
    for (key, tensor) in averages {
      network.updateLayer(at: key.node) { $0.parameters[key.parameter].value = tensor }
    }
    return network
  }

  /// What the run gives: the best weights where it may stop early, else the last, averaged where
  /// that was asked for.
  package var result: Network {
    snapshots.best.map { flagged($0.network) } ?? averaged
  }

  /// The epoch whose weights the result has, where it is not simply the last.
  package var bestEpoch: Int? { snapshots.best?.epoch }

  /// The weights that can be kept of a run whose loss is no number any more.
  package var lastGood: (epoch: Int, network: Network)? {
    (snapshots.best ?? snapshots.good).map { ($0.epoch, flagged($0.network)) }
  }

  /// An earlier network with the present flags of what is trainable.
  private func flagged(_ earlier: Network) -> Network {
    var earlier = earlier
    for (index, node) in network.nodes.enumerated() {
      earlier.setTrainable(at: index, node.isTrainable)
    }
    return earlier
  }

  /// Loss and accuracy of the present network on examples, without training.
  package func evaluate(_ examples: some Examples) throws -> (loss: Double, accuracy: Double) {
    let network = averaged
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
        logits: logits, labels: labels, smoothing: settings.labelSmoothing, focal: settings.focal
      ).reduce(0, +)
      right += loss.right(logits: logits, labels: labels)
      count += indices.count
    }
    let examples = Double(max(count, 1))
    return (lossSum / examples + penalty(of: network), Double(right) / examples)
  }

  mutating func watch(_ result: EpochResult) {
    snapshots.note(
      .init(epoch: result.epoch, value: 0, network: averaged),
      isConfirmed: result.validationLoss != nil)
    let monitor = settings.monitor ?? (result.validationLoss == nil ? .loss : .validationLoss)
    guard let value = monitor.value(of: result) else { return }
    settings.plateau?.watch(
      value, monitor, rate: Double(settings.learningRate), &plateau)
    let isFirst = history.count == 1
    if settings.stopping?.watch(value, monitor, isFirst: isFirst, &stopping) == true {
      snapshots.best = .init(epoch: result.epoch, value: value, network: averaged)
    }
  }
}
