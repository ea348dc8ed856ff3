import Foundation
import HDF5
import TestSupport
import Testing

/// Wrong input of every command, given to the real program: one clear line, a way out where there
/// is one, no file written.
struct RefusalTests {
  static let fixtures = Locations.tests("WeightsTests/Fixtures") + "/"
  static let base = fixtures + "vgg16_keras1.h5"
  static let photos = Locations.tests("TLCommandsTests/Fixtures/photos")
  static let train = photos + "/train"
  static let nested = fixtures + "nested_keras3_full.h5"

  /// A folder with features `f.h5` of two classes and `u.h5` of none, and a model `m.h5`.
  private func withFiles(_ body: (URL) throws -> Void) throws {
    try Locations.withTemporaryFolder { folder in
      for arguments in [
        ["extract-features", Self.train, "--output", "f.h5"],
        ["extract-features", Self.train + "/cats", "--output", "u.h5"],
        ["train-head", "f.h5", "--hidden", "4", "--epochs", "1", "--output", "m.h5"],
      ] {
        let more = arguments[0] == "train-head" ? [] : ["--base", Self.base, "--image-size", "64"]
        let outcome = try runTL(arguments + more, in: folder)
        try #require(outcome.status == 0, "\(outcome.errors)")
      }
      try body(folder)
    }
  }

  private static let refused: [(arguments: [String], error: String, wayOut: String?)] = [
    (
      ["extract-features", train, "--base", base, "--output", ""],
      "cannot write '': expected a file's name, found nothing", nil
    ),
    (
      ["extract-features", train, "--base", "vgg17", "--output", "x.h5"],
      "cannot find the base 'vgg17': expected a file or one of mini, vgg16, vgg16-top", nil
    ),
    (
      ["extract-features", train, "--base", base, "--output", "x.h5", "--image-size", "31"],
      "vgg16_keras1.h5': layer 'block5_pool' has nothing left", "a larger --image-size"
    ),
    (
      ["train-head", "u.h5", "--output", "x.h5"],
      "'u.h5' has no labels: expected features of a folder with one subfolder per class", nil
    ),
    (
      ["train-head", "f.h5", "--validation", "u.h5", "--output", "x.h5"], "'u.h5' has no labels",
      nil
    ),
    (
      ["train-head", "f.h5", "--output", "f.h5"],
      "cannot write 'f.h5': it is a file that is read here", "another --output"
    ),
    (
      ["train-head", "f.h5", "--output", "./../" + "x.h5", "--learning-rate", "0"],
      "--learning-rate must be above 0, found 0.0", nil
    ),
    (
      [
        "train-head", "f.h5", "--output", "x.h5", "--epochs", "1", "--learning-rate", "1e38",
        "--batch-size", "100",
      ],
      "the loss is no longer a number in epoch 1",
      "a smaller --learning-rate, or --global-clipnorm 1"
    ),
    (
      ["fine-tune", train, "--model", "m.h5", "--unfreeze", "", "--output", "x.h5"],
      "--unfreeze names no layer: say 'none' for the head alone", nil
    ),
    (
      ["fine-tune", train, "--model", "m.h5", "--unfreeze", "blok5", "--output", "x.h5"],
      "cannot use 'm.h5': no layer matches 'blok5': near are 'block5'",
      "`tl summary` lists the layers"
    ),
    (
      [
        "fine-tune", train, "--base", base, "--unfreeze", "block5", "--output", "x.h5",
        "--head-epochs", "0",
      ],
      "--head-epochs 0 needs --unfreeze none: a random head would spoil what it is trained with",
      nil
    ),
    (
      ["fine-tune", train, "--model", nested, "--unfreeze", "block5", "--output", "x.h5"],
      "nested_keras3_full.h5' does not say the preprocessing it expects", "--preprocess caffe"
    ),
    (
      ["fine-tune", photos, "--model", "m.h5", "--unfreeze", "block5", "--output", "x.h5"],
      "classes are 'cats', 'dogs' here and 'broken', 'train', 'validation' there", nil
    ),
    (
      ["evaluate", photos, "--model", "m.h5"],
      "class 'broken' of '\(photos)' is unknown to the model: expected one of 'cats', 'dogs'", nil
    ),
    (
      ["predict", train, "--model", "m.h5", "--output", "m.h5"],
      "cannot write 'm.h5': it is a file that is read here", "another --output"
    ),
    (
      ["predict", train, "--model", base],
      "expected a full model with 'model_config', found weights alone",
      "train a head on it: `tl extract-features`, then `tl train-head`"
    ),
  ]

  @Test func everyRefusalIsOneLineAndLeavesNoFile() throws {
    try withFiles { folder in
      let before = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      let model = try Data(contentsOf: folder.appending(path: "m.h5"))
      for (arguments, error, wayOut) in Self.refused {
        let outcome = try runTL(arguments, in: folder)
        #expect(outcome.status == 1 || outcome.status == 64, "\(arguments)")
        let lines = outcome.errors.split(separator: "\n")
        let said = lines.filter { $0.hasPrefix("tl \(arguments[0]): error: ") }
        #expect(said.count == 1 && said[0].contains(error), "\(outcome.errors)")
        #expect((said.first?.count ?? 0) < 600)
        if let wayOut { #expect(lines.last == "  try: \(wayOut)", "\(outcome.errors)") }
        let after = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(after == before, "\(arguments)")
      }
      #expect(try Data(contentsOf: folder.appending(path: "m.h5")) == model)
    }
  }

  @Test func theBaseIsNotOverwritten() throws {
    try Locations.withTemporaryFolder { folder in
      let copy = folder.appending(path: "b.h5")
      try FileManager.default.copyItem(atPath: Self.base, toPath: copy.path)
      try FileManager.default.createSymbolicLink(
        atPath: folder.path + "/link.h5", withDestinationPath: "b.h5")
      let before = try Data(contentsOf: copy)
      for output in ["b.h5", "./b.h5", "link.h5"] {
        let outcome = try runTL(
          [
            "extract-features", Self.train, "--base", "b.h5", "--output", output, "--image-size",
            "64",
          ], in: folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("cannot write '\(output)': it is a file that is read here"))
      }
      #expect(try Data(contentsOf: copy) == before)
    }
  }

  @Test func aBaseThatMovedIsAskedFor() throws {
    try Locations.withTemporaryFolder { folder in
      let inner = folder.appending(path: "elsewhere")
      try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
      let base = folder.appending(path: "b.h5")
      try FileManager.default.copyItem(
        atPath: Self.fixtures + "wrong_missing_layer.h5", toPath: base.path)
      _ = try runTL(
        [
          "extract-features", Self.train, "--base", "b.h5", "--output", "f.h5", "--image-size",
          "64", "--allow-partial",
        ], in: folder)
      let train = ["train-head", "../f.h5", "--output", "m.h5", "--hidden", "0", "--epochs", "1"]
      // From another folder, and of a base that lacks tensors.
      #expect(try runTL(train, in: inner).status == 0)
      try FileManager.default.moveItem(at: base, to: folder.appending(path: "moved.h5"))
      let gone = try runTL(train, in: inner)
      #expect(gone.status == 1)
      #expect(gone.errors.contains("the base that '../f.h5' came from is gone: no file '"))
      #expect(
        gone.errors.hasSuffix("  try: --base FILE with the file that the features were made with\n")
      )
      #expect(try runTL(train + ["--base", "../moved.h5"], in: inner).status == 0)
      let other = try runTL(train + ["--base", Self.base], in: inner)
      #expect(other.errors.contains("is not the one that the features came from"))
    }
  }

  @Test func aModelWrittenByKerasIsFineTuned() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try runTL(
        [
          "fine-tune", Self.train, "--validation", Self.train, "--model", Self.nested,
          "--preprocess", "rescale", "--unfreeze", "block5", "--epochs", "1", "--output", "m.h5",
        ], in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(
        outcome.errors.contains(
          "'\(Self.nested)' was not written by tl: its classes are taken to be the folder's\n"))
      #expect(
        outcome.errors.contains(
          "warning: 24 photos are in both folders: validation is too good\nepoch 1 of 1: "))
      let evaluation = try runTL(["evaluate", Self.train, "--model", "m.h5"], in: folder)
      #expect(evaluation.status == 0, "\(evaluation.errors)")
      #expect(evaluation.errors.contains("preprocessed by 'rescale'"))
    }
  }

  /// Each run writes to a file of its own, so that the last to end wins and none is broken.
  @Test func twoRunsAtOnceDoNotHarmEachOther() throws {
    try Locations.withTemporaryFolder { folder in
      let data = folder.appending(path: "data")
      try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
      for copy in 0..<10 {
        try FileManager.default.copyItem(
          atPath: Self.train + "/cats", toPath: data.path + "/class\(copy)")
      }
      let arguments = [
        "extract-features", "data", "--base", Self.base, "--output", "f.h5", "--image-size", "224",
        "--batch-size", "1",
      ]
      let runs = try (0..<2).map { _ in try RunningTL(arguments, in: folder) }
      for outcome in runs.map({ $0.finish() }) {
        #expect(outcome.status == 0, "\(outcome.errors)")
      }
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
          == ["data", "f.h5"])
      let file = try HDF5File.open(folder.path + "/f.h5")
      defer { try? file.close() }
      #expect(
        try file.root.dataset("class_names").readStrings() == (0..<10).map { "class\($0)" })
      #expect(try file.root.dataset("features").shape == [120, 7, 7, 6])
    }
  }
}
