import Synchronization
import Training

/// Numbers that a command measured, by name in the order of their first mention, for whoever ran it.
package final class Measurements: Sendable {
  private let values = Mutex([(name: String, value: Double)]())

  package init() {}

  /// Notes a number; a later one of the same name takes its place.
  package func record(_ name: String, _ value: Double) {
    values.withLock { values in
      if let index = values.firstIndex(where: { $0.name == name }) {
        values[index].value = value
      } else {
        values.append((name, value))
      }
    }
  }

  package var all: [(name: String, value: Double)] { values.withLock { $0 } }
}

/// A command whose results are numbers with known names, which a recipe can expect.
protocol Measuring {
  /// `CLASS` and `K` stand for any class and number.
  static var metrics: [String] { get }
}

extension Measuring {
  static func measures(_ metric: String) -> Bool {
    let general = metric.replacing(/\[.+\]$/, with: "[CLASS]")
      .replacing(/^top_[0-9]+_/, with: "top_K_")
    return metrics.contains(general)
  }
}

/// What every training command measures in its last epoch.
private let epochMetrics = ["loss", "accuracy", "val_loss", "val_accuracy"]

extension Train: Measuring { static var metrics: [String] { epochMetrics } }
extension TrainHead: Measuring { static var metrics: [String] { epochMetrics } }
extension FineTune: Measuring { static var metrics: [String] { epochMetrics } }
extension Evaluate: Measuring {
  static var metrics: [String] { Metrics.names(["CLASS"]) + ["top_K_accuracy"] }
}
