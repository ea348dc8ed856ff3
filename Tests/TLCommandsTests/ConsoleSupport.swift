import Synchronization
import TLCommands

/// Keeps what is written to it.
final class MemorySink: TextSink {
  private let pieces = Mutex<[String]>([])

  var text: String { pieces.withLock { $0.joined() } }
  var lines: [String] {
    text.split(separator: "\n").map(String.init)
  }

  func write(_ text: String) { pieces.withLock { $0.append(text) } }
}

/// Refuses everything with one error.
struct ClosedSink: TextSink {
  func write(_ text: String) throws { throw BrokenPipe() }
}

/// A clock that a test sets.
final class TestClock: Sendable {
  private let time = Mutex(Duration.zero)

  var now: Duration { time.withLock { $0 } }
  func advance(by step: Duration) { time.withLock { $0 += step } }
}

/// A console whose two streams are kept in memory.
struct TestConsole {
  let output = MemorySink()
  let errors = MemorySink()
  let console: Console

  init(terminal: Terminal = .none, outputTerminal: Terminal = .none, isQuiet: Bool = false) {
    console = Console(
      output: output, outputTerminal: outputTerminal,
      errors: ErrorStream(errors, terminal: terminal), isQuiet: isQuiet)
  }
}
