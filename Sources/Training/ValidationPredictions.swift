import Compute
import Layers

extension Trainer {
  /// What a network of the trainer's shape says of examples, as far as they can be read.
  func predictions(
    of examples: PrefixedPhotos, by network: Network, classNames: [String]
  ) throws -> Predictions {
    let plan = network.plan(from: [cut.boundary], to: [network.outputIndex], logits: true)
    var (read, probabilities): ([Int], [[Float]]) = ([], [])
    for start in stride(from: 0, to: examples.count, by: 100) {
      let wanted = Array(start..<min(start + 100, examples.count))
      let (indices, values) = try examples.readable(at: wanted)
      if indices.isEmpty { continue }
      read += indices
      probabilities += loss.probabilities(logits: plan.run(values)[0])
    }
    return Predictions(
      classNames: classNames, paths: read.map { examples.paths[$0] },
      labels: read.map { examples.labels[$0] }, probabilities)
  }
}

extension HeadTraining {
  /// What the trained model says of the photos to validate on, from their stored features.
  package func validationPredictions(of model: ClassifierModel) throws -> Predictions? {
    guard let validation else { return nil }
    let network = model.network
    let plan = network.plan(
      from: [network.headStart - 1], to: [network.outputIndex], logits: true)
    let examples = try validation.examples()
    let probabilities = stride(from: 0, to: examples.count, by: 100).flatMap { start in
      let indices = Array(start..<min(start + 100, examples.count))
      return model.loss.probabilities(logits: plan.run(examples.values(at: indices))[0])
    }
    return Predictions(
      classNames: model.classNames, paths: validation.rows.map(\.path), labels: examples.labels,
      probabilities)
  }
}

extension Predictions {
  /// - Parameter probabilities: of every class, for each path and label.
  init(
    classNames: [String], paths: [String], labels: [Int], _ probabilities: [[Float]]
  ) {
    self.init(
      classNames: classNames,
      rows: zip(zip(paths, labels), probabilities).map {
        Row(path: $0.0, label: $0.1, probabilities: $1)
      })
  }
}
