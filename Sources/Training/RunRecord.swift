import Compute
package import Foundation

/// What `run.json` in a run folder says.
package struct RunRecord: Codable, Sendable, Equatable {
  package enum Status: String, Codable, Sendable {
    case running, finished, interrupted, failed
  }

  /// A stage of a recipe's run.
  package struct Stage: Codable, Sendable, Equatable {
    package let name: String
    package let command: String
    package let seed: UInt64?
    package let seconds: Double
    package let metrics: [String: Double]

    package init(
      name: String, command: String, seed: UInt64?, seconds: Double, metrics: [String: Double]
    ) {
      (self.name, self.command, self.seed) = (name, command, seed)
      (self.seconds, self.metrics) = (seconds, metrics)
    }
  }

  package private(set) var format = 1
  package var command: String
  package var status = Status.running
  package var started: Date
  package var finished: Date?
  /// How long the run took so far, over all of its sittings.
  package var seconds = 0.0
  /// The version of tl.
  package var version = ClassifierModel.version
  /// What was trained on: a folder of photos or a file of features, as paths from the root.
  package var data: String?
  package var validation: String?
  /// The model's file in the folder; nil for a run of several commands.
  package var model: String?
  /// Where the model was written too.
  package var output: String?
  package var classNames: [String]
  /// The sentence of the freeze proof, once there is one.
  package var frozen: String?
  /// Which layers were trained.
  package var trained: String?
  /// The share of the training in which the network waited for photos.
  package var photoWait: Double?
  /// Which kernels computed, and on how many threads.
  package var isa = KernelTable.current.name
  package var threads = Threads.count
  /// Why the run failed.
  package var error: String?
  /// The stages of a recipe that are done; nil for one command.
  package var stages: [Stage]?

  package init(
    command: String, data: String?, validation: String?, classNames: [String],
    model: String? = "model.h5", started: Date = Date()
  ) {
    func absolute(_ path: String) -> String { URL(filePath: path).standardizedFileURL.path }
    self.command = command
    (self.data, self.validation) = (data.map(absolute), validation.map(absolute))
    (self.classNames, self.model, self.started) = (classNames, model, started)
  }

  /// Every field is written, absent ones as null, so that readers need not ask which are there.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(format, forKey: .format)
    try container.encode(command, forKey: .command)
    try container.encode(status, forKey: .status)
    try container.encode(started, forKey: .started)
    try container.encode(finished, forKey: .finished)
    try container.encode(seconds, forKey: .seconds)
    try container.encode(version, forKey: .version)
    try container.encode(data, forKey: .data)
    try container.encode(validation, forKey: .validation)
    try container.encode(model, forKey: .model)
    try container.encode(output, forKey: .output)
    try container.encode(classNames, forKey: .classNames)
    try container.encode(frozen, forKey: .frozen)
    try container.encode(trained, forKey: .trained)
    try container.encode(photoWait, forKey: .photoWait)
    try container.encode(isa, forKey: .isa)
    try container.encode(threads, forKey: .threads)
    try container.encode(error, forKey: .error)
    try container.encodeIfPresent(stages, forKey: .stages)
  }
}

/// Why a folder cannot be that of a run; `description` is one line.
package enum RunFolderError: Error, CustomStringConvertible {
  case isFile(String)
  case isTaken(String, RunRecord)
  case isNotEmpty(String, holds: String)
  case cannotWrite(String, reason: String)
  case noRun(String, reason: String)

  package var description: String {
    switch self {
    case .isFile(let path): "cannot use '\(path)' for a run: expected a folder, found a file"
    case .isTaken(let path, let record):
      "'\(path)' already holds a run: \(record.command), \(record.status.rawValue), begun "
        + record.started.formatted(.iso8601)
    case .isNotEmpty(let path, let found):
      "cannot use '\(path)' for a run: expected an empty or new folder, found '\(found)' in it"
    case .cannotWrite(let path, let reason): "cannot write the run folder '\(path)': \(reason)"
    case .noRun(let path, let reason): "'\(path)' holds no run: \(reason)"
    }
  }

  package var wayOut: String? {
    switch self {
    case .isFile, .isTaken, .isNotEmpty: "another --run, or none for a new one in 'runs'"
    case .cannotWrite, .noRun: nil
    }
  }
}
