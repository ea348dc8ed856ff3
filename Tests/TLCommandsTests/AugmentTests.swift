import Foundation
import Images
import TestSupport
import Testing
import Training

/// Random changes of photos with the real program: `tl augment` and `tl fine-tune`.
struct AugmentTests {
  private static let train = WorkflowTests.train

  private func succeed(
    _ arguments: [String], in folder: URL, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> RunOutcome {
    let outcome = try runTL(arguments, in: folder)
    #expect(
      outcome.status == 0, "tl \(arguments.joined(separator: " ")): \(outcome.errors)",
      sourceLocation: sourceLocation)
    return outcome
  }

  private func picture(_ path: String, in folder: URL) throws -> RGBImage {
    let data = try Data(contentsOf: folder.appending(path: path))
    return try DecodedPicture(bytes: [UInt8](data)).image
  }

  @Test func writesWhatTheNetworkWillSee() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try succeed(
        [
          "augment", Self.train, "--output", "out/views", "--views", "3", "--image-size", "40x50",
          "--seed", "5",
        ], in: folder)
      #expect(outcome.output == "wrote out/views: 3 views each of 24 photos\n")
      #expect(
        outcome.errors.contains(
          "changes: rotation 40, width shift 0.2, height shift 0.2, shear 0.2, zoom 0.8 to 1.2, "
            + "horizontal flip, fill nearest"))
      let loader = PhotoLoader(height: 40, width: 50, preprocessing: .none)
      for photo in try PhotoFolder(labelled: Self.train).photos {
        for number in 0..<3 {
          let seen = try loader.load(photo, view: AugmentedView(.book, seed: 5, number: number))
          #expect(
            try picture("out/views/\(photo.relativePath).view\(number + 1).png", in: folder)
              == seen.inputs[0].rounded, "\(photo.relativePath), view \(number + 1)")
        }
      }
    }
  }

  @Test func aSheetHasOneRowAPhoto() throws {
    try Locations.withTemporaryFolder { folder in
      let arguments = [
        "augment", Self.train, "--sheet", "sheet.png", "--views", "2", "--image-size", "20",
        "--photos", "4", "--rotation", "10",
      ]
      _ = try succeed(arguments, in: folder)
      let sheet = try picture("sheet.png", in: folder)
      #expect((sheet.width, sheet.height) == (3 * 24 + 4, 4 * 24 + 4))
      let first = try Data(contentsOf: folder.appending(path: "sheet.png"))
      _ = try succeed(arguments, in: folder)
      #expect(try Data(contentsOf: folder.appending(path: "sheet.png")) == first)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(names == ["sheet.png"])
      _ = try succeed(arguments + ["--seed", "1"], in: folder)
      #expect(try Data(contentsOf: folder.appending(path: "sheet.png")) != first)
    }
  }

  @Test func aSheetThatIsTooLargeIsRefused() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try runTL(
        [
          "augment", Self.train, "--sheet", "s.png", "--views", "1000", "--image-size", "4096",
        ], in: folder)
      #expect(outcome.status == 1)
      #expect(
        outcome.errors.contains(
          "cannot make a PNG file of 4104104 x 49204 pixels: expected at most 178956970"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
  }

  @Test func badPhotosAreNamedAndTheStatusTells() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try runTL(
        ["augment", WorkflowTests.photos + "/broken", "--sheet", "s.png"], in: folder)
      #expect(outcome.status == 2)
      #expect(outcome.errors.contains("skipped 'c_empty.jpg': the file is empty"))
      #expect(outcome.errors.contains("3 of 4 photos failed"))
      #expect(outcome.output == "wrote s.png: 8 views each of 1 photo\n")
    }
  }

  @Test(arguments: [
    ([], "give either --output (a folder) or --sheet (a PNG file)"),
    (["--sheet", "s.png", "--views", "0"], "--views must be 1 to 1000"),
    (["--sheet", "s.png", "--photos", "0"], "--photos must be 1 or more"),
    (["--sheet", "s.png", "--rotation=-3"], "--rotation must be 0 or more, found -3.0"),
    (["--sheet", "s.png", "--shear", "nan"], "--shear must be 0 or more"),
    (["--sheet", "s.png", "--zoom", "0,2"], "--zoom must stay above a factor of 0"),
    (["--sheet", "s.png", "--zoom", "2,1"], "'2,1' is invalid"),
    (["--sheet", "s.png", "--brightness", "x"], "'x' is invalid"),
    (["--sheet", "s.png", "--fill-mode", "wrap"], "--fill-mode and --fill-value need changes"),
    (["--sheet", "s.png", "--augment", "film"], "'film' is invalid"),
  ])
  func wrongOptionsAreRefused(options: [String], message: String) throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try runTL(["augment", Self.train] + options, in: folder)
      #expect(outcome.status == 64)
      #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }
  }
}

/// Fine-tuning on changed photos.
struct AugmentedFineTuningTests {
  /// Runs in a folder with a model of one epoch, `model.h5`.
  private func withModel(_ body: (URL) throws -> Void) throws {
    try Locations.withTemporaryFolder { folder in
      let extraction = try runTL(
        [
          "extract-features", WorkflowTests.train, "--base", WorkflowTests.base, "--output", "f.h5",
          "--image-size", "64",
        ], in: folder)
      try #require(extraction.status == 0, "\(extraction.errors)")
      let head = try runTL(
        [
          "train-head", "f.h5", "--output", "model.h5", "--hidden", "4", "--epochs", "1",
          "--learning-rate", "1e-2",
        ], in: folder)
      try #require(head.status == 0, "\(head.errors)")
      try body(folder)
    }
  }

  private struct Run {
    let errors: String
    let model: ClassifierModel

    var epochs: [EpochResult] { model.history.last?.epochs ?? [] }
    var tensors: [[Float]] {
      model.network.nodes.flatMap { $0.layer.parameters.map(\.value.scalars) }
    }
  }

  private func tune(_ folder: URL, _ options: [String]) throws -> Run {
    let outcome = try runTL(
      [
        "fine-tune", WorkflowTests.train, "--validation", WorkflowTests.validation, "--model",
        "model.h5", "--unfreeze", "block5", "--output", "out.h5", "--epochs", "3",
        "--learning-rate", "1e-3", "--batch-size", "7",
      ] + options, in: folder)
    try #require(outcome.status == 0, "\(options): \(outcome.errors)")
    return Run(
      errors: outcome.errors,
      model: try ClassifierModel.load(folder.appending(path: "out.h5").path))
  }

  @Test func rangesOfZeroChangeNothingBitForBit() throws {
    try withModel { folder in
      let plain = try tune(folder, [])
      let neutral = try tune(folder, ["--rotation", "0", "--zoom", "0", "--no-horizontal-flip"])
      #expect(neutral.errors.contains("photos are changed at random: all ranges are zero"))
      #expect(neutral.errors.contains("every epoch sees new changes: the frozen part runs anew"))
      #expect(neutral.errors.contains("waiting for photos took "))
      #expect(!plain.errors.contains("waiting for photos"))
      #expect(neutral.epochs == plain.epochs)
      #expect(neutral.tensors == plain.tensors)
      #expect(plain.model.history.last?.augmentation == nil)
      #expect(
        neutral.model.history.last?.augmentation == AugmentationPlan(ranges: Augmentation()))
    }
  }

  @Test func aRunRepeatsExactlyWithItsSeed() throws {
    try withModel { folder in
      let first = try tune(folder, ["--augment", "book", "--seed", "2"])
      let again = try tune(folder, ["--augment", "book", "--seed", "2"])
      #expect(again.epochs == first.epochs)
      #expect(again.tensors == first.tensors)
      #expect(first.model.history.last?.augmentation == AugmentationPlan(ranges: .book))
      let plain = try tune(folder, ["--seed", "2"])
      #expect(zip(plain.epochs, first.epochs).allSatisfy { $0.loss != $1.loss })
    }
  }

  /// Views take turns; as many views as epochs are what fresh changes are; a cache changes nothing.
  @Test func viewsAreWhatTheEpochsSee() throws {
    try withModel { folder in
      let fresh = try tune(folder, ["--augment", "book"])
      let three = try tune(folder, ["--augment", "book", "--augment-views", "3"])
      // Outputs of block4_pool: 4 x 4 x 6 floats for 3 views of 24 photos and for 12 photos.
      #expect(
        three.errors.contains(
          "for 3 views of 24 photos and 12 photos (1 MB) are computed once and kept on disk, at "
            + "most 4000 MB (--cache-limit)"), "\(three.errors)")
      #expect(
        three.errors.contains(
          "each epoch after the first starts from 'block4_pool' and is spared less than 1 s"))
      #expect(three.epochs == fresh.epochs)
      #expect(three.tensors == fresh.tensors)
      let two = try tune(folder, ["--augment", "book", "--augment-views", "2"])
      #expect(two.epochs.prefix(2) == three.epochs.prefix(2))
      #expect(two.epochs[2] != three.epochs[2])
      let uncached = try tune(
        folder, ["--augment", "book", "--augment-views", "2", "--cache-limit", "0"])
      #expect(uncached.errors.contains("exceed --cache-limit 0: they are computed anew"))
      #expect(uncached.epochs == two.epochs)
      #expect(uncached.tensors == two.tensors)
      #expect(
        two.model.history.last?.augmentation == AugmentationPlan(ranges: .book, views: 2))
    }
  }

  @Test func photosForValidationAreNeverChanged() throws {
    try withModel { folder in
      // Steps too small to move a weight leave only the photos to make a difference.
      let options = ["--learning-rate", "1e-30"]
      let plain = try tune(folder, options)
      let augmented = try tune(folder, options + ["--augment", "book"])
      #expect(augmented.epochs.map(\.validationLoss) == plain.epochs.map(\.validationLoss))
      #expect(zip(augmented.epochs, plain.epochs).allSatisfy { $0.loss != $1.loss })
    }
  }

  @Test func aFreshHeadIsTrainedOnUnchangedPhotos() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try runTL(
        [
          "fine-tune", WorkflowTests.train, "--base", WorkflowTests.base, "--unfreeze", "block5",
          "--output", "m.h5", "--image-size", "64", "--epochs", "1", "--head-epochs", "1",
          "--hidden", "4", "--horizontal-flip",
        ], in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("with all of the base frozen, on unchanged photos"))
      #expect(outcome.errors.contains("photos are changed at random: horizontal flip"))
      let history = try ClassifierModel.load(folder.appending(path: "m.h5").path).history
      #expect(history.map { $0.augmentation == nil } == [true, false])
    }
  }

  @Test(arguments: [
    (["--augment-views", "3"], "--augment-views needs changes, such as --augment book"),
    (["--augment", "book", "--augment-views", "0"], "--augment-views must be 1 to 1000, found 0"),
  ])
  func wrongOptionsAreRefused(options: [String], message: String) throws {
    let outcome = try runTL(
      ["fine-tune", "x", "--model", "m.h5", "--unfreeze", "block5", "--output", "o.h5"] + options)
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
  }
}
