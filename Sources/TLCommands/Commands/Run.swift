import ArgumentParser
import Foundation
import Training

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
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

  /// What this run changes in the recipe, with one of its seeds.
  private func changed(_ seed: UInt64?) throws -> RecipeChanges {
    RecipeChanges(
      data: data, base: base, seed: seed, options: try RecipeChanges.options(changes))
  }

  func run() throws {
    let console = options.console
    let recipe = try RecipeReader.read(recipe)
    let count = seeds ?? recipe.seeds?.value ?? 1
    let first = seed ?? recipe.seed?.value ?? 0
    let numbers: [UInt64?] = count == 1 ? [seed] : (0..<UInt64(count)).map { first &+ $0 }
    let folder = runFolder ?? RunPlace.standard(recipe.name.value)
    let plans = try numbers.map { number in
      try RecipePlan(
        recipe, try changed(number), folder: folder,
        seedFolder: count == 1 ? nil : "\(folder)/seed-\(number ?? 0)", isTrial: dryRun)
    }
    try recipe.checkExpectations(isAsked: check)
    if dryRun { return try show(plans, console) }
    let run = try resume ? RunFolder.open(folder) : RunFolder.create(at: folder)
    let lock = try RunLock(folder)
    defer { withExtendedLifetime(lock) {} }
    let unseeded = try RecipePlan(
      recipe, try changed(count == 1 ? seed : nil), folder: folder)
    let text = try unseeded.text(seeds: count == 1 ? nil : (first, count))
    if resume {
      try run.resume(recipe: text)
    } else {
      try run.begin(
        RunRecord(
          command: "run", data: data ?? recipe.folder?.value, validation: nil, classNames: [],
          model: nil), recipe: text)
    }
    let results = try run.recording {
      try runAll(plans, numbers, recipe, run, console)
    }
    if json {
      let report = RecipeReport(recipe, run: folder, results)
      try console.write(JSONText.encode(report, isPretty: true) + "\n")
    } else {
      try console.result(results.table)
    }
    console.note("all outputs are in \(folder)")
    if check, !results.isAsExpected { throw ExitCode(1) }
  }

  private func runAll(
    _ plans: [RecipePlan], _ numbers: [UInt64?], _ recipe: Recipe, _ run: RunFolder,
    _ console: Console
  ) throws -> RecipeResults {
    let shared = plans[0].stages.count { !$0.isSeeded }
    let own = plans[0].stages.count - shared
    let runner = RecipeRun(stages: shared + own * plans.count, run, console)
    for (index, (plan, number)) in zip(plans, numbers).enumerated() {
      if let number, plans.count > 1 {
        try RunPlace.make("\(plan.folder)/seed-\(number)")
        console.note("seed \(number), \(index + 1) of \(plans.count)")
      }
      for stage in plan.stages where index == 0 || stage.isSeeded {
        try runner.run(stage, seed: stage.isSeeded ? number : nil)
      }
    }
    return RecipeResults(
      results: runner.results, expectations: recipe.expectations,
      seeds: numbers.compactMap { $0 })
  }

  private func show(_ plans: [RecipePlan], _ console: Console) throws {
    for (index, plan) in plans.enumerated() {
      for stage in plan.stages where index == 0 || stage.isSeeded {
        try console.result("tl \(stage.line)")
      }
    }
    console.note("the recipe is good; nothing was run")
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
  fileprivate func checkExpectations(isAsked: Bool) throws {
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
