import ArgumentParser
import Foundation
import Training

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a whole workflow from a recipe file.",
    discussion: """
      A recipe is YAML: each stage names a command of tl and that command's options without --, \
      and ${name} stands for a folder of the data, the base, or what an earlier stage wrote. All of \
      it is checked before anything runs. Behind the recipe, --epochs 2 changes that option in \
      every stage that has it, --tune.epochs 2 in the stage tune.
      """)

  @Argument(help: "The recipe FILE.", completion: .file(extensions: ["yaml", "yml"]))
  var recipe: String

  @Option(help: "The data FOLDER that holds the recipe's folders.", completion: .directory)
  var data: String?

  @Option(help: "The base, where the recipe leaves it open or to replace its own.")
  var base: String?

  @Option(
    name: .customLong("run"),
    help: ArgumentHelp(
      "The FOLDER for all outputs; default: runs/<date>-<recipe's name>.", valueName: "folder"),
    completion: .directory)
  var runFolder: String?

  @Argument(
    parsing: .allUnrecognized,
    help: ArgumentHelp(
      "Options of the stages, in place of the recipe's: --OPTION VALUE, --STAGE.OPTION VALUE.",
      valueName: "options"))
  var changes: [String] = []

  @Option(help: "The seed of all stages that take one.")
  var seed: UInt64?

  @Option(
    help: ArgumentHelp("Run with so many seeds; print mean and deviation.", valueName: "n"))
  var seeds: Int?

  @Flag(help: "Exit with 1 if a result is outside the range that the recipe expects.")
  var check = false

  @Flag(help: "Check the recipe and print its commands, but run none.")
  var dryRun = false

  @Flag(help: "Print JSON instead of a table.")
  var json = false

  /// Set by `tl resume`: the folder holds a run to go on with.
  @Flag(help: .hidden)
  var resume = false

  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    guard (1...1000).contains(seeds ?? 1) else {
      throw ValidationError("--seeds must be 1 to 1000, found \(seeds ?? 1)")
    }
    _ = try RecipeChanges.options(changes)
  }

  func run() throws {
    let recipe = try RecipeReader.read(recipe)
    let execution = RecipeExecution(
      recipe: recipe,
      changes: RecipeChanges(
        data: data, base: base, options: try RecipeChanges.options(changes)),
      seed: seed, count: seeds ?? recipe.seeds?.value ?? 1,
      folder: runFolder ?? RunPlace.standard(recipe.name.value), isResuming: resume,
      console: options.console)
    try recipe.checkExpectations(isAsked: check)
    if dryRun { return try execution.show() }
    let results = try execution.run(json: json)
    if check, !results.isAsExpected { throw ExitCode(1) }
  }
}

/// Where the files of a run go.
enum RunPlace {
  /// `runs/<date>-<name>`, with a number behind it where that is taken.
  static func standard(_ name: String, date: Date = Date()) -> String {
    let day = date.formatted(
      Date.ISO8601FormatStyle(timeZone: .current).year().month().day().dateSeparator(.dash))
    let first = "runs/\(day)-\(name)"
    var (folder, count) = (first, 1)
    while FileManager.default.fileExists(atPath: folder) {
      count += 1
      folder = "\(first)-\(count)"
    }
    return folder
  }

  static func make(_ folder: String) throws {
    try PictureOutput.checkFolder(folder)
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw OutputError.cannotWrite(path: folder, reason: reason(of: error))
    }
  }
}

extension Recipe {
  /// Throws where a metric is expected that its stage does not measure, or nothing is expected at
  /// all though it should be checked.
  func checkExpectations(isAsked: Bool) throws {
    guard !isAsked || !expectations.isEmpty else {
      throw RecipeError(
        path, line: 1, column: 1, "the recipe has no 'expect': there is nothing to check")
    }
    for expectation in expectations {
      guard let stage = stages.first(where: { $0.name.value == expectation.stage }) else {
        continue
      }
      let type = try command(of: stage).type as? any Measuring.Type
      let isKnown = type?.measures(expectation.metric) == true
      guard isKnown || expectation.metric == "seconds" else {
        let known = type?.metrics ?? []
        throw RecipeError(
          path, expectation.key,
          RecipeError.unknown(
            "metric of \(stage.command.value)", expectation.metric, known: known + ["seconds"]))
      }
    }
  }
}
