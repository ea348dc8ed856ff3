import ArgumentParser
import Foundation

/// Goes through the ways a command can end, so that tests can watch them in the real program.
struct Rehearse: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rehearse", abstract: "Rehearse the ways in which a command ends.",
    shouldDisplay: false)

  @Argument(help: "How many lines to print, one per millisecond.")
  var lines: Int

  @Option(help: "How many of them count as failed.")
  var failed = 0

  @Option(help: "The FILE that the lines are written to instead of stdout.")
  var output: String?

  @OptionGroup var options: ConsoleOptions

  func run() throws {
    let progress = Progress(
      title: "rehearsal", total: lines, unit: "lines", console: options.console)
    try ResultWriter.write(to: output, console: options.console) { sink in
      for line in 1...max(lines, 1) {
        try Interrupt.check()
        try sink.line("line \(line)")
        progress.advance(to: line)
        Thread.sleep(forTimeInterval: 0.001)
      }
    }
    progress.finish()
    if failed > 0 { throw SomeFailed(failed, of: lines, unit: "lines") }
  }
}
