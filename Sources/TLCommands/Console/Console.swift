import ArgumentParser
import Foundation

/// Where a command speaks: results to stdout, everything else to stderr.
package struct Console: Sendable {
  /// Where results go.
  package let output: any TextSink
  /// What stdout is connected to.
  package let outputTerminal: Terminal
  /// Where notes, warnings, errors and progress go.
  package let errors: ErrorStream
  /// Whether notes and progress are left out; warnings and errors never are.
  package let isQuiet: Bool
  /// Where measured numbers are noted, nil where nobody asks for them.
  package let measurements: Measurements?

  package init(
    output: any TextSink, outputTerminal: Terminal = .none, errors: ErrorStream,
    isQuiet: Bool = false, measurements: Measurements? = nil
  ) {
    self.output = output
    self.outputTerminal = outputTerminal
    self.errors = errors
    self.isQuiet = isQuiet
    self.measurements = measurements
  }

  /// The console of the command that runs: the process's own, unless a command runs others.
  @TaskLocal package static var current = Console.standard

  /// The console of this process.
  package static let standard = Console(
    output: FileSink.standardOutput,
    outputTerminal: Terminal(
      descriptor: STDOUT_FILENO, environment: ProcessInfo.processInfo.environment),
    errors: ErrorStream(
      FileSink.standardError,
      terminal: Terminal(
        descriptor: STDERR_FILENO, environment: ProcessInfo.processInfo.environment)))

  /// The same console, quiet or not.
  package func quiet(_ isQuiet: Bool) -> Console {
    Console(
      output: output, outputTerminal: outputTerminal, errors: errors, isQuiet: isQuiet,
      measurements: measurements)
  }

  /// Notes a number that was measured for whoever ran the command.
  package func record(_ name: String, _ value: Double) { measurements?.record(name, value) }

  /// Tells something worth knowing on stderr in one line, unless quiet.
  package func note(_ text: String) {
    if !isQuiet { errors.line(escapingControls(text)) }
  }

  /// Shows a table on stderr, unless quiet.
  package func note(_ table: TextTable) {
    if !isQuiet { errors.line(table.text) }
  }

  /// Warns on stderr in one line, quiet or not.
  package func warning(_ text: String) {
    errors.line(errors.terminal.paint("warning:", .warning) + " " + escapingControls(text))
  }

  /// Prints a line of the result on stdout; throws `BrokenPipe` when nobody reads it any more.
  package func result(_ text: String) throws {
    try write(escapingControls(text) + "\n")
  }

  /// Prints a table on stdout.
  package func result(_ table: TextTable) throws {
    try write(table.text + "\n")
  }

  /// Writes a piece of the result to stdout as it is.
  package func write(_ text: String) throws {
    guard outputTerminal.isTerminal else { return try output.write(text) }
    try errors.aside { try output.write(text) }
  }
}

/// The flags that every command takes for what it says while it works.
package struct ConsoleOptions: ParsableArguments {
  @Flag(help: "Show no progress and no notes, only warnings and errors.")
  package var quiet = false

  package init() {}

  /// The command's console, as quiet as asked for.
  package var console: Console { .current.quiet(quiet || Console.current.isQuiet) }
}
