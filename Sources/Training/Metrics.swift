/// One number that says how good predictions are.
package struct Metric: Sendable, Equatable {
  /// How an interval was found.
  package enum Method: String, Sendable {
    /// For shares of photos: `wilsonInterval`.
    case wilson = "Wilson"
    /// For all else: `MetricBootstrap`.
    case bootstrap
  }

  /// As `--assert` takes it, such as `accuracy` or `recall[cats]`.
  package let name: String
  /// Nil where there is none, such as the area under a curve of a single class.
  package let value: Double?
  /// The 95 % interval.
  package let interval: ClosedRange<Double>?
  package let method: Method
}

/// The numbers about one class.
package struct ClassMetrics: Sendable, Equatable {
  package let className: String
  /// How many photos are of the class.
  package let count: Int
  /// How many photos were taken for the class.
  package let predicted: Int
  package let precision: Metric
  package let recall: Metric
  package let f1: Metric
  /// The class against all others.
  package let rocAUC: Metric

  package var all: [Metric] { [precision, recall, f1, rocAUC] }
}

/// How good predictions are, in many numbers, each with its 95 % interval.
///
/// They are those of scikit-learn 1.9 with its defaults, zeros in place of 0/0 among them:
///
/// - `loss`: `log_loss` of probabilities clipped to 1e-7 and 1 - 1e-7, as Keras does.
/// - `accuracy`: `accuracy_score`, the first class winning where several are as probable.
/// - `top_K_accuracy`: `top_k_accuracy_score`, the last class winning there.
/// - `precision`, `recall`, `f1` of a class, and their means over the classes that have photos or
///   were predicted, all alike (`_macro`) or by their photos (`_weighted`).
/// - `roc_auc`: `roc_auc_score`, for two classes that of the second, for more the mean of each class
///   against the rest, over those that have photos.
/// - `brier`: `brier_score_loss`: for two classes the mean of (p - y)^2, for more its sum over all.
/// - `ece`: scikit-learn has none, see `Calibration`.
package struct Metrics: Sendable {
  package let classNames: [String]
  package let count: Int
  /// The numbers about all photos.
  package let overall: [Metric]
  package let classes: [ClassMetrics]
  package let calibration: Calibration
  /// What was counted as 0 or left out, one sentence each.
  package let notes: [String]

  /// - Parameters:
  ///   - topK: among how many classes the right one counts; nil for 5, where there are more.
  ///   - seed: of the bootstrap.
  package init(_ predictions: Predictions, topK: Int? = nil, seed: UInt64 = 0) {
    let table = MetricTable(predictions, topK: Self.topK(predictions.classNames, topK))
    let bootstrap = MetricBootstrap(table, seed: seed)
    self.init(table, bootstrap, predictions)
  }

  private init(_ table: MetricTable, _ bootstrap: MetricBootstrap, _ predictions: Predictions) {
    classNames = predictions.classNames
    count = predictions.rows.count
    let weights = [Int](repeating: 1, count: count)
    let values = table.values(weights)
    let confusion = predictions.confusion
    let shares = table.shares(confusion)
    let metrics = table.names.indices.map { index in
      let value = values[index].isNaN ? nil : values[index]
      guard let share = shares[index] else {
        return Metric(
          name: table.names[index], value: value, interval: bootstrap.intervals[index],
          method: .bootstrap)
      }
      return Metric(
        name: table.names[index], value: value,
        interval: share.of == 0 ? nil : wilsonInterval(share.right, of: share.of), method: .wilson)
    }
    overall = Array(metrics.prefix(table.overallCount))
    classes = classNames.indices.map { label in
      let start = table.overallCount + label * MetricTable.perClass
      return ClassMetrics(
        className: predictions.classNames[label], count: confusion[label].reduce(0, +),
        predicted: confusion.reduce(0) { $0 + $1[label] }, precision: metrics[start],
        recall: metrics[start + 1], f1: metrics[start + 2], rocAUC: metrics[start + 3])
    }
    calibration = Calibration(table)
    notes = Self.notes(classes, table, bootstrap)
  }

  /// All numbers, those about single classes last.
  package var all: [Metric] { overall + classes.flatMap(\.all) }

  /// How often photos are drawn anew for an interval.
  package static var draws: Int { MetricBootstrap.draws }

  package subscript(name name: String) -> Metric? { all.first { $0.name == name } }

  /// The names of all numbers for these classes, as `--assert` takes them.
  package static func names(_ classNames: [String], topK: Int? = nil) -> [String] {
    MetricTable.names(classNames, topK: self.topK(classNames, topK))
  }

  private static func topK(_ classNames: [String], _ wanted: Int?) -> Int? {
    wanted ?? (classNames.count > 5 ? 5 : nil)
  }

  private static func notes(
    _ classes: [ClassMetrics], _ table: MetricTable, _ bootstrap: MetricBootstrap
  ) -> [String] {
    func listed(_ classes: [ClassMetrics]) -> String {
      let names = classes.prefix(5).map { "'\($0.className)'" }.joined(separator: ", ")
      return classes.count > 5 ? "\(names) and \(classes.count - 5) more" : names
    }
    var notes: [String] = []
    let absent = classes.filter { $0.count == 0 }
    if !absent.isEmpty {
      notes.append(
        "no photos of \(listed(absent)): recall counts as 0, and roc_auc leaves them out")
    }
    let unseen = classes.filter { $0.predicted == 0 && $0.count > 0 }
    if !unseen.isEmpty {
      notes.append("no photo was taken for \(listed(unseen)): precision counts as 0")
    }
    if !table.isFinite {
      notes.append("some probabilities are not numbers: only shares of photos are told")
    } else if !bootstrap.hasCurves {
      notes.append("roc_auc has no intervals: there are too many photos and classes to draw anew")
    }
    return notes
  }
}
