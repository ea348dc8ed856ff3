import Training

/// What `tl evaluate` prints: the accuracy and the confusion matrix, then all numbers about all
/// photos, then those about each class.
struct EvaluationTables {
  private let evaluation: Evaluation
  private let metrics: Metrics

  init(_ evaluation: Evaluation, _ metrics: Metrics) {
    (self.evaluation, self.metrics) = (evaluation, metrics)
  }

  func show(_ console: Console) throws {
    let interval = evaluation.accuracyInterval
    try console.result(
      "accuracy \(decimal(evaluation.accuracy, 4)) (\(evaluation.right) of \(evaluation.count); "
        + "95 % interval \(decimal(interval.lowerBound, 4)) to \(decimal(interval.upperBound, 4)))"
        + ", loss \(decimal(evaluation.loss, 4))")
    try console.result(confusion)
    try console.write("\n")
    try console.result(overall)
    try console.write("\n")
    try console.result(classes)
  }

  private var confusion: TextTable {
    var table = TextTable(
      [.text("class"), .number("photos"), .number("right")]
        + evaluation.classNames.map { .number("as \($0)") })
    for (index, name) in evaluation.classNames.enumerated() {
      let row = evaluation.confusion[index]
      let count = row.reduce(0, +)
      let share = count == 0 ? "-" : decimal(Double(row[index]) / Double(count), 4)
      table.add([name, "\(count)", share] + row.map { "\($0)" })
    }
    return table
  }

  private var overall: TextTable {
    var table = TextTable([
      .text("metric"), .number("value"), .text("95 % interval"), .text("by"),
    ])
    for metric in metrics.overall {
      table.add([
        metric.name, metric.value.map { decimal($0, 4) } ?? "-",
        interval(metric) ?? "-", metric.interval == nil ? "" : metric.method.rawValue,
      ])
    }
    return table
  }

  private var classes: TextTable {
    var table = TextTable([
      .text("class"), .number("precision"), .text("95 %"), .number("recall"), .text("95 %"),
      .number("f1"), .text("95 %"), .number("roc_auc"), .text("95 %"),
    ])
    for row in metrics.classes {
      table.add(
        [row.className]
          + row.all.flatMap { [$0.value.map { decimal($0, 4) } ?? "-", interval($0) ?? "-"] })
    }
    return table
  }

  private func interval(_ metric: Metric) -> String? {
    metric.interval.map { "\(decimal($0.lowerBound, 4)) to \(decimal($0.upperBound, 4))" }
  }
}

/// What `tl evaluate --json` prints.
struct EvaluationReport: Encodable {
  let accuracy: Double
  let accuracyLow: Double
  let accuracyHigh: Double
  let loss: Double
  let photos: Int
  let right: Int
  let classNames: [String]
  let confusion: [[Int]]
  let failed: [Failed]
  let metrics: [Number]
  let classes: [ClassNumbers]
  let calibration: [Bin]
  let assertions: [Outcome]

  struct Failed: Encodable {
    let path: String
    let error: String
  }

  struct Number: Encodable {
    let name: String
    let value: Double?
    let low: Double?
    let high: Double?
    let interval: String

    init(_ metric: Metric) {
      name = metric.name
      value = metric.value
      low = metric.interval?.lowerBound
      high = metric.interval?.upperBound
      interval = metric.method.rawValue
    }
  }

  struct ClassNumbers: Encodable {
    let `class`: String
    let count: Int
    let predicted: Int
    let numbers: [Number]
  }

  /// No name of the top level is used again below it: scripts look for them by line.
  struct Bin: Encodable {
    let low: Double
    let high: Double
    let count: Int
    let confidence: Double?
    let shareRight: Double?

    enum CodingKeys: String, CodingKey {
      case low, high, count, confidence
      case shareRight = "share_right"
    }
  }

  struct Outcome: Encodable {
    let assertion: String
    let holds: Bool
    let found: Double?
  }

  init(_ evaluation: Evaluation, _ metrics: Metrics, _ assertions: [MetricAssertion]) {
    accuracy = evaluation.accuracy
    accuracyLow = evaluation.accuracyInterval.lowerBound
    accuracyHigh = evaluation.accuracyInterval.upperBound
    loss = evaluation.loss
    photos = evaluation.count
    right = evaluation.right
    classNames = evaluation.classNames
    confusion = evaluation.confusion
    failed = evaluation.tally.skipped.map { Failed(path: $0.path, error: $0.reason) }
    self.metrics = metrics.overall.map(Number.init)
    classes = metrics.classes.map {
      ClassNumbers(
        class: $0.className, count: $0.count, predicted: $0.predicted,
        numbers: $0.all.map(Number.init))
    }
    calibration = metrics.calibration.bins.map {
      Bin(
        low: $0.lower, high: $0.upper, count: $0.count, confidence: $0.confidence,
        shareRight: $0.accuracy)
    }
    self.assertions = assertions.map {
      let (holds, found) = $0.check(metrics)
      return Outcome(assertion: $0.text, holds: holds, found: found?.value)
    }
  }

  enum CodingKeys: String, CodingKey {
    case accuracy, loss, photos, right, confusion, failed, metrics, classes, calibration, assertions
    case accuracyLow = "accuracy_low"
    case accuracyHigh = "accuracy_high"
    case classNames = "class_names"
  }
}
