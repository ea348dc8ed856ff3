/// How much the examples of each class count.
package enum ClassWeighting: Sendable, Equatable {
  /// `examples / (classes * examples of the class)`, as scikit-learn's `balanced`.
  case balanced
  /// By class name; 1 where a class is not named.
  case given([String: Double])

  /// The weight of each class.
  ///
  /// Throws `TrainingError.unknownClassWeight` for a name that is no class.
  package func weights(labels: [Int], classNames: [String]) throws -> [Double] {
    switch self {
    case .balanced:
      var counts = classNames.map { _ in 0 }
      for label in labels { counts[label] += 1 }
      return counts.map {
        $0 == 0 ? 1 : Double(labels.count) / Double(classNames.count * $0)
      }
    case .given(let weights):
      if let unknown = weights.keys.sorted().first(where: { !classNames.contains($0) }) {
        throw TrainingError.unknownClassWeight(unknown, known: classNames)
      }
      return classNames.map { weights[$0] ?? 1 }
    }
  }
}
