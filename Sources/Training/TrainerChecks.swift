import Layers

extension Trainer {
  func place(of pass: SuffixPass) -> NotFinitePlace {
    if let name = network.notFiniteParameter { return .parameter(name) }
    guard let name = network.notFiniteLayer(of: pass, cut) else { return .loss }
    return name == network.nodes[cut.boundary].name ? .values(name) : .layer(name)
  }

  func requireFiniteParameters() throws {
    if let name = network.notFiniteParameter {
      throw TrainingError.notFinite(epoch: history.count + 1, place: .parameter(name))
    }
  }

  func validate(_ examples: any Examples) throws -> (loss: Double, accuracy: Double) {
    let result = try evaluate(examples)
    guard result.loss.isFinite else {
      throw TrainingError.notFinite(
        epoch: history.count + 1, place: try place(on: examples, Array(0..<examples.count)))
    }
    return result
  }

  /// The first place among examples where the averaged network gives no finite numbers.
  private func place(on examples: any Examples, _ all: [Int]) throws -> NotFinitePlace {
    for start in stride(from: 0, to: all.count, by: settings.batchSize) {
      let wanted = Array(all[start..<min(start + settings.batchSize, all.count)])
      let (indices, values) = try examples.readable(at: wanted)
      if indices.isEmpty { continue }
      var copy = self
      copy.network = averaged
      _ = copy.trainStep(
        values, labels: indices.map { examples.labels[$0] })
      if let trouble = copy.trouble { return trouble }
    }
    return .loss
  }

  /// Throws `TrainingError.notFinite` where the trained network gives no numbers any more, which
  /// the losses of its steps need not show: they are those before each step.
  func requireFinite(on examples: some Examples) throws {
    let first = Array(0..<min(examples.count, settings.batchSize))
    let (indices, values) = try examples.readable(at: first)
    if indices.isEmpty { return }
    let sample = CachedExamples(features: values, labels: indices.map { examples.labels[$0] })
    guard try evaluate(sample).loss.isFinite else {
      throw TrainingError.notFinite(
        epoch: history.count, place: try place(on: sample, Array(0..<sample.count)))
    }
  }
}
