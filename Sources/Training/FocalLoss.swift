import Compute
import Foundation

/// Cross-entropy in which what is already right counts less (Lin and others 2017), as Keras's
/// `BinaryFocalCrossentropy` and `CategoricalFocalCrossentropy` have it.
///
/// With `p` what a class is given, its part of the loss is multiplied by `(1 - p)^gamma`. Keras's
/// categorical loss is also multiplied by `alpha`, the binary one is not unless it balances classes,
/// which is what class weights are for.
package struct FocalLoss: Sendable, Equatable, Codable {
  package var gamma: Double
  /// Of more than two classes only.
  package var alpha: Double

  package init(gamma: Double = 2, alpha: Double = 0.25) {
    precondition(gamma >= 0 && alpha > 0, "gamma and alpha must be 0 or more, above 0")
    self.gamma = gamma
    self.alpha = alpha
  }
}

extension Loss {
  func focalValue(
    logits: Tensor, labels: [Int], smoothing: Float, _ focal: FocalLoss
  ) -> (loss: Double, gradient: Tensor) {
    precondition(
      logits.shape.first == labels.count, "\(labels.count) labels do not fit logits \(logits.shape)"
    )
    let count = Double(max(labels.count, 1))
    var gradient = Tensor(zeros: logits.shape)
    var total = 0.0
    let width = logits.shape[1]
    for (row, label) in labels.enumerated() {
      let one = focalRow(logits, row: row, label: label, smoothing: smoothing, focal)
      total += one.loss
      for column in 0..<width {
        gradient.scalars[row * width + column] = Float(one.gradient[column] / count)
      }
    }
    return (total / count, gradient)
  }

  /// The loss of one row and its gradient with respect to the row's logits.
  func focalRow(
    _ logits: Tensor, row: Int, label: Int, smoothing: Float, _ focal: FocalLoss
  ) -> (loss: Double, gradient: [Double]) {
    let width = logits.shape[1]
    let values = logits.scalars[row * width..<(row + 1) * width].map(Double.init)
    let targets = (0..<width).map {
      Double(target(label, $0, width: width, smoothing: smoothing))
    }
    return self == .binaryCrossentropy
      ? focal.binary(logit: values[0], target: targets[0])
      : focal.categorical(logits: values, targets: targets)
  }
}

extension FocalLoss {
  fileprivate func binary(
    logit z: Double, target: Double
  ) -> (loss: Double, gradient: [Double]) {
    let (p, q) = (1 / (1 + exp(-z)), 1 / (1 + exp(z)))
    // The logarithms of p and 1 - p, exact where they are close to 1.
    let (logP, logQ) = (-log1p(exp(-abs(z))) + min(z, 0), -log1p(exp(-abs(z))) - max(z, 0))
    let missed = target * q + (1 - target) * p
    let entropy = -(target * logP + (1 - target) * logQ)
    let factor = pow(missed, gamma)
    let slope = gamma == 0 ? 0 : gamma * pow(missed, gamma - 1) * (1 - 2 * target) * p * q
    return (factor * entropy, [slope * entropy + factor * (p - target)])
  }

  fileprivate func categorical(
    logits: [Double], targets: [Double]
  ) -> (loss: Double, gradient: [Double]) {
    let largest = logits.max() ?? 0
    let sum = logits.reduce(0) { $0 + exp($1 - largest) }
    let logs = logits.map { $0 - largest - log(sum) }
    var loss = 0.0
    // p * dL/dp for each class.
    var shares: [Double] = []
    for (logP, target) in zip(logs, targets) {
      let p = exp(logP)
      let missed = -expm1(logP)
      let factor = pow(missed, gamma)
      loss -= alpha * target * factor * logP
      let slope = gamma == 0 || missed == 0 ? 0 : gamma * p * pow(missed, gamma - 1) * logP
      shares.append(alpha * target * (slope - factor))
    }
    let total = shares.reduce(0, +)
    return (loss, zip(logs, shares).map { $1 - exp($0) * total })
  }
}
