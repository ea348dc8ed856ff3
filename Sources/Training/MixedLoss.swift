package import Compute
package import Images

/// What the loss of a batch depends on besides logits and labels.
package struct LossOptions: Sendable, Equatable {
  /// The share of each target that is spread evenly over all classes.
  package var smoothing: Float = 0
  package var focal: FocalLoss?
  /// What each class's examples count, nil for 1 each; the mean is still over the examples, as
  /// Keras's `class_weight` has it.
  package var classWeights: [Double]?

  package init(smoothing: Float = 0, focal: FocalLoss? = nil, classWeights: [Double]? = nil) {
    self.smoothing = smoothing
    self.focal = focal
    self.classWeights = classWeights
  }
}

extension Loss {
  /// The mean loss and gradient where examples may be of two classes in shares.
  ///
  /// Cross-entropy is linear in its target, so an example's loss and gradient are those of its two
  /// classes in their shares; other losses are taken so too.
  /// - Parameter mixtures: one for each label, or none at all.
  package func value(
    logits: Tensor, labels: [Int], mixtures: [LabelMixture?] = [], _ options: LossOptions
  ) -> (loss: Double, gradient: Tensor) {
    let own = weighted(logits, labels, options)
    guard mixtures.contains(where: { $0 != nil }) else { return own }
    precondition(mixtures.count == labels.count, "one mixture a label is needed")
    let others = zip(labels, mixtures).map { label, mixture in mixture?.label ?? label }
    let shares = mixtures.map { $0?.share ?? 1 }
    var gradient = own.gradient
    let other = weighted(logits, others, options).gradient
    let width = logits.shape[1]
    for index in gradient.scalars.indices {
      let share = shares[index / width]
      gradient.scalars[index] = gradient.scalars[index] * share + other.scalars[index] * (1 - share)
    }
    let losses = zip(
      rowLosses(logits, labels, options), rowLosses(logits, others, options))
    let total = zip(losses, shares).reduce(0.0) { sum, row in
      sum + row.0.0 * Double(row.1) + row.0.1 * Double(1 - row.1)
    }
    return (total / Double(max(labels.count, 1)), gradient)
  }

  private func weighted(
    _ logits: Tensor, _ labels: [Int], _ options: LossOptions
  ) -> (loss: Double, gradient: Tensor) {
    var (loss, gradient) = value(
      logits: logits, labels: labels, smoothing: options.smoothing, focal: options.focal)
    guard let weights = options.classWeights else { return (loss, gradient) }
    loss = rowLosses(logits, labels, options).reduce(0, +) / Double(max(labels.count, 1))
    let width = logits.shape[1]
    for index in gradient.scalars.indices {
      gradient.scalars[index] *= Float(weights[labels[index / width]])
    }
    return (loss, gradient)
  }

  private func rowLosses(
    _ logits: Tensor, _ labels: [Int], _ options: LossOptions
  ) -> [Double] {
    let losses = losses(
      logits: logits, labels: labels, smoothing: options.smoothing, focal: options.focal)
    guard let weights = options.classWeights else { return losses }
    return zip(losses, labels).map { $0 * weights[$1] }
  }
}
