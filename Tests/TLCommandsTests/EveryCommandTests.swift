import Foundation
import TestSupport
import Testing

@testable import TLCommands

/// What holds for every command: `--quiet`, `--json` and `NO_COLOR`.
struct EveryCommandTests {
  private static let tree =
    CommandOptions.all + [CommandOptions("run", Run.self), CommandOptions("resume", Resume.self)]

  /// A working call of every command, in a folder with a model `m.h5`, features `f.h5`, a run `r`
  /// and a recipe `r.yaml`.
  private static let calls: [String: [String]] = {
    let (train, base) = (WorkflowTests.train, WorkflowTests.base)
    let photo = train + "/cats/cat.0.jpg"
    return [
      "extract-features": [train, "--base", base, "--image-size", "64", "--output", "o.h5"],
      "train-head": ["f.h5", "--hidden", "4", "--epochs", "1"],
      "fine-tune": [train, "--model", "m.h5", "--unfreeze", "block5", "--epochs", "1"],
      "train": [train, "--network", "lenet-5", "--epochs", "1"],
      "evaluate": [train, "--model", "m.h5"],
      "predict": [train, "--model", "m.h5"],
      "run": ["r.yaml", "--data", WorkflowTests.photos, "--base", base],
      "find-learning-rate": [train, "--model", "m.h5", "--steps", "20", "--unfreeze", "none"],
      "report": ["r"],
      "resume": ["r", "--epochs", "2"],
      "show heatmap": [photo, "--model", "m.h5", "--output", "maps"],
      "show activations": [photo, "--model", "m.h5", "--output", "a.png"],
      "show filters": [
        "--model", "m.h5", "--layer", "block1_conv1", "--count", "1", "--steps", "1", "--output",
        "f.png",
      ],
      "show occlusion": [photo, "--model", "m.h5", "--output", "o.png"],
      "show convolve": [photo, "--kernel", "sobel-x", "--output", "c.png"],
      "show kernels": ["--model", "m.h5", "--output", "k.png"],
      "inspect": ["m.h5"],
      "summary": ["--model", "m.h5"],
      "export": ["m.h5", "--format", "onnx"],
      "augment": [train, "--output", "views", "--rotation", "10", "--views", "1"],
      "check-data": [train],
      "split": [train, "--output", "parts"],
      "make-demo": ["demo", "--photos", "12"],
      "weights list": [],
      "weights verify": ["mini"],
      "bench": ["--base", base, "--image-size", "64", "--rounds", "1", "--profile"],
    ]
  }()

  /// Commands that cannot be called here: they need a network.
  private static let uncalled: Set = ["weights pull"]

  @Test func everyCommandIsCalledHere() {
    let names = Set(Self.tree.map(\.name))
    #expect(names == Set(Self.calls.keys).union(Self.uncalled))
  }

  private func withFiles(_ body: (URL) throws -> Void) throws {
    try Locations.withTemporaryFolder { folder in
      try Data(RecipeTests.small.utf8).write(to: folder.appending(path: "r.yaml"))
      for arguments in [
        [
          "extract-features", WorkflowTests.train, "--base", WorkflowTests.base, "--image-size",
          "64", "--output", "f.h5",
        ],
        [
          "extract-features", WorkflowTests.validation, "--base", WorkflowTests.base,
          "--image-size", "64", "--output", "v.h5",
        ],
        [
          "train-head", "f.h5", "--validation", "v.h5", "--hidden", "4", "--epochs", "1",
          "--output", "m.h5", "--run", "r",
        ],
      ] {
        let outcome = try runTL(arguments, in: folder)
        try #require(outcome.status == 0, "\(outcome.errors)")
      }
      try body(folder)
    }
  }

  /// Warnings stay: they are no notes.
  @Test func quietLeavesOnlyResultsAndErrors() throws {
    try withFiles { folder in
      for (name, arguments) in Self.calls.sorted(by: { $0.key < $1.key }) {
        let words = name.split(separator: " ").map(String.init)
        let outcome = try runTL(words + arguments + ["--quiet"], in: folder)
        #expect([0, 1].contains(outcome.status), "\(name): \(outcome.errors)")
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.allSatisfy { $0.hasPrefix("warning: ") }, "\(name): \(outcome.errors)")
      }
    }
  }

  @Test func jsonIsOneDocumentOnStdout() throws {
    let commands = Self.tree.filter { $0["json"] != nil && !Self.uncalled.contains($0.name) }
    #expect(
      Set(commands.map(\.name)).isSuperset(of: [
        "predict", "evaluate", "summary", "bench", "weights list", "check-data", "train",
        "train-head", "fine-tune", "run", "inspect",
      ]))
    try withFiles { folder in
      for command in commands {
        let words = command.name.split(separator: " ").map(String.init)
        let arguments = try #require(Self.calls[command.name])
        let outcome = try runTL(words + arguments + ["--json"], in: folder)
        #expect([0, 1].contains(outcome.status), "\(command.name): \(outcome.errors)")
        #expect(
          (try? JSONSerialization.jsonObject(with: Data(outcome.output.utf8))) != nil,
          "\(command.name): \(outcome.output.prefix(200))")
      }
    }
  }

  /// On a terminal an error is coloured, but not with NO_COLOR, and neither in a pipe.
  @Test func colourIsLeftOutWhenAsked() throws {
    for command in Self.tree {
      let line =
        [RunningTL.executable.path] + command.name.split(separator: " ").map(String.init)
        + ["--no-such-option"]
      let coloured = try onTerminal(line, ["NO_COLOR": ""])
      let plain = try onTerminal(line, ["NO_COLOR": "1"])
      #expect(coloured.contains("\u{1B}[1;31merror:\u{1B}[0m"), "\(command.name): \(coloured)")
      #expect(!plain.contains("\u{1B}[") && plain.contains("error:"), "\(command.name): \(plain)")
    }
  }

  /// What a command shows on a terminal of its own, which `script` makes.
  private func onTerminal(_ words: [String], _ environment: [String: String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/script")
    process.arguments = ["-qec", words.joined(separator: " "), "/dev/null"]
    process.environment = ProcessInfo.processInfo.environment
      .merging(["TERM": "xterm"]) { $1 }.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: text, as: UTF8.self)
  }
}
