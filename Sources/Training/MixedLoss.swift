import Compute
import Images

extension Loss {
  /// The mean loss and gradient where examples may be of two classes in shares.
  ///
  /// Cross-entropy is linear in its target, so an example's loss and gradient are those of its two
  /// classes in their shares.
  /// - Parameter mixtures: one for each label, or none at all.
  func value(
    logits: Tensor, labels: [Int], mixtures: [LabelMixture?], smoothing: Float
  ) -> (loss: Double, gradient: Tensor) {
    let own = value(logits: logits, labels: labels, smoothing: smoothing)
    guard mixtures.contains(where: { $0 != nil }) else { return own }
    precondition(mixtures.count == labels.count, "one mixture a label is needed")
    let others = zip(labels, mixtures).map { label, mixture in mixture?.label ?? label }
    let shares = mixtures.map { $0?.share ?? 1 }
    var gradient = own.gradient
    let other = value(logits: logits, labels: others, smoothing: smoothing).gradient
    let width = logits.shape[1]
    for index in gradient.scalars.indices {
      let share = shares[index / width]
      gradient.scalars[index] = gradient.scalars[index] * share + other.scalars[index] * (1 - share)
    }
    let losses = zip(
      losses(logits: logits, labels: labels, smoothing: smoothing),
      losses(logits: logits, labels: others, smoothing: smoothing))
    let total = zip(losses, shares).reduce(0.0) { sum, row in
      sum + row.0.0 * Double(row.1) + row.0.1 * Double(1 - row.1)
    }
    return (total / Double(max(labels.count, 1)), gradient)
  }
}
