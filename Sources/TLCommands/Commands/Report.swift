import ArgumentParser
import Explain

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write a training run's report: one HTML page.",
    discussion: """
      The page holds the curves, the numbers with their 95 % intervals, the confusion matrix, the \
      calibration, the worst mistakes with heat maps, what was frozen, the recipe and the timings. \
      It needs no other file and no network. What is not in the folder is said and left out.
      """)

  @Argument(
    help: ArgumentHelp("The run's folder.", valueName: "run"), completion: .directory)
  var folder: String

  @Option(
    help: "The FILE to write; default: report.html in the run's folder.",
    completion: .file(extensions: ["html"]))
  var output: String?

  @Option(
    help: "Where the photos for validation are now, if they were moved.",
    completion: .directory)
  var data: String?

  @Option(help: "How many of the worst mistakes are shown, 0 to 100.")
  var mistakes = 12

  @Flag(help: "Print JSON instead of text.")
  var json = false

  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    guard (0...100).contains(mistakes) else {
      throw ValidationError("--mistakes must be 0 to 100, found \(mistakes)")
    }
  }

  func run() throws {
    let console = options.console
    if let output { try OutputPlace.check(output) }
    let report = try writeReport(
      run: folder, output: output, data: data, mistakes: mistakes)
    for text in report.missing { console.warning(text) }
    guard json else {
      let size = decimal(Double(report.bytes) / 1000, 0)
      return try console.result("wrote \(report.path): \(size) kB")
    }
    let words = Outcome(report: report.path, bytes: report.bytes, missing: report.missing)
    try console.write(try JSONText.encode(words, isPretty: true) + "\n")
  }

  /// What is printed with `--json`.
  private struct Outcome: Encodable {
    let report: String
    let bytes: Int
    let missing: [String]
  }
}
