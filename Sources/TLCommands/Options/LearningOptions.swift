import ArgumentParser
import Training

/// How all commands that train do it, beside what differs between them by default.
struct LearningOptions: ParsableArguments {
  @OptionGroup(title: "Steps") var steps: StepOptions
  @OptionGroup(title: "The learning rate over time") var pace: PaceOptions
  @OptionGroup(title: "The loss and the weights") var loss: LossChoices

  /// The settings with all of this.
  ///
  /// - Parameter isValidated: whether there is something to validate on.
  func settings(
    _ plain: TrainingSettings, isValidated: Bool
  ) throws -> TrainingSettings {
    var settings = plain
    try steps.apply(to: &settings)
    loss.apply(to: &settings)
    settings.schedule = pace.schedule
    settings.plateau = pace.plateau
    settings.stopping = pace.stopping
    settings.monitor = pace.monitor
    if let monitor = pace.monitor, monitor.needsValidation, !isValidated {
      throw ValidationError("--monitor \(monitor.rawValue) needs --validation")
    }
    guard pace.warmUp <= Double(max(settings.epochs, 0)) else {
      throw ValidationError(
        "--warm-up must be 0 to the \(settings.epochs) epochs, found \(pace.warmUp)")
    }
    return settings
  }
}

/// Throws where an option's value is out of its range.
func require<Value>(
  _ isRight: Bool, _ name: String, _ range: String, _ value: Value
) throws {
  guard isRight else { throw ValidationError("--\(name) must be \(range), found \(value)") }
}

/// Names with numbers, written `a=1,b=2`; nil where it is anything else.
func numbers(_ text: String) -> [(name: String, value: Double)]? {
  var pairs: [(String, Double)] = []
  for part in text.split(separator: ",", omittingEmptySubsequences: false) {
    guard let equals = part.lastIndex(of: "="), equals != part.startIndex,
      let value = Double(part[part.index(after: equals)...]), value.isFinite
    else { return nil }
    let name = part[..<equals].drop { $0 == " " }
    pairs.append((String(name), value))
  }
  return pairs
}
