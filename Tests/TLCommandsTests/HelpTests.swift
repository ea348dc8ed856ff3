import ArgumentParser
import Foundation
import TLCommands
import Testing

/// The help of every command, compared with `Snapshots/*.txt`.
///
/// After a wanted change run `RECORD_SNAPSHOTS=1 swift test --filter HelpTests` and read the diff.
@Suite struct HelpTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Snapshots")
  static let isRecording = ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] == "1"

  /// Every command below `command` with its name, such as `tl-predict`, itself first.
  static func walk(
    _ command: any ParsableCommand.Type, _ name: String
  ) -> [(name: String, command: any ParsableCommand.Type)] {
    [(name, command)]
      + command.configuration.subcommands.flatMap { walk($0, "\(name)-\($0._commandName)") }
  }

  static let commands = walk(TL.self, "tl").filter { $0.command.configuration.shouldDisplay }

  @Test(arguments: commands.map(\.name)) func helpIsAsRecorded(name: String) throws {
    let command = try #require(Self.commands.first { $0.name == name }).command
    let help = TL.helpMessage(for: command, columns: 80) + "\n"
    let file = Self.folder.appending(path: name + ".txt")
    if Self.isRecording { try Data(help.utf8).write(to: file) }
    #expect(try String(contentsOf: file, encoding: .utf8) == help, "of \(name)")
  }

  @Test func everyCommandSaysWhatItDoesInOneLine() {
    for (name, command) in Self.commands {
      let abstract = command.configuration.abstract
      #expect(abstract.hasSuffix("."), "abstract of \(name) is '\(abstract)'")
      #expect(!abstract.contains("\n") && abstract.count <= 80, "abstract of \(name)")
    }
  }

  @Test func noSnapshotIsLeftOver() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
      .filter { $0.hasSuffix(".txt") }
    #expect(Set(files).subtracting(Self.commands.map { $0.name + ".txt" }) == [])
  }
}
