import Foundation
import TensorBoard
import Weights

/// The folder of a run, which can be read at any moment: every file in it is whole.
///
///     let run = try RunFolder.create(at: "runs/first")
///     try run.begin(record, recipe: text)
///     try run.append(epoch: result)
///     try model.save(run.file("model.h5"))
///     try run.finish(.finished)
package final class RunFolder {
  package let path: String
  package private(set) var record: RunRecord?
  package private(set) var history = RunHistory()
  /// How long earlier sittings of this run took.
  private var earlierSeconds = 0.0
  private var sitting = ContinuousClock.now
  private var writers: [String: EventFileWriter] = [:]

  private init(_ path: String) { self.path = path }

  /// The file that a run goes on from.
  package static let checkpoint = "checkpoint.h5"

  /// Where a file of the run is.
  package func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Throws `RunFolderError` where no new run can be: a run is there, or anything else.
  package static func requireFree(_ path: String) throws {
    let files = FileManager.default
    var isFolder: ObjCBool = false
    guard unsafe files.fileExists(atPath: path, isDirectory: &isFolder) else { return }
    guard isFolder.boolValue else { throw RunFolderError.isFile(path) }
    if let record = try? record(in: path) { throw RunFolderError.isTaken(path, record) }
    let names = ((try? files.contentsOfDirectory(atPath: path)) ?? []).filter {
      !$0.hasPrefix(".")
    }
    if let name = names.min() { throw RunFolderError.isNotEmpty(path, holds: name) }
  }

  /// Makes the folder of a new run.
  package static func create(at path: String) throws -> RunFolder {
    try requireFree(path)
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true)
    } catch {
      throw RunFolderError.cannotWrite(path, reason: reason(of: error))
    }
    return RunFolder(path)
  }

  /// Opens the folder of a run that went before, to go on with it.
  package static func open(_ path: String) throws -> RunFolder {
    let run = RunFolder(path)
    let record = try record(in: path)
    run.record = record
    run.earlierSeconds = record.seconds
    if let data = FileManager.default.contents(atPath: run.file("history.json")) {
      run.history = try RunHistory(json: data)
    }
    return run
  }

  private static func record(in path: String) throws -> RunRecord {
    guard let data = FileManager.default.contents(atPath: "\(path)/run.json") else {
      throw RunFolderError.noRun(path, reason: "there is no run.json in it")
    }
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    do {
      return try decoder.decode(RunRecord.self, from: data)
    } catch {
      throw RunFolderError.noRun(path, reason: "its run.json cannot be read")
    }
  }

  /// Starts a new run: writes its record, its recipe and an empty history.
  package func begin(_ record: RunRecord, recipe: String) throws {
    self.record = record
    sitting = .now
    try write("recipe.yaml", Data(recipe.utf8))
    if record.model != nil { try writeHistory() }
    try save()
  }

  /// Goes on with an opened run; epochs that it repeats take the place of earlier ones.
  package func resume(recipe: String) throws {
    sitting = .now
    update {
      $0.status = .running
      $0.finished = nil
      $0.error = nil
    }
    try write("recipe.yaml", Data(recipe.utf8))
    try save()
  }

  /// Adds a finished epoch to the history and the event files.
  package func append(epoch: EpochResult) throws {
    history.epochs.removeAll { $0.epoch >= epoch.epoch }
    history.epochs.append(epoch)
    // The next epoch writes them again: not worth waiting for the disk, which quick epochs would.
    try writeHistory(isSynced: false)
    try writeEvents(epoch)
    try save(isSynced: false)
  }

  /// Changes what `run.json` says, with the next `save` or `finish`.
  package func update(_ change: (inout RunRecord) -> Void) {
    guard var changed = record else { return }
    change(&changed)
    record = changed
  }

  /// Writes the end of the run.
  package func finish(_ status: RunRecord.Status, error: String? = nil) throws {
    update {
      $0.status = status
      $0.finished = Date()
      $0.error = error
    }
    if record?.model != nil { try writeHistory() }
    try save()
  }

  /// Writes `run.json`.
  package func save(isSynced: Bool = true) throws {
    update { $0.seconds = earlierSeconds + (ContinuousClock.now - sitting) / .seconds(1) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    encoder.dateEncodingStrategy = .iso8601
    try write("run.json", encoder.encode(record), isSynced: isSynced)
  }

  private func writeHistory(isSynced: Bool = true) throws {
    try write("history.csv", Data(history.csv.utf8), isSynced: isSynced)
    try write("history.json", history.json(), isSynced: isSynced)
  }

  private func write(_ name: String, _ data: Data, isSynced: Bool = true) throws {
    try AtomicFile.write(file(name), isSynced: isSynced) { place in
      do {
        try data.write(to: URL(filePath: place))
      } catch {
        throw RunFolderError.cannotWrite(path, reason: reason(of: error))
      }
    }
  }
}

extension RunFolder {
  /// An epoch as Keras's TensorBoard callback writes it: in `events/train` and
  /// `events/validation`, at a step counted from 0.
  private func writeEvents(_ epoch: EpochResult) throws {
    let now = Date().timeIntervalSince1970
    func scalars(_ values: [(tag: String, value: Double?)]) -> [ScalarEvent] {
      values.compactMap { tag, value in
        value.map {
          ScalarEvent(tag: tag, step: epoch.epoch - 1, value: Float($0), wallTime: now)
        }
      }
    }
    try write(
      scalars([
        ("epoch_accuracy", epoch.accuracy), ("epoch_loss", epoch.loss),
        ("epoch_learning_rate", epoch.learningRate),
      ]), to: "train")
    try write(
      scalars([
        ("epoch_accuracy", epoch.validationAccuracy), ("epoch_loss", epoch.validationLoss),
      ]), to: "validation")
  }

  private func write(_ events: [ScalarEvent], to split: String) throws {
    guard !events.isEmpty else { return }
    do {
      let writer = try writers[split] ?? EventFileWriter(in: file("events/\(split)"))
      writers[split] = writer
      try writer.write(events)
    } catch {
      throw RunFolderError.cannotWrite(path, reason: reason(of: error))
    }
  }
}

/// What the system says of a Foundation error.
private func reason(of error: any Error) -> String {
  let outer = error as NSError
  let inner = (outer.userInfo[NSUnderlyingErrorKey] as? any Error).map { $0 as NSError } ?? outer
  guard inner.domain == NSPOSIXErrorDomain else { return outer.localizedDescription }
  return unsafe String(cString: strerror(Int32(inner.code))).lowercased()
}
