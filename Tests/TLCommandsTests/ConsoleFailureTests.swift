import ArgumentParser
import Foundation
import TLCommands
import Testing

private struct Lost: WithWayOut, CustomStringConvertible {
  var description: String { "cannot find 'a\u{1B}\nb.h5'" }
  var wayOut: String? { "run `tl weights fetch vgg16`" }
}

/// A root command whose subcommand `predict` ends as its argument says.
private struct Tool: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tl", version: "0.1.0",
    subcommands: [Predict.self, ExtractFeatures.self, Hidden.self])

  struct Predict: ParsableCommand {
    @Argument var end: String

    func validate() throws {
      if end == "odd" { throw ValidationError("an odd end") }
    }

    func run() throws {
      switch end {
      case "lost": throw Lost()
      case "some": throw SomeFailed(3, of: 100)
      case "interrupted": throw Interrupted(signal: SIGINT)
      case "terminated": throw Interrupted(signal: SIGTERM)
      case "pipe": throw BrokenPipe()
      case "code": throw ExitCode(7)
      case "late": throw ValidationError("too late")
      case "missing": _ = try FileHandle(forReadingFrom: URL(filePath: "/nowhere"))
      case "unread": _ = try Data(contentsOf: URL(filePath: "/nowhere"))
      case "unlisted": _ = try FileManager.default.contentsOfDirectory(atPath: "/nowhere")
      case "full": throw POSIXError(.ENOSPC)
      default: break
      }
    }
  }

  struct ExtractFeatures: ParsableCommand {}

  struct Hidden: ParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)
  }
}

@Suite struct ConsoleFailureTests {
  private func run(_ arguments: String...) -> (status: Int32, output: String, errors: String) {
    let test = TestConsole()
    let status = Tool.perform(arguments, console: test.console)
    return (status, test.output.text, test.errors.text)
  }

  @Test(arguments: [
    (
      "lost", 1,
      """
      tl predict: error: cannot find 'a\\u{1B}\\nb.h5'
        try: run `tl weights fetch vgg16`\n
      """
    ),
    ("some", 2, "tl predict: warning: 3 of 100 photos failed\n"),
    ("interrupted", 130, "tl predict: interrupted\n"),
    ("terminated", 143, "tl predict: interrupted\n"),
    ("pipe", 141, ""), ("code", 7, ""), ("fine", 0, ""),
    ("late", 64, "tl predict: error: too late\n  try: tl predict --help\n"),
    ("missing", 1, "tl predict: error: '/nowhere': no such file or directory\n"),
    ("unread", 1, "tl predict: error: '/nowhere': no such file or directory\n"),
    ("unlisted", 1, "tl predict: error: '/nowhere': no such file or directory\n"),
    ("full", 1, "tl predict: error: no space left on device\n"),
  ])
  func endings(argument: String, status: Int32, errors: String) {
    let outcome = run("predict", argument)
    #expect(outcome.status == status)
    #expect(outcome.errors == errors)
    #expect(outcome.output == "")
  }

  @Test func wrongArgumentsShowTheUsageOfTheirCommand() {
    let missing = run("predict")
    #expect(missing.status == 64)
    #expect(missing.errors.hasPrefix("tl predict: error: Missing expected argument '<end>'\n"))
    #expect(missing.errors.contains("Usage: tl predict <end>\n"))
    let odd = run("predict", "odd")
    #expect(odd.status == 64)
    #expect(odd.errors.hasPrefix("tl predict: error: an odd end\n"))
    let unknown = run("--hepl")
    #expect(unknown.status == 64)
    #expect(unknown.errors.hasPrefix("tl: error: Unknown option '--hepl'"))
  }

  @Test(arguments: [
    ("predcit", "predict"), ("predictt", "predict"), ("redict", "predict"), ("Predict", "predict"),
    ("extract", "extract-features"), ("extract-feature", "extract-features"),
    ("extractfeatures", "extract-features"),
  ])
  func aMistypedCommandSuggestsTheNearest(typed: String, meant: String) {
    for outcome in [run(typed, "a.jpg", "--top-k", "3"), run("help", typed)] {
      #expect(outcome.status == 64)
      #expect(
        outcome.errors == "tl: error: unknown command '\(typed)': did you mean '\(meant)'?\n")
    }
  }

  @Test(arguments: ["photos", "hiden", "x", ""])
  func farWordsAndHiddenCommandsAreNotSuggested(typed: String) {
    let outcome = run(typed)
    #expect(outcome.status == 64)
    #expect(outcome.errors == "tl: error: unknown command '\(typed)'\n  try: tl --help\n")
  }

  @Test func helpAndVersionAreResults() {
    #expect(run("--version").output == "0.1.0\n")
    for arguments in [["--help"], ["help"], []] {
      let test = TestConsole()
      #expect(Tool.perform(arguments, console: test.console) == 0)
      #expect(test.output.text.contains("USAGE: tl <subcommand>\n"))
      #expect(test.errors.text == "")
    }
    #expect(run("help", "predict").output.contains("USAGE: tl predict <end>\n"))
    #expect(run("hidden").status == 0)
  }

  @Test func theErrorStandsBelowTheProgress() {
    let test = TestConsole(terminal: Terminal(isTerminal: true, hasColor: true))
    test.console.errors.show(status: "50 %")
    #expect(Tool.perform(["predict", "lost"], console: test.console) == 1)
    let escape = "\u{1B}["
    #expect(
      test.errors.text == """
        \r\(escape)K50 %
        tl predict: \(escape)1;31merror:\(escape)0m cannot find 'a\\u{1B}\\nb.h5'
          \(escape)1mtry:\(escape)0m run `tl weights fetch vgg16`\n
        """)
  }

  @Test(arguments: [
    ("", "", 0), ("", "abc", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "xbc", 1),
    ("abc", "ab", 1), ("kitten", "sitting", 3), ("predcit", "predict", 1), ("ca", "abc", 3),
  ])
  func distances(first: String, second: String, distance: Int) {
    #expect(editDistance(first, second) == distance)
    #expect(editDistance(second, first) == distance)
  }

  @Test func onlyTheFirstSignalIsRemembered() throws {
    let flag = InterruptFlag()
    try flag.check()
    #expect(flag.receive(SIGTERM))
    #expect(!flag.receive(SIGINT))
    #expect(throws: Interrupted(signal: SIGTERM)) { try flag.check() }
  }
}
