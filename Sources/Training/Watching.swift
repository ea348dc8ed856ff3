/// What is looked at after every epoch.
package enum Monitor: String, Sendable, CaseIterable, Codable {
  case loss, accuracy
  case validationLoss = "val_loss"
  case validationAccuracy = "val_accuracy"

  package var needsValidation: Bool { self == .validationLoss || self == .validationAccuracy }
  private var isBetterHigh: Bool { self == .accuracy || self == .validationAccuracy }

  package func value(of result: EpochResult) -> Double? {
    switch self {
    case .loss: result.loss
    case .accuracy: result.accuracy
    case .validationLoss: result.validationLoss
    case .validationAccuracy: result.validationAccuracy
    }
  }

  /// Whether a value is better than the best so far by more than `minimum`.
  package func isBetter(_ value: Double, than best: Double?, by minimum: Double) -> Bool {
    guard let best else { return true }
    return isBetterHigh ? value - minimum > best : value + minimum < best
  }
}

/// Lowers the learning rate where a value no longer gets better: Keras's `ReduceLROnPlateau`.
package struct PlateauRule: Sendable, Equatable, Codable {
  package var patience: Int
  package var factor: Double
  package var minimumDelta: Double
  package var cooldown: Int
  /// The rate is not lowered below.
  package var minimumRate: Double

  package init(
    patience: Int = 10, factor: Double = 0.1, minimumDelta: Double = 1e-4, cooldown: Int = 0,
    minimumRate: Double = 0
  ) {
    precondition(factor > 0 && factor < 1, "a plateau's factor must be in 0..<1 but is \(factor)")
    self.patience = patience
    self.factor = factor
    self.minimumDelta = minimumDelta
    self.cooldown = cooldown
    self.minimumRate = minimumRate
  }

  /// Counts an epoch.
  ///
  /// - Parameter rate: the learning rate that the counters' factor is a factor of.
  package func watch(
    _ value: Double, _ monitor: Monitor, rate: Double, _ counters: inout PlateauCounters
  ) {
    if counters.cooldown > 0 {
      counters.cooldown -= 1
      counters.wait = 0
    }
    if monitor.isBetter(value, than: counters.best, by: minimumDelta) {
      counters.best = value
      counters.wait = 0
    } else if counters.cooldown == 0 {
      counters.wait += 1
      let present = rate * counters.factor
      if counters.wait >= patience, present > minimumRate {
        counters.factor = max(present * factor, minimumRate) / rate
        counters.cooldown = cooldown
        counters.wait = 0
      }
    }
  }
}

/// Ends a run whose value no longer gets better: Keras's `EarlyStopping` that restores the best.
///
/// The best weights are taken also where the last epoch is reached.
package struct StoppingRule: Sendable, Equatable, Codable {
  package var patience: Int
  package var minimumDelta: Double

  package init(patience: Int, minimumDelta: Double = 0) {
    self.patience = patience
    self.minimumDelta = minimumDelta
  }

  /// Counts an epoch; says whether it is the best so far.
  ///
  /// - Parameter isFirst: a run does not stop after its first epoch.
  package func watch(
    _ value: Double, _ monitor: Monitor, isFirst: Bool, _ counters: inout StoppingCounters
  ) -> Bool {
    counters.wait += 1
    if monitor.isBetter(value, than: counters.best, by: minimumDelta) {
      counters.best = value
      counters.wait = 0
      return true
    }
    if counters.wait >= patience, !isFirst { counters.hasStopped = true }
    return false
  }
}
