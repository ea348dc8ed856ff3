import ArgumentParser
import Foundation
import Training

struct Resume: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Go on with a training that was interrupted or killed.",
    discussion: """
      The run goes on from its last checkpoint as if it had never stopped: the weights at the end \
      are the same bits, on any number of threads. Photos and base must be as they were. With \
      --epochs a finished run is trained on; with a learning rate that depends on the number of \
      epochs that differs from a run that had as many from the start.
      """)

  @Argument(
    help: ArgumentHelp("The run's FOLDER.", valueName: "run"), completion: .directory)
  var runFolder: String

  @Option(help: "How often all photos are gone through, over all sittings.")
  var epochs: Int?

  @OptionGroup var options: ConsoleOptions

  func run() throws {
    let folder = try RunFolder.open(runFolder)
    let stage = try stage(of: folder)
    let finished = folder.history.epochs.count
    if folder.record?.status == .finished, epochs.map({ $0 <= finished }) ?? true {
      throw ResumeError.finished(runFolder, epochs: finished)
    }
    var words = stage.arguments
    if let place = words.firstIndex(of: "--run") { words.removeSubrange(place...(place + 1)) }
    words += ["--run", runFolder, "--resume"]
    if let output = folder.record?.output { words += ["--output", output] }
    if options.quiet { words.append("--quiet") }
    options.console.note("tl \(stage.command.name) \(words.map(shellWord).joined(separator: " "))")
    var command = try stage.command.type.parse(words)
    let invocation = Invocation(command: stage.command, arguments: words)
    try Invocation.$current.withValue(invocation) { try command.run() }
  }

  /// The command that the run's recipe holds.
  private func stage(of folder: RunFolder) throws -> RecipePlan.Stage {
    let recipe = try RecipeReader.read(folder.file("recipe.yaml"))
    let changes = RecipeChanges(options: epochs.map { [("epochs", "\($0)")] } ?? [])
    let stages = try RecipePlan(recipe, changes, folder: runFolder).stages
    guard folder.record?.stages == nil, stages.count == 1 else {
      throw ResumeError.recipe(runFolder, stages: stages.map(\.name))
    }
    return stages[0]
  }
}

/// Why a run cannot go on.
enum ResumeError: Error, CustomStringConvertible, WithWayOut {
  case finished(String, epochs: Int)
  case recipe(String, stages: [String])

  var description: String {
    switch self {
    case .finished(let run, let epochs):
      "'\(run)' is finished: it has all of its \(epochs) epochs"
    case .recipe(let run, let stages):
      "'\(run)' is the run of a recipe with the stages \(stages.joined(separator: ", "))"
    }
  }

  var wayOut: String? {
    switch self {
    case .finished(let run, let epochs): "`tl resume \(run) --epochs \(epochs + 10)` trains on"
    case .recipe(let run, _): "`tl resume \(run)/STAGE` goes on with one stage"
    }
  }
}
