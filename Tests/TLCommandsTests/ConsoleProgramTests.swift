import Foundation
import TestSupport
import Testing

/// The real program, watched from outside through its hidden command `rehearse`.
@Suite struct ConsoleProgramTests {
  @Test func resultsAndProgressKeepToTheirStreams() throws {
    let outcome = try runTL(["rehearse", "3"])
    #expect(outcome.status == 0)
    #expect(outcome.output == "line 1\nline 2\nline 3\n")
    #expect(outcome.errors.hasPrefix("rehearsal: 3 lines in less than 1 s, "))
    #expect(!outcome.errors.contains("\u{1B}"))
    #expect(try runTL(["rehearse", "3", "--quiet"]).errors == "")
  }

  @Test func exitStatuses() throws {
    let some = try runTL(["rehearse", "5", "--failed", "2", "--quiet"])
    #expect(some.status == 2)
    #expect(some.errors == "tl rehearse: warning: 2 of 5 lines failed\n")
    #expect(try runTL(["rehearse"]).status == 64)
    #expect(try runTL(["rehearse", "5", "--output", "/nowhere/a"]).status == 1)
    let typo = try runTL(["predcit", "photos", "--model", "m.h5"])
    #expect(typo.status == 64)
    #expect(typo.errors.hasPrefix("tl: error: unknown command 'predcit'"))
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func aSignalEndsTheWorkAndKeepsTheOldFile(signal: Int32, status: Int32) throws {
    try Locations.withTemporaryFolder { folder in
      let file = folder.appending(path: "out.txt")
      try Data("old\n".utf8).write(to: file)
      let run = try RunningTL(["rehearse", "20000", "--output", "out.txt"], in: folder)
      // The first progress line tells that the work is under way.
      #expect(run.waitForErrors("rehearsal: "))
      run.send(signal)
      let outcome = run.finish()
      #expect(outcome.status == status)
      #expect(outcome.errors.hasSuffix("\ntl rehearse: interrupted\n"))
      #expect(try String(contentsOf: file, encoding: .utf8) == "old\n")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["out.txt"])
    }
  }

  @Test func aReaderOfStderrThatLeavesStopsNothing() throws {
    let run = try RunningTL(["rehearse", "1500"])
    #expect(run.waitForErrors("rehearsal: "))
    run.closeErrors()
    let outcome = run.finish()
    #expect(outcome.status == 0)
    #expect(outcome.output.hasSuffix("\nline 1500\n"))
    #expect(!outcome.errors.contains("rehearsal: 1500 lines in"))
  }

  @Test func aReaderThatLeavesEndsTheWorkQuietly() throws {
    let run = try RunningTL(["rehearse", "20000", "--quiet"])
    #expect(run.waitForOutput("line 1\n"))
    run.closeOutput()
    let outcome = run.finish()
    #expect(outcome.status == 141)
    #expect(outcome.errors == "")
  }
}
