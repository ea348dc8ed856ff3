import Foundation
import HDF5
import TestSupport
import Testing

/// `--precision` and `tl bench`, with the real program.
struct PrecisionTests {
  private static let base = WorkflowTests.base
  private static let extract = [
    "extract-features", WorkflowTests.train, "--base", base, "--image-size", "64", "--output",
  ]

  private func features(_ path: String) throws -> (values: [Float], precision: String?) {
    let file = try HDF5File.open(path)
    defer { try? file.close() }
    let root = try file.root
    return (
      try root.dataset("features").readFloats(), try root.attributes.string("precision")
    )
  }

  @Test func featuresInBF16AreNearThoseInF32AndAreNotMixedWithThem() throws {
    try Locations.withTemporaryFolder { folder in
      for (name, more) in [("f32.h5", []), ("bf16.h5", ["--precision", "bf16"])] {
        let outcome = try runTL(Self.extract + [name] + more, in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
      }
      let exact = try features(folder.path + "/f32.h5")
      let rounded = try features(folder.path + "/bf16.h5")
      #expect(exact.precision == "f32" && rounded.precision == "bf16")
      #expect(exact.values != rounded.values)
      func dot(_ a: [Float], _ b: [Float]) -> Double {
        zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      }
      let lengths = dot(exact.values, exact.values) * dot(rounded.values, rounded.values)
      #expect(dot(exact.values, rounded.values) / lengths.squareRoot() > 0.999)
      let mixed = try runTL(
        ["train-head", "f32.h5", "--validation", "bf16.h5", "--output", "m.h5"], in: folder)
      #expect(mixed.status != 0)
      #expect(mixed.errors.contains("precision is 'f32' here and 'bf16' there"))
      let again = try runTL(Self.extract + ["bf16.h5"], in: folder)
      #expect(again.errors.contains("'bf16.h5' is not reused"))
    }
  }

  @Test func autoSaysWhatItChose() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try runTL(Self.extract + ["f.h5", "--precision", "auto"], in: folder)
      #expect(outcome.status == 0)
      let chosen = try #require(try features(folder.path + "/f.h5").precision)
      #expect(outcome.errors.contains("precision: \(chosen)\n"))
      let wrong = try runTL(Self.extract + ["g.h5", "--precision", "f16"], in: folder)
      #expect(wrong.status != 0 && wrong.errors.contains("f16"))
    }
  }

  @Test func bf16WithoutItsInstructionsIsSaidToBeSlow() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try runTL(
        Self.extract + ["f.h5", "--precision", "bf16"], environment: ["TL_ISA": "scalar"],
        in: folder)
      #expect(outcome.status == 0)
      #expect(outcome.errors.contains("no instructions for bf16 (kernels: scalar)"))
    }
  }

  @Test func benchShowsEveryStep() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try runTL(
        [
          "bench", "--base", Self.base, "--image-size", "64", "--batch-size", "2", "--rounds", "1",
          "--profile",
        ], in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let lines = outcome.output.split(separator: "\n")
      #expect(lines.first?.hasPrefix("vgg16, 64 px, batches of 2, f32; ") == true)
      #expect(lines.contains { $0.hasPrefix("block5_conv3") && $0.hasSuffix("%") })
      #expect(lines.last?.hasPrefix("all ") == true)
      let none = try runTL(["bench", "--base", Self.base, "--rounds", "0"], in: folder)
      #expect(none.errors.contains("--rounds must be 1 to 1000 but is 0"))
    }
  }
}
