import Compute
import Foundation
import HDF5
import Layers
import TestSupport
import Testing
import Training

/// The whole workflow with the real program, on small photos and a tiny VGG16.
struct WorkflowTests {
  static let base = Locations.tests("WeightsTests/Fixtures/vgg16_keras1.h5")
  static let photos = Locations.tests("TLCommandsTests/Fixtures/photos")
  static let train = photos + "/train"
  static let validation = photos + "/validation"

  private func succeed(
    _ arguments: [String], in folder: URL, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> RunOutcome {
    let outcome = try runTL(arguments, in: folder)
    #expect(
      outcome.status == 0, "tl \(arguments.joined(separator: " ")): \(outcome.errors)",
      sourceLocation: sourceLocation)
    return outcome
  }

  /// Features of both folders, and the arguments that made them.
  private func extract(
    _ data: String, to output: String, in folder: URL, extra: [String] = []
  ) throws -> RunOutcome {
    try succeed(
      ["extract-features", data, "--base", Self.base, "--output", output, "--image-size", "64"]
        + extra, in: folder)
  }

  @Test func goesFromPhotosToPredictions() throws {
    try Locations.withTemporaryFolder { folder in
      let first = try extract(Self.train, to: "train.h5", in: folder)
      #expect(first.output == "wrote train.h5: features [24, 2, 2, 6] of layer 'block5_pool'\n")
      #expect(first.errors.contains("preprocessed by 'caffe'"))
      _ = try extract(Self.validation, to: "validation.h5", in: folder)
      let head = try succeed(
        [
          "train-head", "train.h5", "--validation", "validation.h5", "--output", "head.h5",
          "--hidden", "8", "--epochs", "3", "--learning-rate", "1e-3", "--seed", "1",
        ], in: folder)
      #expect(head.errors.contains("epoch 3 of 3: loss"))
      #expect(
        head.errors.contains("26 tensors of the base unchanged, 4 of the head trained"))
      let tuned = try succeed(
        [
          "fine-tune", Self.train, "--validation", Self.validation, "--model", "head.h5",
          "--unfreeze", "block5", "--output", "tuned.h5", "--epochs", "2",
        ], in: folder)
      #expect(
        tuned.errors.contains(
          "20 tensors of the base unchanged, 6 of the base and 4 of the head trained"))
      #expect(tuned.errors.contains("all up to 'block4_pool' is frozen"))
      let evaluation = try succeed(
        ["evaluate", Self.validation, "--model", "tuned.h5", "--json"], in: folder)
      let report = try JSONDecoder().decode(Report.self, from: Data(evaluation.output.utf8))
      #expect(report.photos == 12)
      #expect(report.confusion.joined().reduce(0, +) == 12)
      try expectPredictions(folder, right: report.right)
    }
  }

  private struct Report: Decodable {
    let photos: Int
    let right: Int
    let confusion: [[Int]]
  }

  private struct Row: Decodable {
    let path: String
    let label: String?
    let probability: Float?
    let probabilities: [String: Float]?
    let error: String?
  }

  /// Every format tells the same, in the order of the folder.
  private func expectPredictions(_ folder: URL, right: Int) throws {
    let predict = ["predict", Self.validation, "--model", "tuned.h5", "--format"]
    let json = try succeed(predict + ["json"], in: folder)
    let rows = try JSONDecoder().decode([Row].self, from: Data(json.output.utf8))
    #expect(rows.count == 12)
    #expect(rows.map(\.path) == rows.map(\.path).sorted())
    #expect(rows.count { $0.path.hasPrefix($0.label ?? "?") } == right)
    for row in rows {
      let sum = try #require(row.probabilities).values.reduce(0, +)
      #expect(abs(sum - 1) < 1e-5)
      #expect(row.probability == row.probabilities?.values.max())
      #expect(row.error == nil)
    }
    _ = try succeed(predict + ["csv", "--output", "rows.csv"], in: folder)
    let csv = try String(contentsOf: folder.appending(path: "rows.csv"), encoding: .utf8)
      .split(whereSeparator: \.isNewline).map {
        $0.split(separator: ",", omittingEmptySubsequences: false)
      }
    #expect(csv[0].joined(separator: ",") == "path,label,probability,cats,dogs,error")
    #expect(csv.dropFirst().map { String($0[0]) } == rows.map(\.path))
    #expect(csv.dropFirst().map { Float($0[2]) } == rows.map(\.probability))
    let table = try succeed(predict + ["table", "--top-k", "2"], in: folder)
    #expect(table.output.split(separator: "\n").count == 13)
  }

  @Test func featureFilesTellWhatTheyAre() throws {
    try Locations.withTemporaryFolder { folder in
      _ = try extract(
        Self.train, to: "f.h5", in: folder, extra: ["--layer", "block3_pool", "--pooling", "avg"])
      let file = try HDF5File.open(folder.appending(path: "f.h5").path)
      defer { try? file.close() }
      let root = try file.root
      #expect(try root.dataset("features").shape == [24, 5])
      #expect(try root.dataset("class_names").readStrings() == ["cats", "dogs"])
      let paths = try root.dataset("paths").readStrings()
      #expect(paths == paths.sorted())
      #expect(paths.first == "cats/cat.0.jpg")
      let labels = try root.dataset("labels").readIntegers()
      #expect(labels == paths.map { $0.hasPrefix("cats") ? 0 : 1 })
      #expect(try root.attributes.string("layer") == "block3_pool")
      #expect(try root.attributes.string("preprocessing") == "caffe")
      #expect(try root.attributes.string("pooling") == "avg")
      #expect(try root.attributes.integer("image_height") == 64)
      #expect(try root.attributes.string("base_sha256")?.count == 64)
      #expect(try root.dataset("photo_sha256").readStrings().allSatisfy { $0.count == 64 })
    }
  }

  @Test func rerunningReusesWhatIsStillValid() throws {
    try Locations.withTemporaryFolder { folder in
      let data = folder.appending(path: "data")
      try FileManager.default.copyItem(atPath: Self.train, toPath: data.path)
      _ = try extract("data", to: "f.h5", in: folder)
      let before = try Data(contentsOf: folder.appending(path: "f.h5"))
      let again = try extract("data", to: "f.h5", in: folder)
      #expect(again.errors.contains("24 of 24 photos are unchanged"))
      #expect(try Data(contentsOf: folder.appending(path: "f.h5")) == before)

      let cat = data.appending(path: "cats/cat.0.jpg")
      try FileManager.default.removeItem(at: cat)
      try FileManager.default.copyItem(at: data.appending(path: "dogs/dog.0.jpg"), to: cat)
      try FileManager.default.removeItem(at: data.appending(path: "dogs/dog.1.jpg"))
      let third = try extract("data", to: "f.h5", in: folder)
      #expect(third.output.contains("[23, 2, 2, 6] of layer 'block5_pool', 22 of them taken over"))
      _ = try extract("data", to: "fresh.h5", in: folder)
      let (reused, fresh) = (
        try features(folder.appending(path: "f.h5")),
        try features(folder.appending(path: "fresh.h5"))
      )
      #expect(reused == fresh)

      let other = try extract("data", to: "f.h5", in: folder, extra: ["--preprocess", "rescale"])
      #expect(other.errors.contains("preprocessing is 'rescale' here and 'caffe' there"))
      #expect(try features(folder.appending(path: "f.h5")) != fresh)
    }
  }

  private func features(_ file: URL) throws -> [Float] {
    let file = try HDF5File.open(file.path)
    defer { try? file.close() }
    return try file.root.dataset("features").readFloats()
  }

  @Test func interruptedRunsGoOnWhereTheyStopped() throws {
    try Locations.withTemporaryFolder { folder in
      // Enough photos that the run is still going when the signal comes.
      let data = folder.appending(path: "data")
      for copy in 0..<40 {
        try FileManager.default.copyItem(
          atPath: Self.train + "/cats",
          toPath: data.appending(path: "class\(copy)").path.makingFolder())
      }
      let arguments = [
        "extract-features", "data", "--base", Self.base, "--output", "f.h5", "--image-size", "224",
        "--batch-size", "2",
      ]
      let running = try RunningTL(arguments, in: folder)
      _ = running.waitForErrors("photos: scaled")
      Thread.sleep(forTimeInterval: 0.3)
      running.send(SIGINT)
      let stopped = running.finish()
      try #require(stopped.status == 130, "\(stopped.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/f.h5"))
      let rest = try runTL(arguments, in: folder)
      #expect(rest.status == 0)
      if FileManager.default.fileExists(atPath: folder.path + "/f.h5.partial") {
        Issue.record("the partial file is left behind")
      }
      #expect(rest.output.contains("features [480, 7, 7, 6]"))
      _ = try runTL(arguments.map { $0 == "f.h5" ? "whole.h5" : $0 }, in: folder)
      let (parts, whole) = (
        try features(folder.appending(path: "f.h5")),
        try features(folder.appending(path: "whole.h5"))
      )
      #expect(parts == whole)
    }
  }

  @Test func badPhotosGetARowAndTheStatusTells() throws {
    try Locations.withTemporaryFolder { folder in
      try makeModel("model.h5", in: folder)
      let outcome = try runTL(
        ["predict", Self.photos + "/broken", "--model", "model.h5", "--format", "json"],
        in: folder)
      #expect(outcome.status == 2)
      #expect(outcome.errors.contains("3 of 4 photos failed"))
      #expect(outcome.errors.contains("not pictures, ignored: 'notes.txt'"))
      let rows = try JSONDecoder().decode([Row].self, from: Data(outcome.output.utf8))
      #expect(rows.map(\.path) == ["a_good.jpg", "b_truncated.jpg", "c_empty.jpg", "d_text.jpg"])
      #expect(rows.map { $0.error == nil } == [true, false, false, false])
      #expect(rows[1].error?.contains("truncated") == true)
      #expect(rows[2].label == nil && rows[2].probabilities == nil)
    }
  }

  @Test func badPhotosAreSkippedAndNamedUnlessStrict() throws {
    try Locations.withTemporaryFolder { folder in
      let data = folder.appending(path: "data")
      try FileManager.default.copyItem(atPath: Self.photos, toPath: data.path)
      let arguments = [
        "extract-features", "data", "--base", Self.base, "--output", "f.h5", "--image-size", "32",
      ]
      let lenient = try runTL(arguments, in: folder)
      #expect(lenient.status == 0, "\(lenient.errors)")
      #expect(lenient.errors.contains("skipped 'broken/c_empty.jpg': the file is empty"))
      #expect(lenient.errors.contains("3 of 40 photos were skipped"))
      let strict = try runTL(
        arguments.map { $0 == "f.h5" ? "g.h5" : $0 } + ["--strict"], in: folder)
      #expect(strict.status == 1)
      #expect(strict.errors.contains("cannot use 'broken/b_truncated.jpg'"))
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/g.h5"))
    }
  }

  /// A model of two epochs, for tests that need any.
  private func makeModel(_ name: String, in folder: URL) throws {
    _ = try extract(Self.train, to: "features.h5", in: folder)
    _ = try succeed(
      ["train-head", "features.h5", "--output", name, "--hidden", "4", "--epochs", "1"],
      in: folder)
  }

  @Test func featuresThatDoNotBelongTogetherAreRefused() throws {
    try Locations.withTemporaryFolder { folder in
      _ = try extract(Self.train, to: "train.h5", in: folder)
      _ = try extract(
        Self.validation, to: "other.h5", in: folder, extra: ["--preprocess", "rescale"])
      let outcome = try runTL(
        ["train-head", "train.h5", "--validation", "other.h5", "--output", "m.h5"], in: folder)
      #expect(outcome.status == 1)
      #expect(
        outcome.errors.contains(
          "'train.h5' and 'other.h5' do not belong together: preprocessing is 'caffe' here and "
            + "'rescale' there"))
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/m.h5"))
      let same = try succeed(
        [
          "train-head", "train.h5", "--validation", "train.h5", "--output", "m.h5", "--hidden", "0",
          "--epochs", "1",
        ], in: folder)
      #expect(same.errors.contains("24 photos are in both files"))
    }
  }

  @Test(arguments: [
    (["--unfreeze", "blok5"], "no layer matches 'blok5': near are 'block5'"),
    (["--unfreeze", "block5", "--epochs", "0"], "--epochs must be 1 or more"),
    (["--unfreeze", "block5", "--learning-rate", "nan"], "--learning-rate must be above 0"),
  ])
  func fineTuneRefusesWrongOptions(options: [String], message: String) throws {
    try Locations.withTemporaryFolder { folder in
      try makeModel("model.h5", in: folder)
      let outcome = try runTL(
        ["fine-tune", Self.train, "--model", "model.h5", "--output", "out.h5"] + options,
        in: folder)
      #expect(outcome.status != 0)
      #expect(outcome.errors.contains(message), "\(outcome.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/out.h5"))
    }
  }

  @Test func fineTuneWithOnlyABaseTrainsAHeadFirst() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try succeed(
        [
          "fine-tune", Self.train, "--validation", Self.validation, "--base", Self.base,
          "--unfreeze", "block4_conv2,block5", "--output", "m.h5", "--image-size", "64",
          "--epochs", "1", "--head-epochs", "2", "--hidden", "8", "--cache-limit", "0",
        ], in: folder)
      #expect(outcome.errors.contains("no trained head was given: training one first, 2 epochs"))
      #expect(outcome.errors.contains("exceed --cache-limit 0"))
      #expect(
        outcome.errors.contains(
          "18 tensors of the base unchanged, 8 of the base and 4 of the head trained"))
      let summary = try succeed(["summary", "--model", "m.h5"], in: folder)
      #expect(summary.output.contains("frozen prefix: up to 'block4_conv1'"))
    }
  }

  /// Caching the frozen part must not change what is learned.
  @Test func cachedAndUncachedFineTuningAgree() throws {
    try Locations.withTemporaryFolder { folder in
      try makeModel("model.h5", in: folder)
      func tune(_ output: String, _ limit: String) throws -> String {
        let outcome = try succeed(
          [
            "fine-tune", Self.train, "--model", "model.h5", "--unfreeze", "block5", "--output",
            output, "--epochs", "2", "--cache-limit", limit,
          ], in: folder)
        return outcome.errors.split(separator: "\n").filter { $0.hasPrefix("epoch") }
          .joined(separator: "\n")
      }
      let cached = try tune("a.h5", "1000")
      #expect(try tune("b.h5", "0") == cached)
      #expect(cached.contains("epoch 2 of 2"))
    }
  }

  /// The frozen part runs once for all stages, and what is learned is the same to the bit.
  @Test(arguments: [
    (["--unfreeze", "block5", "--head-epochs", "2", "--epochs", "2"], ["block4_pool"]),
    (["--schedule", "head:1, block5:2, block4:1"], ["block4_pool", "block3_pool"]),
    (["--unfreeze", "block5_conv2", "--head-epochs", "1", "--epochs", "1"], []),
  ])
  func laterStagesStartFromTheFirstPass(options: [String], kept: [String]) throws {
    try Locations.withTemporaryFolder { folder in
      func tune(_ output: String, _ limit: String) throws -> (log: String, epochs: [Substring]) {
        let outcome = try succeed(
          [
            "fine-tune", Self.train, "--validation", Self.validation, "--base", Self.base,
            "--image-size", "64", "--hidden", "4", "--cache-limit", limit, "--output", output,
          ] + options, in: folder)
        return (
          outcome.errors, outcome.errors.split(separator: "\n").filter { $0.hasPrefix("epoch") }
        )
      }
      let (log, epochs) = try tune("a.h5", "1000")
      for layer in kept {
        let what = "outputs of '\(layer)' for 36 photos (1 MB)"
        #expect(log.contains("\(what) were kept on disk in the pass before, "), "\(log)")
      }
      #expect(log.split(separator: "were kept on disk in the pass before").count == kept.count + 1)
      #expect(log.split(separator: "frozen part: 36 photos in").count == (kept.isEmpty ? 3 : 2))
      let other = try tune("b.h5", "0")
      #expect(other.epochs == epochs)
      #expect(!other.log.contains("in the pass before"))
      for (mine, others) in try zip(tensors("a.h5", folder), tensors("b.h5", folder)) {
        #expect(mine == others)
      }
    }
  }

  private func tensors(_ model: String, _ folder: URL) throws -> [Tensor] {
    try ClassifierModel.load(folder.appending(path: model).path).network.nodes
      .flatMap(\.layer.parameters).map(\.value)
  }
}

extension String {
  /// Makes the folder above this path, and gives the path back.
  fileprivate func makingFolder() throws -> String {
    try FileManager.default.createDirectory(
      at: URL(filePath: self).deletingLastPathComponent(), withIntermediateDirectories: true)
    return self
  }
}
