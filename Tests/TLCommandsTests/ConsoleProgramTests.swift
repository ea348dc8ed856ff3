import Foundation
import TestSupport
import Testing

/// How the real program speaks and ends, watched from outside through `tl predict`.
@Suite struct ConsoleProgramTests {
  static let photos = Locations.tests("TLCommandsTests/Fixtures/photos/validation")

  /// Runs `body` in a folder with a model `m.h5`.
  private func withModel(_ body: (URL) throws -> Void) throws {
    try Locations.withTemporaryFolder { folder in
      let base = Locations.tests("WeightsTests/Fixtures/vgg16_keras1.h5")
      for arguments in [
        [
          "extract-features", Self.photos, "--base", base, "--image-size", "64", "--output", "f.h5",
        ],
        ["train-head", "f.h5", "--hidden", "4", "--epochs", "1", "--output", "m.h5"],
      ] {
        let outcome = try runTL(arguments, in: folder)
        try #require(outcome.status == 0, "\(outcome.errors)")
      }
      try FileManager.default.removeItem(at: folder.appending(path: "f.h5"))
      try body(folder)
    }
  }

  /// `tl predict` of the photos so many times over.
  private func predict(_ times: Int, _ more: String...) -> [String] {
    ["predict"] + [String](repeating: Self.photos, count: times)
      + ["--model", "m.h5", "--format", "csv"] + more
  }

  @Test func resultsAndProgressKeepToTheirStreams() throws {
    try withModel { folder in
      let outcome = try runTL(predict(1), in: folder)
      #expect(outcome.status == 0)
      #expect(outcome.output.hasPrefix("path,label,probability,cats,dogs,error\ncats/cat.0.jpg,"))
      #expect(outcome.output.split(separator: "\n").count == 13)
      #expect(outcome.errors.hasPrefix("model: classes cats, dogs; "))
      #expect(outcome.errors.contains("\npredict: 12 photos in less than 1 s, "))
      #expect(!outcome.errors.contains("\u{1B}"))
      #expect(try runTL(predict(1, "--quiet"), in: folder).errors == "")
    }
  }

  @Test func exitStatuses() throws {
    try withModel { folder in
      let some = try runTL(predict(1, "--quiet", "gone.jpg"), in: folder)
      #expect(some.status == 2)
      #expect(some.errors == "tl predict: warning: 1 of 13 photos failed\n")
      #expect(try runTL(predict(1, "--output", "/nowhere/a"), in: folder).status == 1)
    }
    #expect(try runTL(["predict"]).status == 64)
    let typo = try runTL(["predcit", "photos", "--model", "m.h5"])
    #expect(typo.status == 64)
    #expect(typo.errors.hasPrefix("tl: error: unknown command 'predcit'"))
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func aSignalEndsTheWorkAndKeepsTheOldFile(signal: Int32, status: Int32) throws {
    try withModel { folder in
      let file = folder.appending(path: "out.csv")
      try Data("old\n".utf8).write(to: file)
      let run = try RunningTL(predict(5000, "--output", "out.csv"), in: folder)
      // The first progress line tells that the work is under way.
      #expect(run.waitForErrors("predict: "))
      run.send(signal)
      let outcome = run.finish()
      #expect(outcome.status == status)
      #expect(outcome.errors.hasSuffix("\ntl predict: interrupted\n"))
      #expect(try String(contentsOf: file, encoding: .utf8) == "old\n")
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
          == ["m.h5", "out.csv", "runs"])
    }
  }

  @Test func aStderrThatCannotBeWrittenToStopsNothing() throws {
    try withModel { folder in
      let process = Process()
      process.executableURL = URL(filePath: "/bin/sh")
      process.arguments =
        ["-c", "exec \"$0\" \"$@\" 2>/dev/full", RunningTL.executable.path]
        + predict(1, "--output", "rows.csv")
      process.currentDirectoryURL = folder
      try process.run()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      let rows = try String(contentsOf: folder.appending(path: "rows.csv"), encoding: .utf8)
      #expect(rows.split(separator: "\n").count == 13)
    }
  }

  @Test func aReaderThatLeavesEndsTheWorkQuietly() throws {
    try withModel { folder in
      let run = try RunningTL(predict(5000, "--quiet"), in: folder)
      #expect(run.waitForOutput("cats/cat.0.jpg"))
      run.closeOutput()
      let outcome = run.finish()
      #expect(outcome.status == 141)
      #expect(outcome.errors == "")
    }
  }

  @Test func namesCannotCommandTheTerminal() throws {
    try withModel { folder in
      let data = folder.appending(path: "data/a\u{1B}[31m\nb")
      try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
      try Data("no picture".utf8).write(to: data.appending(path: "x\n.txt"))
      try FileManager.default.copyItem(
        atPath: Self.photos + "/cats/cat.0.jpg", toPath: data.path + "/c\n.jpg")
      for arguments in [
        ["evaluate", "data", "--model", "m.h5"],
        ["evaluate", "data/a\u{1B}[31m\nb", "--model", "m.h5"],
        ["predict", "data", "--model", "m.h5"],
      ] {
        let outcome = try runTL(arguments, in: folder)
        #expect(!(outcome.errors + outcome.output).contains("\u{1B}"), "\(outcome.errors)")
        #expect(!outcome.errors.contains("\nb"), "\(outcome.errors)")
      }
    }
  }
}
