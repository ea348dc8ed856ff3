import Synchronization

/// Lines on stderr, with at most one status line (the progress bar) kept below them.
///
/// Everything that writes to the terminal passes here, so that no line is drawn into a bar.
/// A stderr that cannot be written to never stops the work.
package final class ErrorStream: Sendable {
  package let terminal: Terminal
  private let sink: any TextSink
  private let status = Mutex("")

  private static let eraseLine = "\r\u{1B}[K"

  package init(_ sink: any TextSink, terminal: Terminal) {
    self.sink = sink
    self.terminal = terminal
  }

  /// Prints a line above the status line.
  package func line(_ text: String) {
    aside { try? sink.line(text) }
  }

  /// Runs `body`, which writes to the same terminal, with the status line out of the way.
  package func aside<R>(_ body: () throws -> R) rethrows -> R {
    try status.withLock { status in
      if !status.isEmpty { try? sink.write(Self.eraseLine) }
      defer { if !status.isEmpty { try? sink.write(status) } }
      return try body()
    }
  }

  /// Draws `text` in place of the status line; it must fit one row.
  package func show(status text: String) {
    status.withLock { status in
      try? sink.write(Self.eraseLine + text)
      status = text
    }
  }

  /// Leaves the status line where it is and goes on below it.
  package func settle() {
    status.withLock { status in
      if !status.isEmpty { try? sink.write("\n") }
      status = ""
    }
  }

  /// Erases the status line.
  package func clearStatus() {
    status.withLock { status in
      if !status.isEmpty { try? sink.write(Self.eraseLine) }
      status = ""
    }
  }
}
