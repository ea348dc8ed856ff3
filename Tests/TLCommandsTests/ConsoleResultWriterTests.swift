import Foundation
import TLCommands
import TestSupport
import Testing

@Suite struct ConsoleResultWriterTests {
  private func contents(_ folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  private func text(_ file: URL) throws -> String { try String(contentsOf: file, encoding: .utf8) }

  @Test(arguments: [nil, "-"]) func stdoutUnlessAFileIsNamed(path: String?) throws {
    let test = TestConsole()
    let count = try ResultWriter.write(to: path, console: test.console) { sink in
      try sink.line("a,b")
      return 1
    }
    #expect(count == 1)
    #expect(test.output.text == "a,b\n")
  }

  @Test func aFileAppearsWholeUnderItsName() throws {
    try Locations.withTemporaryFolder { folder in
      let file = folder.appending(path: "out.csv")
      try ResultWriter.write(to: file.path) { sink in
        try sink.line("a,b")
        #expect(!FileManager.default.fileExists(atPath: file.path))
        try sink.line("1,猫")
      }
      #expect(try text(file) == "a,b\n1,猫\n")
      #expect(try contents(folder) == ["out.csv"])
    }
  }

  @Test func anOldFileStaysWhenTheWorkFailsAndGoesWhenItDoesNot() throws {
    try Locations.withTemporaryFolder { folder in
      let file = folder.appending(path: "out.csv")
      try Data("a longer old text\n".utf8).write(to: file)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
      #expect(throws: Interrupted(signal: SIGINT)) {
        try ResultWriter.write(to: file.path) { sink in
          try sink.line("new")
          throw Interrupted(signal: SIGINT)
        }
      }
      #expect(try text(file) == "a longer old text\n")
      #expect(try contents(folder) == ["out.csv"])
      try ResultWriter.write(to: file.path) { try $0.line("new") }
      #expect(try text(file) == "new\n")
      let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
      #expect(attributes[.posixPermissions] as? Int == 0o600)
    }
  }

  @Test func aLinkStaysALink() throws {
    try Locations.withTemporaryFolder { folder in
      let (file, link) = (folder.appending(path: "real.csv"), folder.appending(path: "link.csv"))
      try Data("a longer old text\n".utf8).write(to: file)
      try FileManager.default.createSymbolicLink(
        atPath: link.path, withDestinationPath: "real.csv")
      #expect(throws: BrokenPipe()) {
        try ResultWriter.write(to: link.path) { sink in
          try sink.line("new")
          throw BrokenPipe()
        }
      }
      #expect(try text(file) == "a longer old text\n")
      try ResultWriter.write(to: link.path) { try $0.line("new") }
      #expect(try text(file) == "new\n")
      #expect(
        try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == "real.csv")
    }
  }

  @Test func aDeviceIsWrittenToAndNotReplaced() throws {
    try ResultWriter.write(to: "/dev/null") { try $0.line("new") }
    let type = try FileManager.default.attributesOfItem(atPath: "/dev/null")[.type]
    #expect(type as? FileAttributeType == .typeCharacterSpecial)
    let error = OutputError.cannotWrite(path: "/dev/full", reason: "no space left on device")
    #expect(throws: error) { try ResultWriter.write(to: "/dev/full") { try $0.line("new") } }
  }

  @Test func foldersAndMissingFoldersAreRefusedBeforeTheWork() throws {
    try Locations.withTemporaryFolder { folder in
      let missing = folder.appending(path: "missing")
      #expect(throws: OutputError.isFolder(path: folder.path)) {
        try ResultWriter.write(to: folder.path) { _ in Issue.record("the work began") }
      }
      let error = #expect(throws: OutputError.self) {
        try ResultWriter.write(to: missing.path + "/a") { _ in Issue.record("the work began") }
      }
      #expect(error == .noFolder(path: missing.path + "/a", folder: missing.path))
      #expect(error?.wayOut == "mkdir -p '\(missing.path)'")
    }
  }
}
