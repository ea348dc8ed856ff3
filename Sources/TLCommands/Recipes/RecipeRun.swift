import ArgumentParser
import Foundation
import Training

/// Runs the stages of a recipe one after the other and keeps what they measured.
final class RecipeRun {
  /// What one stage gave, with one seed or, where it does not depend on it, with all.
  struct StageResult {
    let stage: String
    let command: String
    let seed: UInt64?
    let seconds: Double
    let metrics: [(name: String, value: Double)]
  }

  private let console: Console
  private let total: Int
  private let folder: RunFolder
  /// The stages that an earlier sitting of this run has done.
  private let earlier: [RunRecord.Stage]
  private(set) var results: [StageResult] = []

  /// - Parameter total: how many stages will run, over all seeds.
  init(stages total: Int, _ folder: RunFolder, _ console: Console) {
    (self.total, self.folder, self.console) = (total, folder, console)
    earlier = folder.record?.stages ?? []
  }

  /// Runs a stage; what it prints goes to stderr, as the recipe's results are its own.
  ///
  /// What an earlier sitting has done is taken over, and a training that it began goes on.
  func run(_ stage: RecipePlan.Stage, seed: UInt64?) throws {
    let place = "stage \(results.count + 1) of \(total), \(stage.name)"
    if let done = earlier.first(where: { $0.name == stage.name && $0.seed == seed }) {
      console.note("\(place): done before")
      results.append(
        StageResult(
          stage: done.name, command: done.command, seed: seed, seconds: done.seconds,
          metrics: done.metrics.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
      return
    }
    var stage = stage
    if stage.hasBegun { stage.arguments.append("--resume") }
    console.note("\(place): tl \(stage.line)")
    let measurements = Measurements()
    let inner = Console(
      output: NoteSink(console: console), errors: console.errors, isQuiet: console.isQuiet,
      measurements: measurements)
    let clock = ContinuousClock()
    let start = clock.now
    do {
      let command = try stage.command.type.parse(stage.arguments)
      let invocation = Invocation(
        name: stage.command.name, type: stage.command.type, arguments: stage.arguments)
      try Console.$current.withValue(inner) {
        try Invocation.$current.withValue(invocation) {
          var command = command
          try command.run()
        }
      }
    } catch let error as SomeFailed {
      console.warning("\(place): \(error)")
    } catch {
      throw try StageError(place, error, stage)
    }
    let seconds = (clock.now - start) / .seconds(1)
    results.append(
      StageResult(
        stage: stage.name, command: stage.command.name, seed: seed, seconds: seconds,
        metrics: measurements.all))
    folder.update { record in
      record.stages = results.map { result in
        .init(
          name: result.stage, command: result.command, seed: result.seed, seconds: result.seconds,
          metrics: Dictionary(result.metrics.map { ($0.name, $0.value) }) { $1 })
      }
    }
    try folder.save()
  }
}

extension RecipePlan.Stage {
  /// Whether the stage is a training of which there is a run already.
  fileprivate var hasBegun: Bool {
    guard let option = arguments.firstIndex(of: "--run"), option + 1 < arguments.count else {
      return false
    }
    return FileManager.default.fileExists(atPath: "\(arguments[option + 1])/run.json")
  }
}

/// Results of a stage as notes, line by line.
private struct NoteSink: TextSink {
  let console: Console

  func write(_ text: String) {
    for line in text.split(separator: "\n") { console.note(String(line)) }
  }
}

/// A stage failed: what its command says, with the stage's name before it.
private struct StageError: Error, CustomStringConvertible, WithWayOut {
  let description: String
  let wayOut: String?

  /// Interruptions and the like are passed on as they are.
  init(_ place: String, _ error: any Error, _ stage: RecipePlan.Stage) throws {
    if error is Interrupted || error is BrokenPipe { throw error }
    let isUsage = stage.command.type.exitCode(for: error) == .validationFailure
    let failure = Failure(error, command: "tl")
    let words =
      isUsage && !(error is ExitCode) ? stage.command.type.message(for: error) : failure.description
    description = "\(place): \(words.isEmpty ? "ended with status \(failure.status)" : words)"
    wayOut = failure.wayOut
  }
}
