import ArgumentParser
import Foundation
import Training

struct Resume: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "Go on with a run that was interrupted or killed.",
    discussion: """
      The run goes on from its last checkpoint as if it had never stopped: the weights at the end \
      are the same bits, on any number of threads. Photos and base must be as they were. With \
      --epochs a finished run is trained on; with a learning rate that depends on the number of \
      epochs that differs from a run that had as many from the start. Of a recipe's run the stages \
      that are done are taken over.
      """)

  @Argument(
    help: ArgumentHelp("The run's FOLDER.", valueName: "run"), completion: .directory)
  var runFolder: String

  @Option(help: "How often all photos are gone through, over all sittings.")
  var epochs: Int?

  @OptionGroup var format: JSONOption
  @OptionGroup var options: ConsoleOptions

  func run() throws {
    let folder = try RunFolder.open(runFolder)
    let finished = folder.history.countInLastStage
    let isRecipe = folder.record?.command == "run"
    if folder.record?.status == .finished, isRecipe || epochs.map({ $0 <= finished }) ?? true {
      throw ResumeError.finished(runFolder, epochs: isRecipe ? nil : finished)
    }
    let recipe = folder.file("recipe.yaml")
    if isRecipe {
      guard epochs == nil else { throw ResumeError.recipe(runFolder) }
      return try run(CommandOptions("run", Run.self), [recipe, "--run", runFolder])
    }
    let changes = RecipeChanges(options: epochs.map { [("epochs", "\($0)")] } ?? [])
    let plan = try RecipePlan(RecipeReader.read(recipe), changes, folder: runFolder)
    guard let stage = plan.stages.first else { return }
    var words = stage.arguments
    if let place = words.firstIndex(of: "--run") { words.removeSubrange(place...(place + 1)) }
    words += ["--run", runFolder]
    if let output = folder.record?.output { words += ["--output", output] }
    try run(stage.command, words)
  }

  /// Runs a command once more, which finds what is done already.
  private func run(_ command: CommandOptions, _ arguments: [String]) throws {
    let words =
      arguments + ["--resume"] + (options.quiet ? ["--quiet"] : [])
      + (format.json ? ["--json"] : [])
    options.console.note("tl \(command.name) \(words.map(shellWord).joined(separator: " "))")
    let invocation = Invocation(
      name: command.name, type: command.type, arguments: words)
    var parsed = try command.type.parse(words)
    try Invocation.$current.withValue(invocation) { try parsed.run() }
  }
}

/// Why a run cannot go on.
enum ResumeError: Error, CustomStringConvertible, WithWayOut {
  case finished(String, epochs: Int?)
  case recipe(String)

  var description: String {
    switch self {
    case .finished(let run, let epochs):
      "'\(run)' is finished: "
        + (epochs.map { "it has all of its \($0) epochs" } ?? "all stages are done")
    case .recipe(let run):
      "'\(run)' is the run of a recipe: --epochs is for that of one command"
    }
  }

  var wayOut: String? {
    switch self {
    case .finished(let run, let epochs):
      epochs.map { "`tl resume \(run) --epochs \($0 + 10)` trains on" }
    case .recipe(let run): "`tl resume \(run)` alone, or `tl resume \(run)/STAGE --epochs N`"
    }
  }
}
