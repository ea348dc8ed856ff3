import ArgumentParser
import Compute
import Explain
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

  @Option(
    help: ArgumentHelp(
      "Keep the state within an epoch after so many minutes; default: 10.", valueName: "n"))
  var checkpointMinutes = 10.0

  @Option(
    help: ArgumentHelp("Run with n seeds; print mean and deviation.", valueName: "n"))
  var seeds: Int?

  @Flag(help: "Print JSON instead of text.")
  var json = false

  /// Set by `tl resume`: the folder holds a run to go on with.
  @Flag(help: .hidden)
  var resume = false

  func validate() throws {
    guard checkpointMinutes > 0 else {
      throw ValidationError("--checkpoint-minutes must be above 0, found \(checkpointMinutes)")
    }
    guard (1...1000).contains(seeds ?? 1) else {
      throw ValidationError("--seeds must be 1 to 1000, found \(seeds ?? 1)")
    }
    guard !resume || folder != nil else {
      throw ValidationError("use `tl resume RUN` to go on with a run")
    }
  }

  /// Throws where several runs would write to the same file.
  func requireOneSeed(for outputs: [(name: String, path: String?)]) throws {
    for (name, path) in outputs where seeds ?? 1 > 1 && path != nil {
      throw ValidationError(
        "--seeds gives a model for each seed, all in the run's folder: leave out --\(name)")
    }
  }

  /// Throws where the run or the model could not be written, before anything takes long.
  ///
  /// - Parameter inputs: files that must not be overwritten, as they are read.
  func check(output: String?, inputs: [String] = []) throws {
    if let folder, !resume { try RunFolder.requireFree(folder) }
    if let output { try OutputPlace.check(output, inputs: inputs) }
  }

  /// Trains in a run folder: what `body` gives is kept there, and how it ended.
  ///
  /// While it trains, no other process can use the folder.
  /// - Parameters:
  ///   - output: where the model is written too.
  ///   - chosen: what the command chose itself, by option, so that the run can be repeated.
  func record(
    _ record: RunRecord, output: String?, chosen: [(key: String, value: String)],
    _ console: Console, _ body: (RunFolder, RunKeeper) throws -> RunOutcome
  ) throws -> FinishedRun {
    let stem = output.map { "-" + URL(filePath: $0).deletingPathExtension().lastPathComponent }
    let name = record.command + (stem ?? "")
    let run = try opened(name)
    let lock = try RunLock(run.path)
    defer { withExtendedLifetime(lock) {} }
    let kept = try checkpoint(run, console)
    let recipe = try Invocation.current?.recipe(name: name, chosen: chosen) ?? ""
    if resume {
      try run.resume(recipe: recipe)
    } else {
      var record = record
      record.output = output.map { URL(filePath: $0).standardizedFileURL.path }
      try run.begin(record, recipe: recipe)
    }
    let keeper = RunKeeper(
      run.file(RunFolder.checkpoint), resuming: kept, interval: .seconds(60 * checkpointMinutes),
      isStopping: { Interrupt.isPending })
    let files = [run.file("model.h5")] + (output.map { [$0] } ?? [])
    let finished = try run.recording {
      let outcome = try keepingGoodWeights(files, console) { try body(run, keeper) }
      for file in files { try outcome.model.save(file) }
      try outcome.predictions?.write(to: run.file("predictions.csv"))
      run.update {
        $0.frozen = outcome.frozen
        $0.trained = outcome.model.history.last?.trained
        $0.photoWait = outcome.photoWait
      }
      return FinishedRun(outcome: outcome, output: output ?? files[0], folder: run)
    }
    console.note("run: \(run.path)")
    run.writeReport(console)
    return finished
  }

  /// Writes the last good weights where a run ends because its loss is no number any more.
  private func keepingGoodWeights<R>(
    _ files: [String], _ console: Console, _ body: () throws -> R
  ) throws -> R {
    do {
      return try body()
    } catch let broken as BrokenTraining {
      for file in files {
        try broken.model.save(file)
        console.warning(
          "wrote \(file) with the weights of \(broken.place), the last good ones")
      }
      throw broken.reason
    }
  }

  private func opened(_ name: String) throws -> RunFolder {
    if resume, let folder { return try RunFolder.open(folder) }
    return try RunFolder.create(at: folder ?? RunPlace.standard(name))
  }

  /// What the run left to go on from.
  private func checkpoint(_ run: RunFolder, _ console: Console) throws -> TrainingCheckpoint? {
    let path = run.file(RunFolder.checkpoint)
    guard resume else { return nil }
    guard FileManager.default.fileExists(atPath: path) else {
      console.note("'\(run.path)' has no checkpoint: the run starts again")
      return nil
    }
    let checkpoint = try CheckpointFile.read(path)
    let inEpoch = checkpoint.state.position.map { ", \($0.examples) photos into the next" } ?? ""
    console.note("going on after epoch \(checkpoint.state.epoch)\(inEpoch)")
    if checkpoint.kernels != KernelTable.current.name {
      console.warning(
        "the run began with the kernels '\(checkpoint.kernels)' and goes on with "
          + "'\(KernelTable.current.name)': the last bits of its numbers will differ")
    }
    return checkpoint
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

  /// Writes the page about the run; a run that is done is not lost where that fails.
  func writeReport(_ console: Console) {
    do {
      console.note("report: \(try Explain.writeReport(run: path).path)")
    } catch {
      console.warning("no report: \(error)")
    }
  }

  /// Keeps what a trainer reports.
  func add(_ event: TrainingEvent, as part: RunPart = RunPart()) throws {
    guard case .epoch(let result, _) = event else { return }
    try append(epoch: result.inRun(after: part.earlier, stage: part.stage))
  }
}

extension RunFolderError: WithWayOut {}

extension CheckpointError: WithWayOut {
  package var wayOut: String? {
    switch self {
    case .cannotWrite(let path, _, .some):
      "make room, then `tl resume \(URL(filePath: path).deletingLastPathComponent().relativePath)`"
    case .noSpace: "make room, or another --run"
    case .otherPhotos: "bring the photos back, or start a new run"
    case .otherTensor: "bring the base's file back, or start a new run"
    case .inUse: "wait for it, or another --run"
    case .cannotRead, .damaged, .cannotWrite: nil
    }
  }
}

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
