import Dispatch
import Foundation
import Synchronization

/// What a run of `tl` left: its exit status (128 + signal when one ended it) and what it said.
package struct RunOutcome: Sendable {
  package let status: Int32
  package let output: String
  package let errors: String
}

/// Runs the built `tl` and waits for it; stdin is empty.
///
/// - Parameters:
///   - environment: added to this process's own.
///   - folder: where it runs, by default where the tests run.
///   - megabytes: how much memory it may ask for at most.
package func runTL(
  _ arguments: [String], environment: [String: String] = [:], in folder: URL? = nil,
  megabytes: Int? = nil
) throws -> RunOutcome {
  try RunningTL(arguments, environment: environment, in: folder, megabytes: megabytes).finish()
}

/// A running `tl`, for tests that send it a signal; others call `runTL`.
package final class RunningTL {
  private let process = Process()
  private let output = Collector()
  private let errors = Collector()

  /// Where the build put `tl`: beside the test program, which depends on it.
  package static let executable: URL = {
    let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    return tests.deletingLastPathComponent().appending(path: "tl")
  }()

  package init(
    _ arguments: [String], environment: [String: String] = [:], in folder: URL? = nil,
    megabytes: Int? = nil
  ) throws {
    process.executableURL = Self.executable
    process.arguments = arguments
    if let megabytes {
      process.executableURL = URL(filePath: "/bin/sh")
      process.arguments =
        ["-c", "ulimit -v \(megabytes * 1000) && exec \"$0\" \"$@\"", Self.executable.path]
        + arguments
    }
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    if let folder { process.currentDirectoryURL = folder }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output.pipe
    process.standardError = errors.pipe
    try process.run()
    output.start()
    errors.start()
  }

  /// Waits until the output holds `text`; false when it ended without.
  package func waitForOutput(_ text: String) -> Bool { output.wait(for: text) }

  /// Waits until stderr holds `text`; false when it ended without.
  package func waitForErrors(_ text: String) -> Bool { errors.wait(for: text) }

  /// Stops reading the output, as `head` does when it has enough.
  package func closeOutput() { output.stop() }

  /// Sends a signal, such as `SIGINT` for Ctrl-C.
  package func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Waits for the end.
  package func finish() -> RunOutcome {
    let (output, errors) = (output.all(), errors.all())
    process.waitUntilExit()
    let status = process.terminationStatus
    return RunOutcome(
      status: process.terminationReason == .uncaughtSignal ? 128 + status : status,
      output: output, errors: errors)
  }
}

/// Reads one pipe on a thread of its own, so that neither pipe can fill up and block the program.
private final class Collector: Sendable {
  let pipe = Pipe()
  private let state = Mutex((data: Data(), isAtEnd: false, isStopped: false))
  private let grown = DispatchSemaphore(value: 0)

  func start() {
    Thread { [self] in
      while true {
        let piece = pipe.fileHandleForReading.availableData
        let isAtEnd = state.withLock { state in
          state.data += piece
          state.isAtEnd = piece.isEmpty || state.isStopped
          return state.isAtEnd
        }
        if isAtEnd { try? pipe.fileHandleForReading.close() }
        grown.signal()
        if isAtEnd { return }
      }
    }.start()
  }

  /// Closes the pipe after the next piece: only the reading thread may do so.
  func stop() { state.withLock { $0.isStopped = true } }

  func wait(for text: String) -> Bool {
    wait { String(decoding: $0, as: UTF8.self).contains(text) }
  }

  func all() -> String {
    _ = wait { _ in false }
    return String(decoding: state.withLock { $0.data }, as: UTF8.self)
  }

  /// Blocks until the text so far is good or complete; whether it is good.
  private func wait(until isGood: (Data) -> Bool) -> Bool {
    while true {
      let (data, isAtEnd, _) = state.withLock { $0 }
      if isGood(data) { return true }
      if isAtEnd { return false }
      grown.wait()
    }
  }
}
