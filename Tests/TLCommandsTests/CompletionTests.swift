import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import TLCommands

/// What a shell offers at the TAB key.
struct CompletionTests {
  private struct Tool: Decodable {
    struct Command: Decodable {
      let commandName: String
      let subcommands: [Command]?
      let arguments: [Argument]?
    }
    struct Argument: Decodable {
      struct Name: Decodable { let name: String }
      struct Kind: Decodable {
        struct List: Decodable { let values: [String] }
        struct Empty: Decodable {}
        let list: List?
        let file: Empty?
        let directory: Empty?
        let custom: Empty?
      }
      let kind: String
      let preferredName: Name?
      let valueName: String?
      let abstract: String?
      let allValues: [String]?
      let completionKind: Kind?
    }
    let command: Command
  }

  private static func arguments(
    _ command: Tool.Command, _ name: String
  ) -> [(name: String, argument: Tool.Argument)] {
    (command.arguments ?? []).map {
      ("\(name) \($0.preferredName?.name ?? $0.valueName ?? "")", $0)
    } + (command.subcommands ?? []).flatMap { arguments($0, "\(name) \($0.commandName)") }
  }

  /// Every option of every command.
  private static func all() throws -> [(name: String, argument: Tool.Argument)] {
    let tool = try JSONDecoder().decode(Tool.self, from: Data(TL._dumpHelp().utf8))
    return arguments(tool.command, "tl").filter { $0.argument.kind != "flag" }
  }

  @Test func everyFileAndFolderIsOffered() throws {
    let all = try Self.all()
    #expect(all.count > 200)
    let places = all.filter { _, argument in
      let words = argument.abstract ?? ""
      return [" FILE", " FOLDER", "folder.", " LIST"].contains { words.contains($0) }
    }
    #expect(places.count > 40)
    for (name, argument) in places {
      let kind = argument.completionKind
      #expect(
        kind?.file != nil || kind?.directory != nil || kind?.custom != nil,
        "\(name) offers no files")
    }
  }

  @Test func everyListOfWordsIsOffered() throws {
    let lists = try Self.all().filter { $0.argument.allValues != nil }
    #expect(lists.count > 30)
    for (name, argument) in lists {
      let offered = argument.completionKind?.list?.values ?? []
      #expect(!offered.isEmpty, "\(name) offers none of its values")
    }
  }

  /// What bash would offer for these words, the last of which is begun.
  private func offered(_ words: [String], in folder: URL) throws -> [String] {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    let list = words.map { "'\($0)'" }.joined(separator: " ")
    process.arguments = [
      "--norc", "-c",
      """
      eval "$(tl --generate-completion-script bash)"
      COMP_WORDS=(\(list)); COMP_CWORD=\(words.count - 1)
      COMP_LINE='\(words.joined(separator: " "))'; COMP_POINT=${#COMP_LINE}
      $(complete -p tl | sed 's/.*-F \\([^ ]*\\) .*/\\1/') tl '\(words.last ?? "")' '\(
        words[words.count - 2])' 2>/dev/null
      printf '%s\\n' "${COMPREPLY[@]}"
      """,
    ]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.currentDirectoryURL = folder
    let tl = RunningTL.executable.deletingLastPathComponent().path
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["PATH": "\(tl):/usr/bin:/bin"]
    ) { $1 }
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.sorted()
  }

  @Test func bashOffersWhatFits() throws {
    try Locations.withTemporaryFolder { folder in
      try FileManager.default.createDirectory(
        at: folder.appending(path: "photos/train"), withIntermediateDirectories: true)
      for name in ["head.h5", "head.txt", "vgg16_mine.h5", "my.yaml"] {
        try Data().write(to: folder.appending(path: name))
      }
      for (words, expected) in [
        (["tl", "fine-t"], ["fine-tune"]),
        (["tl", "fine-tune", "--unf"], ["--unfreeze"]),
        (["tl", "train", "--network", "l"], ["lenet-5"]),
        (["tl", "train-head", "he"], ["head.h5"]),
        (["tl", "fine-tune", "--model", "he"], ["head.h5"]),
        (["tl", "evaluate", "pho"], ["photos"]),
        (["tl", "run", "m"], ["my.yaml"]),
        (["tl", "summary", "--base", "vgg16"], ["vgg16", "vgg16-top", "vgg16_mine.h5"]),
        (["tl", "summary", "--base", "photos/"], ["photos/train"]),
      ] {
        #expect(try offered(words, in: folder) == expected, "\(words)")
      }
      // One of them may be added by others.
      let optimizers = try offered(["tl", "fine-tune", "--optimizer", ""], in: folder)
      #expect(Set(optimizers).isSuperset(of: ["sgd", "rmsprop", "adam"]))
    }
  }
}
