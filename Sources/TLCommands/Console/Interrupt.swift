import Dispatch
import Foundation
import Synchronization

/// The user asked to stop; long loops throw this at a point where their files are whole.
package struct Interrupted: Error, CustomStringConvertible, Equatable {
  /// SIGINT or SIGTERM.
  package let signal: Int32

  package init(signal: Int32) { self.signal = signal }

  /// What a shell reports for a program ended by that signal: 130 after Ctrl-C.
  package var status: Int32 { 128 + signal }

  package var description: String { "interrupted" }
}

/// Remembers the first signal that asked to stop.
package final class InterruptFlag: Sendable {
  private let signal = Atomic<Int32>(0)

  package init() {}

  /// Notes a signal; false when one came before, so that this one should end the program at once.
  package func receive(_ signal: Int32) -> Bool {
    self.signal.compareExchange(
      expected: 0, desired: signal, ordering: .sequentiallyConsistent
    ).exchanged
  }

  /// Whether a signal came.
  package var isSet: Bool { signal.load(ordering: .relaxed) != 0 }

  /// Throws `Interrupted` once a signal came.
  package func check() throws(Interrupted) {
    let signal = signal.load(ordering: .relaxed)
    if signal != 0 { throw Interrupted(signal: signal) }
  }
}

/// Ctrl-C and SIGTERM for this process: the first asks loops to stop, the second ends at once.
package enum Interrupt {
  private static let flag = InterruptFlag()

  /// Throws `Interrupted` once the user asked to stop; costs one load, so ask in every step.
  package static func check() throws(Interrupted) {
    try flag.check()
  }

  /// Whether the user asked to stop, so that the next `check` throws.
  package static var isPending: Bool { flag.isSet }

  /// Takes over SIGINT and SIGTERM; called once, before the command runs.
  package static func watch() {
    for number in [SIGINT, SIGTERM] {
      // A dispatch source only sees a signal whose default action is off.
      signal(number, SIG_IGN)
      // A queue of its own gets a thread even when every core computes.
      let source = DispatchSource.makeSignalSource(
        signal: number, queue: DispatchQueue(label: "tl.signal.\(number)"))
      source.setEventHandler {
        arrived(number)
        // The handler holds its own source: it must live as long as the process.
        withExtendedLifetime(source) {}
      }
      source.resume()
    }
  }

  private static func arrived(_ signal: Int32) {
    guard flag.receive(signal) else { _exit(128 + signal) }
    let errors = Console.standard.errors
    if signal == SIGINT, errors.terminal.isTerminal {
      errors.line("stopping as soon as files are whole; Ctrl-C again ends at once")
    }
  }
}
