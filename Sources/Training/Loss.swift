package import Compute
import Foundation

/// The loss that a classifier is trained by, taken on its logits.
package enum Loss: String, Sendable {
  /// Two classes, one sigmoid output; the label is the probability of the second class.
  case binaryCrossentropy = "binary_crossentropy"
  /// One softmax output a class.
  case categoricalCrossentropy = "categorical_crossentropy"

  /// The loss for a number of classes: one output for two, as in the book, else one a class.
  package init(classCount: Int) {
    self = classCount == 2 ? .binaryCrossentropy : .categoricalCrossentropy
  }

  /// The mean loss of a batch and its gradient with respect to the logits `[n, outputs]`.
  ///
  /// - Parameter smoothing: the share of each target that is spread evenly over all classes
  ///   (Szegedy and others 2015), Keras's `label_smoothing`.
  package func value(
    logits: Tensor, labels: [Int], smoothing: Float = 0, focal: FocalLoss? = nil
  ) -> (loss: Double, gradient: Tensor) {
    if let focal {
      return focalValue(logits: logits, labels: labels, smoothing: smoothing, focal)
    }
    let n = labels.count
    precondition(logits.shape.first == n, "\(n) labels do not fit logits \(logits.shape)")
    var gradient = Tensor(zeros: logits.shape)
    var total = 0.0
    let width = logits.shape[1]
    let share = 1 / Float(max(n, 1))
    for row in 0..<n {
      total += rowLoss(
        logits.scalars, row: row, width: width, label: labels[row], smoothing: smoothing)
      let probabilities = rowProbabilities(logits.scalars, row: row, width: width)
      for column in 0..<width {
        let target = target(labels[row], column, width: width, smoothing: smoothing)
        gradient.scalars[row * width + column] = (probabilities[column] - target) * share
      }
    }
    return (total / Double(max(n, 1)), gradient)
  }

  /// Each photo's own loss.
  package func losses(
    logits: Tensor, labels: [Int], smoothing: Float = 0, focal: FocalLoss? = nil
  ) -> [Double] {
    if let focal {
      return labels.indices.map { row in
        focalRow(logits, row: row, label: labels[row], smoothing: smoothing, focal).loss
      }
    }
    return labels.indices.map {
      rowLoss(
        logits.scalars, row: $0, width: logits.shape[1], label: labels[$0], smoothing: smoothing)
    }
  }

  /// What output `column` should say for a label.
  func target(_ label: Int, _ column: Int, width: Int, smoothing: Float) -> Float {
    switch self {
    case .binaryCrossentropy: Float(label) * (1 - smoothing) + smoothing / 2
    case .categoricalCrossentropy:
      (label == column ? 1 - smoothing : 0) + smoothing / Float(width)
    }
  }

  /// How many rows put their own class first; a probability of one half counts as the first class.
  package func right(logits: Tensor, labels: [Int]) -> Int {
    let width = logits.shape[1]
    return labels.indices.count { row in
      switch self {
      case .binaryCrossentropy: (logits.scalars[row] > 0 ? 1 : 0) == labels[row]
      case .categoricalCrossentropy:
        (0..<width).max { logits.scalars[row * width + $0] < logits.scalars[row * width + $1] }
          == labels[row]
      }
    }
  }

  /// The probability of every class for every row, `[n][classes]`.
  package func probabilities(logits: Tensor) -> [[Float]] {
    (0..<logits.shape[0]).map { row in
      let values = rowProbabilities(logits.scalars, row: row, width: logits.shape[1])
      return self == .binaryCrossentropy ? [1 - values[0], values[0]] : values
    }
  }

  private func rowLoss(
    _ logits: [Float], row: Int, width: Int, label: Int, smoothing: Float
  ) -> Double {
    switch self {
    case .binaryCrossentropy:
      let z = Double(logits[row])
      let target = Double(target(label, 0, width: width, smoothing: smoothing))
      return max(z, 0) - z * target + log1p(exp(-abs(z)))
    case .categoricalCrossentropy:
      let row = logits[row * width..<(row + 1) * width]
      let largest = Double(row.max() ?? 0)
      let sum = row.reduce(0.0) { $0 + exp(Double($1) - largest) }
      let own = largest + log(sum) - Double(row[row.startIndex + label])
      if smoothing == 0 { return own }
      // The mean over all classes of what each would lose as the photo's own.
      let all = largest + log(sum) - row.reduce(0.0) { $0 + Double($1) } / Double(width)
      return own * Double(1 - smoothing) + all * Double(smoothing)
    }
  }

  private func rowProbabilities(_ logits: [Float], row: Int, width: Int) -> [Float] {
    switch self {
    case .binaryCrossentropy: return [1 / (1 + exp(-logits[row]))]
    case .categoricalCrossentropy:
      let row = logits[row * width..<(row + 1) * width]
      let largest = row.max() ?? 0
      let powers = row.map { exp($0 - largest) }
      let sum = powers.reduce(0, +)
      return powers.map { $0 / sum }
    }
  }
}
