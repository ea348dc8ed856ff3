import Foundation
import TestSupport
import Testing

/// `tl export`, given to the real program.
struct ExportTests {
  private static let model = Locations.tests("WeightsTests/Fixtures/nested_keras3_full.h5")
  private static let train = Locations.tests("TLCommandsTests/Fixtures/photos/train")
  private static let known = ["--class-names", "cats,dogs", "--preprocess", "rescale"]

  private func export(_ arguments: [String], in folder: URL) throws -> RunOutcome {
    try runTL(["export"] + arguments, in: folder)
  }

  private func predictions(_ model: String, in folder: URL) throws -> String {
    let outcome = try runTL(
      ["predict", Self.train, "--model", model, "--format", "csv", "--quiet"], in: folder)
    try #require(outcome.status == 0, "\(outcome.errors)")
    return outcome.output
  }

  @Test func whatIsExportedPredictsTheSame() throws {
    try Locations.withTemporaryFolder { folder in
      let first = try export(
        [Self.model, "--format", "keras-h5", "--output", "m.h5"] + Self.known, in: folder)
      #expect(first.status == 0 && first.errors == "", "\(first.errors)")
      #expect(
        first.output
          == "wrote m.h5: 2,876 parameters, input [32, 32, 3], output [1]; classes cats, dogs\n")
      let expected = try predictions("m.h5", in: folder)
      for (format, name) in [
        ("weights-h5", "m.weights.h5"), ("keras", "m.keras"), ("safetensors", "m.safetensors"),
      ] {
        let outcome = try export(["m.h5", "--format", format, "--quiet"], in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.hasPrefix("wrote \(name): "), "\(outcome.output)")
        #expect(try predictions(name, in: folder) == expected, "\(format)")
        let back = try export([name, "--format", "keras-h5", "--output", "b.h5"], in: folder)
        #expect(back.status == 0, "\(back.errors)")
        #expect(
          try Data(contentsOf: folder.appending(path: "b.h5"))
            == Data(contentsOf: folder.appending(path: "m.h5")), "\(format)")
      }
      let outcome = try export(["m.h5", "--format", "onnx"], in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let refused = try export(["m.onnx", "--format", "keras"], in: folder)
      #expect(refused.status == 1)
      #expect(refused.errors.contains("found an ONNX model, which is written and not read"))
      let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(
        files.sorted() == ["b.h5", "m.h5", "m.keras", "m.onnx", "m.safetensors", "m.weights.h5"])
    }
  }

  private static let refused: [(arguments: [String], status: Int32, error: String)] = [
    (
      ["m.h5", "--format", "keras", "--output", "x.h5"], 64,
      "the format goes by a file's name: expected --output to end in '.keras'"
    ),
    (
      ["m.h5", "--format", "keras-h5", "--output", "x.weights.h5"], 64,
      "expected --output to end in '.h5'"
    ),
    (
      ["m.h5", "--format", "keras-h5"], 1, "cannot write 'm.h5': it is a file that is read here"
    ),
    (
      ["m.h5", "--format", "onnx", "--output", "no/x.onnx"], 1,
      "cannot write 'no/x.onnx': no folder"
    ),
    (
      ["m.h5", "--format", "keras", "--include-preprocessing"], 64,
      "--include-preprocessing goes with --format onnx"
    ),
    (
      ["m.h5", "--format", "onnx", "--include-preprocessing"], 1,
      "'m.h5' does not say the preprocessing it expects"
    ),
    (
      ["m.h5", "--format", "onnx", "--class-names", "a,b,c"], 1,
      "'m.h5' has 1 output: expected 2 class names, found 'a', 'b', 'c'"
    ),
    (["m.h5", "--format", "tflite"], 64, "tflite"),
    (["m.h5"], 64, "--format"),
    (["gone.h5", "--format", "onnx"], 1, "gone.h5"),
  ]

  @Test(arguments: refused.indices) func isRefused(index: Int) throws {
    let (arguments, status, error) = Self.refused[index]
    try Locations.withTemporaryFolder { folder in
      try FileManager.default.copyItem(
        atPath: Self.model, toPath: folder.appending(path: "m.h5").path)
      let outcome = try export(arguments, in: folder)
      #expect(outcome.status == status, "\(outcome.errors)")
      #expect(outcome.errors.contains(error), "\(outcome.errors)")
      #expect(outcome.output == "")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["m.h5"])
    }
  }

  /// What is not known of a model is said; it goes out without.
  @Test func aModelByKerasIsExportedToo() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try export(
        [Self.model, "--format", "onnx", "--output", "m.onnx"], in: folder)
      #expect(outcome.status == 0)
      #expect(
        outcome.errors.hasSuffix("does not say its class names and preprocessing\n"),
        "\(outcome.errors)")
    }
  }
}
