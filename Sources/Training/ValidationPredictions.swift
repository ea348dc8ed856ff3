import Compute
import Layers

extension Trainer {
  /// What the network says of the examples that can still be read.
  ///
  /// - Parameter paths: the examples' photos, below the data folder.
  func predictions(
    of examples: some Examples, paths: [String], classNames: [String]
  ) throws -> Predictions {
    let plan = network.plan(from: [cut.boundary], to: [network.outputIndex], logits: true)
    // Behind the classes there may be what a teacher is imitated in.
    let outputs = classNames.count == 2 ? 1 : classNames.count
    var predictions = Predictions(classNames: classNames)
    for start in stride(from: 0, to: examples.count, by: 100) {
      let wanted = Array(start..<min(start + 100, examples.count))
      let (indices, values) = try examples.readable(at: wanted)
      if indices.isEmpty { continue }
      let logits = plan.run(values)[0].firstColumns(outputs)
      for (index, row) in zip(indices, loss.probabilities(logits: logits)) {
        predictions.add(
          .init(path: paths[index], label: examples.labels[index], probabilities: row))
      }
    }
    return predictions
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
    let rows = stride(from: 0, to: examples.count, by: 100).flatMap { start in
      let indices = Array(start..<min(start + 100, examples.count))
      let logits = plan.run(examples.values(at: indices))[0]
      return zip(indices, model.loss.probabilities(logits: logits)).map { index, row in
        Predictions.Row(
          path: validation.rows[index].path, label: examples.labels[index], probabilities: row)
      }
    }
    return Predictions(classNames: model.classNames, rows: rows)
  }
}
