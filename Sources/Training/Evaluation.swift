import Foundation

/// How well a model does on labelled photos.
package struct Evaluation: Sendable {
  package let predictions: Predictions
  /// How many photos of a class (row) were taken for a class (column).
  package let confusion: [[Int]]
  package let tally: PhotoTally

  package init(_ predictions: Predictions, tally: PhotoTally) {
    self.predictions = predictions
    self.tally = tally
    confusion = predictions.confusion
  }

  package var classNames: [String] { predictions.classNames }
  package var count: Int { predictions.rows.count }
  package var right: Int { classNames.indices.reduce(0) { $0 + confusion[$1][$1] } }
  package var accuracy: Double { Double(right) / Double(max(count, 1)) }
  package var loss: Double {
    predictions.rows.reduce(0) { $0 + $1.loss } / Double(max(count, 1))
  }

  /// The 95 % interval of the accuracy (Wilson 1927).
  package var accuracyInterval: ClosedRange<Double> { wilsonInterval(right, of: count) }
}

extension Predictions.Row {
  /// The cross-entropy of one photo.
  package var loss: Double {
    // Keras clips probabilities by the same epsilon before taking the logarithm.
    -log(Double(min(max(probabilities[label], 1e-7), 1 - 1e-7)))
  }
}

/// The 95 % interval of a share of which `right` of `count` were counted.
///
/// The score interval of Wilson 1927 ("Probable inference, the law of succession, and statistical
/// inference") without correction for continuity.
package func wilsonInterval(_ right: Int, of count: Int) -> ClosedRange<Double> {
  let n = Double(max(count, 1))
  let (p, z) = (Double(right) / n, 1.959964)
  let center = (p + z * z / (2 * n)) / (1 + z * z / n)
  let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
  return max(0, center - half)...min(1, center + half)
}
