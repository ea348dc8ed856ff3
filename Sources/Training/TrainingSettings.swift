/// What a training run is told; the defaults are the book's.
package struct TrainingSettings: Sendable {
  package var epochs: Int
  package var batchSize: Int
  package var rule: Optimizer.Rule
  package var learningRate: Float
  package var schedule = LearningRateSchedule()
  /// The share of each target that is spread evenly over all classes.
  package var labelSmoothing: Float = 0
  package var focal: FocalLoss?
  package var classWeighting: ClassWeighting?
  /// What the sum of the squares of trained kernels counts in the loss: Keras's `regularizers.L2`.
  package var l2: Float = 0
  /// Whether that means all kernels that are trained, not only those of the head: a pretrained base
  /// should stay near what it is, not near 0.
  package var l2CoversBase = false
  /// By how much of the learning rate weights shrink in every step, beside the rule; nil for what
  /// the rule has by itself.
  package var weightDecay: Float?
  package var clipping: GradientClipping?
  package var partRates = PartRates()
  /// What is kept of the average of the weights in every step; nil for no average.
  ///
  /// With it the average is what is evaluated and what the run gives.
  package var averaging: Float?
  /// Whether normalisations that are trained go by each batch's statistics and move the stored
  /// ones, as in Keras's `fit`; else they go by the stored ones, which stay.
  package var usesBatchStatistics = false
  package var plateau: PlateauRule?
  package var stopping: StoppingRule?
  /// What plateau and stopping look at; nil for the loss of the validation, or of the training
  /// where there is none.
  package var monitor: Monitor?
  package var seed: UInt64
  /// Whether each epoch takes the examples in a new order.
  package var shuffles = true

  package init(
    epochs: Int = 30, batchSize: Int = 20, rule: Optimizer.Rule = .rmsprop(),
    learningRate: Float = 2e-5, seed: UInt64 = 0
  ) {
    self.epochs = epochs
    self.batchSize = batchSize
    self.rule = rule
    self.learningRate = learningRate
    self.seed = seed
  }
}

/// What one epoch gave: means over the examples, as Keras's history has them.
package struct EpochResult: Codable, Sendable, Equatable {
  package let epoch: Int
  package let loss: Double
  package let accuracy: Double
  package let validationLoss: Double?
  package let validationAccuracy: Double?
  /// The learning rate of the epoch's last step; nil in histories of older versions.
  package var learningRate: Double?
  /// How long the epoch took with its validation.
  ///
  /// It differs from run to run, so that it neither counts in comparisons nor is kept in models.
  package var seconds: Double?
  /// What was trained in it, in the history of a run that goes through several parts.
  package var stage: String?

  package init(
    epoch: Int, loss: Double, accuracy: Double, validationLoss: Double? = nil,
    validationAccuracy: Double? = nil, learningRate: Double? = nil, seconds: Double? = nil
  ) {
    self.epoch = epoch
    self.loss = loss
    self.accuracy = accuracy
    self.validationLoss = validationLoss
    self.validationAccuracy = validationAccuracy
    self.learningRate = learningRate
    self.seconds = seconds
  }

  /// The same epoch in the history of a whole run, of which it is a part.
  ///
  /// - Parameters:
  ///   - earlier: how many epochs the run had before this part.
  ///   - stage: what was trained; nil where the run has but one part.
  package func inRun(after earlier: Int, stage: String?) -> EpochResult {
    var result = EpochResult(
      epoch: earlier + epoch, loss: loss, accuracy: accuracy, validationLoss: validationLoss,
      validationAccuracy: validationAccuracy, learningRate: learningRate, seconds: seconds)
    result.stage = stage
    return result
  }

  package static func == (one: EpochResult, other: EpochResult) -> Bool {
    one.epoch == other.epoch && one.loss == other.loss && one.accuracy == other.accuracy
      && one.validationLoss == other.validationLoss
      && one.validationAccuracy == other.validationAccuracy
      && one.learningRate == other.learningRate
  }

  enum CodingKeys: String, CodingKey {
    case epoch, loss, accuracy
    case validationLoss = "val_loss"
    case validationAccuracy = "val_accuracy"
    case learningRate = "learning_rate"
  }
}

/// What a trainer reports while it runs.
package enum TrainingEvent: Sendable {
  /// A batch is done: how many examples of how many, and the epoch's mean loss so far.
  case batch(epoch: Int, done: Int, of: Int, loss: Double, accuracy: Double)
  case epoch(EpochResult, of: Int)
}

/// When a trainer offers its state to be kept.
package enum TrainingMoment: Sendable, Equatable {
  /// Within an epoch, after a batch.
  case batch
  /// After an epoch and its validation.
  case epoch
}

/// Called with a function that gives the state, which costs nothing unless it is called.
package typealias Checkpoint = (TrainingMoment, () -> TrainingState) throws -> Void
