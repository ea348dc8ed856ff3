import ArgumentParser
import Images
import Training

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a model on a folder of labelled photos.")

  @Argument(help: "The data folder, one subfolder per class.")
  var data: String

  @OptionGroup var model: ModelOptions
  @OptionGroup var views: ViewOptions

  @Flag(help: "Print JSON instead of tables.")
  var json = false

  @OptionGroup var pass: PassOptions

  @Option(help: "How many photos go through the model at once.")
  var batchSize = 20

  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    guard batchSize > 0 else {
      throw ValidationError("--batch-size must be 1 or more, found \(batchSize)")
    }
  }

  func run() throws {
    let console = options.console
    let folder = try listed(labelled: data, excluding: pass.exclude, console)
    var classifier = try model.load(console, pass.limits)
    views.apply(to: &classifier, console)
    let progress = Progress(
      title: "evaluate", total: folder.photos.count, unit: "photos", console: console)
    let evaluation = try classifier.evaluate(
      folder, path: data, batchSize: batchSize, isStrict: pass.strict
    ) {
      try Interrupt.check()
      progress.advance(to: $0)
    }
    progress.finish()
    report(evaluation.tally, console)
    console.record("accuracy", evaluation.accuracy)
    console.record("loss", evaluation.loss)
    if json {
      try console.write(try JSONText.encode(EvaluationReport(evaluation), isPretty: true) + "\n")
    } else {
      try show(evaluation, console)
    }
  }

  private func show(_ evaluation: Evaluation, _ console: Console) throws {
    let interval = evaluation.accuracyInterval
    try console.result(
      "accuracy \(decimal(evaluation.accuracy, 4)) (\(evaluation.right) of \(evaluation.count); "
        + "95 % interval \(decimal(interval.lowerBound, 4)) to \(decimal(interval.upperBound, 4)))"
        + ", loss \(decimal(evaluation.loss, 4))")
    var table = TextTable(
      [.text("class"), .number("photos"), .number("right")]
        + evaluation.classNames.map { .number("as \($0)") })
    for (index, name) in evaluation.classNames.enumerated() {
      let row = evaluation.confusion[index]
      let count = row.reduce(0, +)
      let share = count == 0 ? "-" : decimal(Double(row[index]) / Double(count), 4)
      table.add([name, "\(count)", share] + row.map { "\($0)" })
    }
    try console.result(table)
  }
}

/// What `tl evaluate --json` prints.
private struct EvaluationReport: Encodable {
  let accuracy: Double
  let accuracyLow: Double
  let accuracyHigh: Double
  let loss: Double
  let photos: Int
  let right: Int
  let classNames: [String]
  let confusion: [[Int]]
  let failed: [Failed]

  struct Failed: Encodable {
    let path: String
    let error: String
  }

  init(_ evaluation: Evaluation) {
    accuracy = evaluation.accuracy
    accuracyLow = evaluation.accuracyInterval.lowerBound
    accuracyHigh = evaluation.accuracyInterval.upperBound
    loss = evaluation.loss
    photos = evaluation.count
    right = evaluation.right
    classNames = evaluation.classNames
    confusion = evaluation.confusion
    failed = evaluation.tally.skipped.map { Failed(path: $0.path, error: $0.reason) }
  }

  enum CodingKeys: String, CodingKey {
    case accuracy, loss, photos, right, confusion, failed
    case accuracyLow = "accuracy_low"
    case accuracyHigh = "accuracy_high"
    case classNames = "class_names"
  }
}
