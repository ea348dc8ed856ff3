import ArgumentParser
import Foundation
import Training

/// The folder that a training command keeps its run in, and how it says its result.
struct RunOptions: ParsableArguments {
  @Option(
    name: .customLong("run"),
    help: ArgumentHelp(
      "The run's FOLDER: history, model, events; default: runs/<date>-<name>.",
      valueName: "folder"), completion: .directory)
  var folder: String?

  @Flag(help: "Print JSON instead of text.")
  var json = false

  /// Throws where the run or the model could not be written, before anything takes long.
  ///
  /// - Parameter inputs: files that must not be overwritten, as they are read.
  func check(output: String?, inputs: [String] = []) throws {
    if let folder { try RunFolder.requireFree(folder) }
    if let output { try OutputPlace.check(output, inputs: inputs) }
  }

  /// Trains in a run folder: what `body` gives is kept there, and how it ended.
  ///
  /// - Parameters:
  ///   - output: where the model is written too.
  ///   - chosen: what the command chose itself, by option, so that the run can be repeated.
  func record(
    _ record: RunRecord, output: String?, chosen: [(key: String, value: String)],
    _ console: Console, _ body: (RunFolder) throws -> RunOutcome
  ) throws -> FinishedRun {
    let stem = output.map { "-" + URL(filePath: $0).deletingPathExtension().lastPathComponent }
    let name = record.command + (stem ?? "")
    let run = try RunFolder.create(at: folder ?? RunPlace.standard(name))
    let recipe = try Invocation.current?.recipe(name: name, chosen: chosen)
    try run.begin(record, recipe: recipe ?? "")
    return try run.recording {
      let outcome = try body(run)
      let model = run.file("model.h5")
      try outcome.model.save(model)
      if let output { try outcome.model.save(output) }
      try outcome.predictions?.write(to: run.file("predictions.csv"))
      run.update {
        $0.frozen = outcome.frozen
        $0.trained = outcome.model.history.last?.trained
        $0.photoWait = outcome.photoWait
      }
      console.note("run: \(run.path)")
      console.note("report: tl report \(run.path)")
      return FinishedRun(outcome: outcome, output: output ?? model, folder: run)
    }
  }

  /// Says where the model is: the last line of a training command.
  func say(_ run: FinishedRun, _ console: Console) throws {
    guard json else {
      return try console.result("wrote \(run.output): \(run.outcome.model.summary)")
    }
    try console.write(JSONText.encode(TrainingReport(run), isPretty: true) + "\n")
  }
}

/// What a training gave.
struct RunOutcome {
  let model: ClassifierModel
  /// The sentence of the freeze proof.
  let frozen: String?
  let photoWait: Double?
  let predictions: Predictions?
}

/// A training that is done, and where its files are.
struct FinishedRun {
  let outcome: RunOutcome
  /// The model's file.
  let output: String
  let folder: RunFolder
}

/// What the training commands print with `--json`.
private struct TrainingReport: Encodable {
  let model: String
  let run: String
  let classNames: [String]
  let parameters: Int
  let base: String
  let frozen: String?
  let seconds: Double
  let epochs: [EpochResult]

  enum CodingKeys: String, CodingKey {
    case model, run, parameters, base, frozen, seconds, epochs
    case classNames = "class_names"
  }

  init(_ run: FinishedRun) {
    let trained = run.outcome.model
    (model, self.run) = (run.output, run.folder.path)
    (classNames, base) = (trained.classNames, trained.baseDescription)
    (parameters, frozen) = (trained.network.parameterCount, run.outcome.frozen)
    seconds = run.folder.record?.seconds ?? 0
    epochs = run.folder.history.epochs
  }
}

extension RunFolder {
  /// Does the run's work and writes how it ended.
  func recording<R>(_ body: () throws -> R) throws -> R {
    do {
      let result = try body()
      try finish(.finished)
      return result
    } catch {
      // The first error counts, also where this one is that nothing can be written any more.
      try? finish(
        error is Interrupted ? .interrupted : .failed,
        error: error is Interrupted ? nil : Failure(error, command: "").description)
      throw error
    }
  }

  /// Keeps what a trainer reports.
  func add(_ event: TrainingEvent) throws {
    if case .epoch(let result, _) = event { try append(epoch: result) }
  }
}

extension RunFolderError: WithWayOut {}

extension ClassifierModel {
  /// How photos are brought to the network, by the options that say so.
  var chosenOptions: [(key: String, value: String)] {
    let size = ImageSize(height: loader.height, width: loader.width)
    return [
      ("image-size", size.description), ("preprocess", loader.preprocessing.rawValue),
      ("interpolation", loader.interpolation.rawValue), ("fit", loader.fit.rawValue),
    ]
  }
}
