import Foundation

/// How well a model does on labelled photos.
package struct Evaluation: Sendable {
  package let classNames: [String]
  /// How many photos of a class (row) were taken for a class (column).
  package private(set) var confusion: [[Int]]
  package var tally = PhotoTally()
  private var lossSum = 0.0

  package init(classNames: [String]) {
    self.classNames = classNames
    confusion = classNames.map { _ in [Int](repeating: 0, count: classNames.count) }
  }

  /// Counts one photo, given the probability that the model gave to its own class.
  package mutating func add(label: Int, predicted: Int, _ probabilityOfLabel: Float) {
    confusion[label][predicted] += 1
    // Keras clips probabilities by the same epsilon before taking the logarithm.
    lossSum -= log(Double(min(max(probabilityOfLabel, 1e-7), 1 - 1e-7)))
  }

  package var count: Int { confusion.joined().reduce(0, +) }
  package var right: Int { classNames.indices.reduce(0) { $0 + confusion[$1][$1] } }
  package var accuracy: Double { Double(right) / Double(max(count, 1)) }
  package var loss: Double { lossSum / Double(max(count, 1)) }

  /// The 95 % interval of the accuracy (Wilson 1927).
  package var accuracyInterval: ClosedRange<Double> {
    let (n, p, z) = (Double(max(count, 1)), accuracy, 1.959964)
    let center = (p + z * z / (2 * n)) / (1 + z * z / n)
    let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    return max(0, center - half)...min(1, center + half)
  }
}
