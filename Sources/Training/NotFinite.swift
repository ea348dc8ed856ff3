/// Where numbers first stopped being finite.
package enum NotFinitePlace: Sendable, Equatable, CustomStringConvertible {
  /// `<layer>/<parameter>`.
  case parameter(String)
  /// The output of a trained layer, or of one after it.
  case layer(String)
  /// What the frozen part gives, by its last layer.
  case values(String)
  case loss

  package var description: String {
    switch self {
    case .parameter(let name): "the weights '\(name)' are not finite any more"
    case .layer(let name): "the output of layer '\(name)' is the first that is not finite"
    case .values(let name): "the output of '\(name)', below all that is trained, is not finite"
    case .loss: "all layers give finite numbers, but their loss is not finite"
    }
  }
}

/// A run that ended because its loss was no number any more, with what can be kept of it.
package struct BrokenTraining: Error, CustomStringConvertible {
  /// The model with the last good weights.
  package let model: ClassifierModel
  /// The epoch that they are from.
  package let epoch: Int
  package let reason: TrainingError
  /// Whether the weights are from the training of a head before that of other layers.
  package private(set) var isHeadAlone = false

  init(model: ClassifierModel, epoch: Int, reason: TrainingError) {
    (self.model, self.epoch, self.reason) = (model, epoch, reason)
  }

  /// A run that went wrong in its first epoch, after its head had been trained by itself; nil where
  /// the error is another one.
  package init?(afterHead model: ClassifierModel, _ error: TrainingError) {
    guard error.isNotFinite, let run = model.history.last else { return nil }
    self.init(model: model, epoch: run.bestEpoch ?? run.epochs.count, reason: error)
    isHeadAlone = true
  }

  /// Such as `epoch 3`.
  package var place: String {
    "epoch \(epoch)" + (isHeadAlone ? " of the head's own training" : "")
  }

  package var description: String { reason.description }
}

extension TrainingError {
  var isNotFinite: Bool {
    switch self {
    case .notFinite, .notFiniteParameter: true
    default: false
    }
  }
}
