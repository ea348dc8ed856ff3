import Compute
package import Images

/// What a model says of one photo.
package struct Prediction: Sendable {
  package let photo: Photo
  /// The probability of every class, or why the photo could not be used.
  package let outcome: Result<[Float], ImagesError>

  package init(photo: Photo, outcome: Result<[Float], ImagesError>) {
    (self.photo, self.outcome) = (photo, outcome)
  }

  /// The most probable class and its probability; nil for a photo that failed.
  package var best: (label: Int, probability: Float)? {
    guard case .success(let probabilities) = outcome,
      let label = probabilities.indices.max(by: { probabilities[$0] < probabilities[$1] })
    else { return nil }
    return (label, probabilities[label])
  }
}

extension ClassifierModel {
  /// Predicts photos in their order, giving each to `body`; a photo that fails does not stop it.
  ///
  /// With several views of each photo, its probabilities are their means.
  /// - Parameter report: how many photos are done, after each batch.
  @discardableResult
  package func predict(
    _ photos: [Photo], batchSize: Int, isStrict: Bool = false, report: (Int) throws -> Void,
    _ body: (Prediction) throws -> Void
  ) throws -> PhotoTally {
    let views = loader.testViews.count
    let plan = network.plan(
      outputs: [network.outputIndex], logits: true, precision: precision,
      photos: photos.count * views)
    let pass = PhotoPass(
      loader: loader, plan: plan, batchSize: max(1, batchSize / views), isStrict: isStrict)
    return try pass.run(photos) { batch, logits in
      var probabilities = means(of: loss.probabilities(logits: logits), every: views)[...]
      var failures = batch.failures[...]
      for index in batch.range {
        if let failure = failures.first, failure.index == index {
          failures.removeFirst()
          try body(Prediction(photo: photos[index], outcome: .failure(failure.error)))
        } else if let row = probabilities.popFirst() {
          try body(Prediction(photo: photos[index], outcome: .success(row)))
        }
      }
      try report(batch.range.upperBound)
    }
  }

  /// The mean of each `count` consecutive rows.
  private func means(of rows: [[Float]], every count: Int) -> [[Float]] {
    if count == 1 { return rows }
    return stride(from: 0, to: rows.count, by: count).map { start in
      rows[start].indices.map { column in
        rows[start..<start + count].reduce(0) { $0 + $1[column] } / Float(count)
      }
    }
  }

  /// Measures the model on labelled photos; what it said of each is in the result's `predictions`.
  ///
  /// The folder's classes must be among the model's, by name.
  package func evaluate(
    _ folder: PhotoFolder, path: String, batchSize: Int, isStrict: Bool,
    report: (Int) throws -> Void
  ) throws -> Evaluation {
    let labels = try folder.classNames.map { name in
      guard let label = classNames.firstIndex(of: name) else {
        throw TrainingError.unknownClass(name, folder: path, known: classNames)
      }
      return label
    }
    var predictions = Predictions(classNames: classNames)
    let tally = try predict(
      folder.photos, batchSize: batchSize, isStrict: isStrict, report: report
    ) { prediction in
      guard case .success(let probabilities) = prediction.outcome,
        let label = prediction.photo.label
      else { return }
      predictions.add(
        Predictions.Row(
          path: prediction.photo.relativePath, label: labels[label], probabilities: probabilities))
    }
    guard !predictions.rows.isEmpty else { throw TrainingError.nothingLeft(tally.skipped) }
    return Evaluation(predictions, tally: tally)
  }
}
