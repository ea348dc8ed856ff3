import ArgumentParser
import Images
import Training

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measure a model on a folder of labelled photos.",
    discussion: """
      Every number comes with its 95 % interval: Wilson's for shares of photos, a bootstrap's for \
      the others. --assert takes any of their names and one of >=, >, <=, <, =, such as \
      --assert 'accuracy>=0.95' or --assert 'recall[cats]>=0.9'; where one does not hold, the exit \
      status is 1.
      """)

  @Argument(help: "The data folder, one subfolder per class.", completion: .directory)
  var data: String

  @OptionGroup var model: ModelOptions
  @OptionGroup var views: ViewOptions

  @Flag(help: "Print JSON instead of tables.")
  var json = false

  @Option(help: "Also say how often the class is among the N most probable.")
  var topK: Int?

  @Option(
    name: .customLong("assert"),
    help: ArgumentHelp("What must hold; may be given several times.", valueName: "condition"))
  var assertions: [String] = []

  @Option(
    help: "The FILE for what the model says of each photo (.csv).",
    completion: .file(extensions: ["csv"]))
  var predictions: String?

  @OptionGroup var pass: PassOptions

  @Option(help: "How many photos go through the model at once.")
  var batchSize = 20

  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    guard batchSize > 0 else {
      throw ValidationError("--batch-size must be 1 or more, found \(batchSize)")
    }
    guard topK ?? 1 > 0 else {
      throw ValidationError("--top-k must be 1 or more, found \(topK ?? 1)")
    }
    for text in assertions {
      do {
        _ = try MetricAssertion(text)
      } catch {
        throw ValidationError("--assert: \(error)")
      }
    }
  }

  func run() throws {
    let console = options.console
    if let predictions { try OutputPlace.check(predictions, inputs: [model.model]) }
    let folder = try listed(labelled: data, excluding: pass.exclude, console)
    var classifier = try model.load(console, pass.limits, mapped: true)
    let assertions = try self.assertions.map { try MetricAssertion($0) }
    let names = Metrics.names(classifier.classNames, topK: topK)
    for assertion in assertions { try assertion.requireName(among: names) }
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
    let metrics = Metrics(evaluation.predictions, topK: topK)
    for note in metrics.notes { console.note(note) }
    try predictions.map { try evaluation.predictions.write(to: $0) }
    for metric in metrics.all { metric.value.map { console.record(metric.name, $0) } }
    if json {
      let report = EvaluationReport(evaluation, metrics, assertions)
      try console.write(try JSONText.encode(report, isPretty: true) + "\n")
    } else {
      try EvaluationTables(evaluation, metrics).show(console)
    }
    if let predictions { console.note("wrote \(predictions)") }
    try assertions.check(metrics, console)
  }
}
