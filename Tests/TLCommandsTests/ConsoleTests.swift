import Foundation
import TLCommands
import Testing

@Suite struct ConsoleTests {
  let colored = Terminal(isTerminal: true, hasColor: true)

  @Test func resultsGoToStdoutAndTheRestToStderr() throws {
    let test = TestConsole()
    try test.console.result("0.93")
    test.console.note("using 2 threads")
    test.console.warning("3 files are no images")
    #expect(test.output.text == "0.93\n")
    #expect(test.errors.text == "using 2 threads\nwarning: 3 files are no images\n")
  }

  @Test func quietLeavesWarningsAndResults() throws {
    let test = TestConsole(isQuiet: true)
    try test.console.result("0.93")
    test.console.note("using 2 threads")
    test.console.warning("3 files are no images")
    #expect(test.output.text == "0.93\n")
    #expect(test.errors.text == "warning: 3 files are no images\n")
  }

  @Test func linesStayLinesWhateverTheyName() throws {
    let test = TestConsole()
    try test.console.result("a\u{1B}b")
    test.console.note("of 'a\nb'")
    test.console.warning("of 'a\nb'")
    var table = TextTable([.text("as a\nb")])
    table.add(["1"])
    test.console.note(table)
    try test.console.result(table)
    #expect(test.output.text == "a\\u{1B}b\nas a\\nb\n1\n")
    #expect(test.errors.text == "of 'a\\nb'\nwarning: of 'a\\nb'\nas a\\nb\n1\n")
  }

  @Test func colorOnlyWhereAllowed() {
    #expect(Terminal.none.paint("x", .failure) == "x")
    #expect(colored.paint("x", .failure) == "\u{1B}[1;31mx\u{1B}[0m")
  }

  @Test func aPipeIsNoTerminal() {
    let pipe = Pipe()
    let terminal = Terminal(
      descriptor: pipe.fileHandleForWriting.fileDescriptor, environment: ["TERM": "xterm"])
    #expect(!terminal.isTerminal)
    #expect(!terminal.hasColor)
    #expect(terminal.width() == 80)
  }

  @Test func linesDoNotRunIntoTheStatusLine() {
    let sink = MemorySink()
    let stream = ErrorStream(sink, terminal: colored)
    stream.show(status: "50 %")
    stream.line("note")
    stream.settle()
    stream.line("end")
    #expect(sink.text == "\r\u{1B}[K50 %\r\u{1B}[Knote\n50 %\nend\n")
  }

  @Test func resultsOnTheSameTerminalDoNotRunIntoTheStatusLine() throws {
    let test = TestConsole(terminal: colored, outputTerminal: colored)
    test.console.errors.show(status: "50 %")
    try test.console.result("row")
    #expect(test.output.text == "row\n")
    #expect(test.errors.text == "\r\u{1B}[K50 %\r\u{1B}[K50 %")
  }

  @Test func aClosedStderrStopsNothing() {
    let stream = ErrorStream(ClosedSink(), terminal: colored)
    stream.show(status: "50 %")
    stream.line("note")
    stream.settle()
  }

  @Test func aFullDiskIsNamed() throws {
    let full = try FileHandle(forWritingTo: URL(filePath: "/dev/full"))
    let error = OutputError.cannotWrite(path: "stdout", reason: "no space left on device")
    #expect(throws: error) { try FileSink(full, name: "stdout").write("x") }
  }
}
