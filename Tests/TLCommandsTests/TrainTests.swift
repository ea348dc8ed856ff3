import Foundation
import TestSupport
import Testing

/// `tl train` with the real program on small photos.
struct TrainTests {
  private static let train = WorkflowTests.train
  private static let validation = WorkflowTests.validation

  private func run(_ arguments: [String], in folder: URL) throws -> RunOutcome {
    let outcome = try runTL(arguments, in: folder)
    #expect(outcome.status == 0, "tl \(arguments.joined(separator: " ")): \(outcome.errors)")
    return outcome
  }

  @Test func aNewNetworkIsAModelLikeAnyOther() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try run(
        [
          "train", Self.train, "--validation", Self.validation, "--network", "lenet-5",
          "--output", "m.h5", "--epochs", "2", "--horizontal-flip",
          "--learning-rate-schedule", "cosine",
          "--warm-up", "0.5", "--label-smoothing", "0.1", "--seed", "4",
        ], in: folder)
      #expect(outcome.errors.contains("drawn with seed 4"))
      #expect(
        outcome.errors.contains(
          "training: adam at 0.001, cosine after 0.5 epochs of warm-up, label smoothing 0.1"))
      #expect(outcome.errors.contains("epoch 2 of 2: loss"))
      #expect(outcome.output.hasPrefix("wrote m.h5: classes cats, dogs; "))
      #expect(outcome.output.hasSuffix("base lenet-5 from random weights\n"))
      let further = try run(
        [
          "train", Self.train, "--network", "lenet-5", "--start", "m.h5", "--epochs", "1",
          "--output", "n.h5",
        ], in: folder)
      #expect(further.errors.contains("61,241 parameters from m.h5"))
      let other = try runTL(
        [
          "train", Self.train, "--network", "tl-mini", "--start", "m.h5", "--output", "x.h5",
        ], in: folder)
      #expect(other.status != 0)
      #expect(other.errors.contains("cannot go on from 'm.h5': expected the layers and shapes"))
      _ = try run(["evaluate", Self.validation, "--model", "m.h5"], in: folder)
      _ = try run(["predict", Self.validation, "--model", "m.h5"], in: folder)
      _ = try run(
        [
          "fine-tune", Self.train, "--model", "m.h5", "--unfreeze", "c3", "--epochs", "1",
          "--output", "t.h5",
        ], in: folder)
    }
  }

  @Test func theBaseOfTLMiniIsABase() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try run(
        [
          "train", Self.train, "--network", "tl-mini", "--output", "m.h5", "--base-output",
          "b.h5", "--epochs", "0", "--image-size", "32",
        ], in: folder)
      #expect(outcome.errors.contains("wrote b.h5: the base alone, in float16"))
      let features = try run(
        [
          "extract-features", Self.train, "--base", "b.h5", "--image-size", "64", "--output",
          "f.h5",
        ], in: folder)
      #expect(features.output == "wrote f.h5: features [24, 2, 2, 224] of layer 'block5_pool'\n")
      #expect(features.errors.contains("base: tl-mini from b.h5, 18 tensors loaded"))
      #expect(features.errors.contains("preprocessed by 'rescale'"))
    }
  }

  private static let refused: [(arguments: [String], error: String)] = [
    (["--network", "lenet-6", "--output", "x.h5"], "'lenet-6' is invalid"),
    (["--network", "lenet-5", "--output", "x.h5", "--epochs=-1"], "--epochs must be 0 or more"),
    (
      ["--network", "lenet-5", "--output", "x.h5", "--base-output", "b.h5"],
      "--base-output needs a network that is a base (tl-mini), found 'lenet-5'"
    ),
    (
      ["--network", "tl-mini", "--output", "x.h5", "--base-output", "x.h5"],
      "--output and --base-output name the same file, 'x.h5'"
    ),
    (
      ["--network", "lenet-5", "--output", "x.h5", "--label-smoothing", "1"],
      "--label-smoothing must be at least 0 and below 1, found 1.0"
    ),
    (
      ["--network", "lenet-5", "--output", "x.h5", "--epochs", "2", "--warm-up", "3"],
      "--warm-up must be 0 to the 2 epochs, found 3.0"
    ),
    (
      ["--network", "lenet-5", "--output", "x.h5", "--dropout", "1"],
      "--dropout must be at least 0 and below 1, found 1.0"
    ),
    (
      ["--network", "lenet-5", "--output", "x.h5", "--learning-rate", "0"],
      "--learning-rate must be above 0, found 0.0"
    ),
    (
      ["--network", "small-convnet", "--output", "x.h5", "--image-size", "45"],
      "cannot use 'small-convnet': layer 'max_pooling2d_3' has nothing left"
    ),
    (
      ["--network", "lenet-5", "--output", "x.h5", "--teacher", "missing.h5"], "missing.h5"
    ),
    (
      [
        "--network", "lenet-5", "--output", "x.h5", "--teacher",
        Locations.tests("WeightsTests/Fixtures/vgg16_keras1.h5"),
      ], "is no feature file"
    ),
    (
      ["--network", "lenet-5", "--output", "missing/x.h5"], "cannot write 'missing/x.h5'"
    ),
    (
      ["--network", "tl-mini", "--output", "x.h5", "--base-output", "missing/b.h5"],
      "cannot write 'missing/b.h5'"
    ),
    (
      [
        "--network", "small-convnet", "--image-size", "46", "--output", "x.h5", "--optimizer",
        "sgd", "--learning-rate", "1e20",
      ],
      "the loss is no longer a number"
    ),
  ]

  @Test(arguments: refused.indices)
  func refusesInOneLine(index: Int) throws {
    let (arguments, error) = Self.refused[index]
    try Locations.withTemporaryFolder { folder in
      let outcome = try runTL(["train", Self.train] + arguments, in: folder)
      #expect(outcome.status != 0)
      #expect(outcome.errors.contains(error), "\(outcome.errors)")
      // A training that began and failed is kept as a run.
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(left == (error.hasPrefix("the loss") ? ["runs"] : []))
    }
  }

  @Test func aTeacherMustKnowThePhotos() throws {
    try Locations.withTemporaryFolder { folder in
      for (data, pooling, output) in [
        (Self.train, "avg", "whole.h5"), (Self.validation, "avg", "other.h5"),
        (Self.train, "none", "pictures.h5"),
      ] {
        _ = try run(
          [
            "extract-features", data, "--base", WorkflowTests.base, "--pooling", pooling,
            "--image-size", "64", "--output", output,
          ], in: folder)
      }
      let train = [
        "train", Self.train, "--network", "lenet-5", "--epochs", "1", "--output", "m.h5",
        "--teacher",
      ]
      let other = try runTL(train + ["other.h5"], in: folder)
      #expect(other.status != 0)
      #expect(
        other.errors.contains("'other.h5' cannot teach: it lacks 24 of the 24 photos to learn from")
      )
      let pictures = try runTL(train + ["pictures.h5"], in: folder)
      #expect(pictures.status != 0)
      #expect(
        pictures.errors.contains(
          "cannot teach: expected features [photos, numbers], found [24, 2, 2, 6]"))
      #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "m.h5").path))
      let whole = try run(train + ["whole.h5"], in: folder)
      #expect(whole.errors.contains("teacher: 6 features of vgg16's 'block5_pool' from whole.h5"))
      #expect(whole.output.contains("wrote m.h5: classes cats, dogs; 61241 parameters"))
    }
  }

  @Test func refusesFoldersThatDoNotFit() throws {
    try Locations.withTemporaryFolder { folder in
      let base = ["--network", "lenet-5", "--output", "x.h5"]
      let broken = try runTL(["train", WorkflowTests.photos + "/broken"] + base, in: folder)
      #expect(broken.status != 0)
      let other = folder.appending(path: "other/birds")
      try FileManager.default.createDirectory(at: other, withIntermediateDirectories: true)
      let photo = Self.train + "/cats/cat.0.jpg"
      try FileManager.default.copyItem(
        atPath: photo, toPath: other.appending(path: "a.jpg").path)
      let one = try runTL(["train", "other"] + base, in: folder)
      #expect(one.status != 0)
      #expect(one.errors.contains("'other' has too few classes to learn from"))
      let mixed = try runTL(["train", Self.train, "--validation", "other"] + base, in: folder)
      #expect(mixed.status != 0)
      #expect(mixed.errors.contains("do not belong together: classes are"))
      #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "x.h5").path))
    }
  }
}
