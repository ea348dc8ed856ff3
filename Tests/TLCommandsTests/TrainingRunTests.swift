import Foundation
import TestSupport
import Testing

/// What the training commands leave in their run folders, and that it can be repeated.
struct TrainingRunTests {
  private func succeed(_ arguments: [String], in folder: URL) throws -> RunOutcome {
    let outcome = try runTL(arguments, in: folder)
    #expect(outcome.status == 0, "tl \(arguments.joined(separator: " ")): \(outcome.errors)")
    return outcome
  }

  private func bytes(_ folder: URL, _ path: String) throws -> Data {
    try Data(contentsOf: folder.appending(path: path))
  }

  private func record(_ folder: URL, _ run: String) throws -> [String: Any] {
    let json = try JSONSerialization.jsonObject(with: bytes(folder, "\(run)/run.json"))
    return try #require(json as? [String: Any])
  }

  private func names(_ folder: URL, _ path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: path).path).sorted()
  }

  /// Features of both folders in `t.h5` and `v.h5`.
  private func withFeatures(_ body: (URL) throws -> Void) throws {
    try Locations.withTemporaryFolder { folder in
      for (data, output) in [(WorkflowTests.train, "t.h5"), (WorkflowTests.validation, "v.h5")] {
        _ = try succeed(
          [
            "extract-features", data, "--base", WorkflowTests.base, "--image-size", "64",
            "--output", output,
          ], in: folder)
      }
      try body(folder)
    }
  }

  private static let head = [
    "train-head", "t.h5", "--validation", "v.h5", "--hidden", "8", "--epochs", "2",
    "--learning-rate", "1e-3", "--seed", "3",
  ]

  static let tuning = [
    "fine-tune", WorkflowTests.train, "--validation", WorkflowTests.validation, "--base",
    WorkflowTests.base, "--image-size", "64", "--unfreeze", "block5", "--epochs", "2",
    "--head-epochs", "1", "--hidden", "8", "--horizontal-flip", "--no-vertical-flip", "--seed",
    "5",
  ]

  @Test func theFolderHoldsTheWholeRun() throws {
    try withFeatures { folder in
      let outcome = try succeed(Self.head + ["--output", "head.h5"], in: folder)
      let run = "runs/" + (try names(folder, "runs").first ?? "")
      #expect(run.wholeMatch(of: /runs\/\d{4}-\d\d-\d\d-train-head-head/) != nil)
      #expect(outcome.errors.contains("\nrun: \(run)\n"))
      #expect(outcome.output.hasPrefix("wrote head.h5: classes cats, dogs; "))
      #expect(
        try names(folder, run) == [
          "checkpoint.h5", "events", "history.csv", "history.json", "lock", "model.h5",
          "predictions.csv", "recipe.yaml", "report.html", "run.json",
        ])
      #expect(outcome.errors.contains("\nreport: \(run)/report.html\n"))
      #expect(try bytes(folder, "\(run)/model.h5") == bytes(folder, "head.h5"))
      let record = try record(folder, run)
      #expect(record["status"] as? String == "finished")
      #expect(record["command"] as? String == "train-head")
      #expect(record["classNames"] as? [String] == ["cats", "dogs"])
      #expect(
        record["frozen"] as? String == "26 tensors of the base unchanged, 4 of the head trained")
      // The same again gets a folder of its own; without --output only the folder has the model.
      _ = try succeed(Self.head + ["--output", "head.h5"], in: folder)
      let alone = try succeed(Self.head, in: folder)
      let runs = try names(folder, "runs")
      #expect(
        runs.map { String($0.dropFirst(11)) } == [
          "train-head", "train-head-head", "train-head-head-2",
        ])
      #expect(alone.output.hasPrefix("wrote runs/\(runs[0])/model.h5: "))
    }
  }

  /// predictions.csv is what `tl evaluate --predictions` says of the same photos.
  @Test func predictionsAreThoseOfTheModel() throws {
    try withFeatures { folder in
      _ = try succeed(Self.head + ["--run", "head"], in: folder)
      _ = try succeed(Self.tuning + ["--run", "tuned"], in: folder)
      for run in ["head", "tuned"] {
        _ = try succeed(
          [
            "evaluate", WorkflowTests.validation, "--model", "\(run)/model.h5", "--predictions",
            "\(run).csv",
          ], in: folder)
        let kept = try rows(bytes(folder, "\(run)/predictions.csv"))
        let measured = try rows(bytes(folder, "\(run).csv"))
        #expect(kept.count == 13)
        #expect(kept.map { $0.prefix(3) } == measured.map { $0.prefix(3) })
        for (one, other) in zip(kept, measured).dropFirst() {
          let numbers = [one, other].map { $0.dropFirst(3).compactMap { Float($0) } }
          expectClose(numbers[0], numbers[1], absolute: 1e-5, relative: 1e-5, one[0])
        }
        // The last line of the history says the same.
        let last = try #require(rows(bytes(folder, "\(run)/history.csv")).last)
        let right = kept.dropFirst().count { $0[1] == $0[2] }
        #expect(Double(last[4]) == Double(right) / 12)
      }
    }
  }

  private func rows(_ csv: Data) throws -> [[String]] {
    String(decoding: csv, as: UTF8.self).split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
  }

  @Test func everyRunCanBeRepeatedFromItsRecipe() throws {
    try withFeatures { folder in
      let train = [
        "train", WorkflowTests.train, "--network", "lenet-5", "--epochs", "2", "--rotation", "10",
        "--learning-rate-schedule", "cosine", "--seed", "2",
      ]
      for (arguments, name) in [(Self.head, "a"), (Self.tuning, "b"), (train, "c")] {
        _ = try succeed(arguments + ["--run", name], in: folder)
        let recipe = folder.appending(path: "\(name)/recipe.yaml").path
        let elsewhere = folder.appending(path: "elsewhere")
        try FileManager.default.createDirectory(
          at: elsewhere, withIntermediateDirectories: true)
        _ = try succeed(["run", recipe, "--run", name], in: elsewhere)
        let again = try bytes(elsewhere, "\(name)/\(arguments[0])/model.h5")
        #expect(try bytes(folder, "\(name)/model.h5") == again, "\(arguments[0])")
        // Its recipe is the same one again.
        #expect(
          try bytes(folder, "\(name)/recipe.yaml")
            .split(separator: UInt8(ascii: "\n")).dropFirst(2)
            == bytes(elsewhere, "\(name)/\(arguments[0])/recipe.yaml")
            .split(separator: UInt8(ascii: "\n")).dropFirst(2))
      }
    }
  }

  @Test func aRecipesRunHasItsOwnRecipe() throws {
    try RecipeTests().withSmall { folder in
      let here = ["--data", WorkflowTests.photos, "--base", WorkflowTests.base]
      _ = try succeed(
        ["run", "r.yaml", "--run", "a", "--seeds", "2", "--seed", "3", "--epochs", "1"] + here,
        in: folder)
      #expect(
        try names(folder, "a") == [
          "features.h5", "lock", "recipe.yaml", "report.html", "run.json", "seed-3", "seed-4",
        ])
      let page = String(decoding: try bytes(folder, "a/report.html"), as: UTF8.self)
      #expect(page.contains("seed-3/head/report.html"))
      #expect(try names(folder, "a/seed-4") == ["head"])
      let record = try record(folder, "a")
      #expect(record["status"] as? String == "finished")
      #expect((record["stages"] as? [Any])?.count == 5)
      let again = try succeed(["run", "a/recipe.yaml", "--run", "b"], in: folder)
      #expect(again.errors.contains("seed 4, 2 of 2"))
      #expect(again.output.contains("0.5..1.0"))
      for seed in [3, 4] {
        #expect(
          try bytes(folder, "a/seed-\(seed)/head/model.h5")
            == bytes(folder, "b/seed-\(seed)/head/model.h5"))
      }
    }
  }

  /// The head's own training and the tuning are one history, told apart by what was trained.
  @Test func theHistoryHasTheHeadsOwnEpochs() throws {
    try Locations.withTemporaryFolder { folder in
      _ = try succeed(Self.tuning + ["--run", "r"], in: folder)
      let table = try rows(bytes(folder, "r/history.csv"))
      #expect(table[0].last == "stage")
      #expect(table.dropFirst().map { $0[0] + " " + $0[7] } == ["1 head", "2 block5", "3 block5"])
      let page = String(decoding: try bytes(folder, "r/report.html"), as: UTF8.self)
      #expect(page.contains(">block5</text>"))
    }
  }

  @Test func severalSeedsGiveMeanAndDeviation() throws {
    try withFeatures { folder in
      let outcome = try succeed(
        Self.head + ["--seeds", "2", "--run", "s", "--quiet"], in: folder)
      let head = outcome.output.split(separator: "\n")[0].split(separator: " ")
      #expect(head.suffix(6) == ["seed", "3", "seed", "4", "mean", "deviation"])
      let files = ["lock", "recipe.yaml", "report.html", "run.json", "seed-3", "seed-4"]
      #expect(try names(folder, "s") == files)
      // The same bits as that seed alone.
      _ = try succeed(Self.head + ["--seed", "4", "--run", "alone"], in: folder)
      #expect(
        try bytes(folder, "s/seed-4/train-head/model.h5") == bytes(folder, "alone/model.h5"))
      let output = try runTL(Self.head + ["--seeds", "2", "--output", "m.h5"], in: folder)
      #expect(output.status == 64)
      #expect(output.errors.contains("all in the run's folder: leave out --output"))
      // What a run of several seeds left is a recipe's run, which can go on and be repeated.
      let done = try runTL(["resume", "s"], in: folder)
      #expect(done.errors.contains("'s' is finished: all stages are done"))
      _ = try succeed(["run", "s/recipe.yaml", "--run", "again", "--json"], in: folder)
      #expect(
        try bytes(folder, "again/seed-3/train-head/model.h5")
          == bytes(folder, "s/seed-3/train-head/model.h5"))
    }
  }

  @Test func aTakenFolderIsRefusedBeforeAnythingElse() throws {
    try withFeatures { folder in
      _ = try succeed(Self.head + ["--run", "r"], in: folder)
      let before = try bytes(folder, "r/run.json")
      for arguments in [Self.head, Self.tuning] {
        let outcome = try runTL(arguments + ["--run", "r"], in: folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("'r' already holds a run: train-head, finished, begun 2"))
        #expect(outcome.errors.contains("\n  try: another --run"))
        #expect(!outcome.errors.contains("epoch 1"))
      }
      #expect(try bytes(folder, "r/run.json") == before)
    }
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func anInterruptedRunSaysSo(signal: Int32, status: Int32) throws {
    try withFeatures { folder in
      let run = try RunningTL(
        [
          "train-head", "t.h5", "--validation", "v.h5", "--epochs", "1000000", "--run", "r",
          "--output", "m.h5",
        ], in: folder)
      #expect(run.waitForErrors("epoch 3 of"))
      run.send(signal)
      #expect(run.finish().status == status)
      let record = try record(folder, "r")
      #expect(record["status"] as? String == "interrupted")
      #expect(record["error"] is NSNull)
      #expect(record["finished"] is String)
      #expect(try rows(bytes(folder, "r/history.csv")).count > 3)
      #expect(try names(folder, "r").contains("model.h5") == false)
      #expect(try names(folder, "").contains("m.h5") == false)
    }
  }

  @Test func aFailedRunSaysWhy() throws {
    try withFeatures { folder in
      let outcome = try runTL(
        ["train-head", "t.h5", "--optimizer", "sgd", "--learning-rate", "1e30", "--run", "r"],
        in: folder)
      #expect(outcome.status == 1)
      let record = try record(folder, "r")
      #expect(record["status"] as? String == "failed")
      let error = try #require(record["error"] as? String)
      #expect(!error.isEmpty && outcome.errors.contains(error))
    }
  }

  private struct Report: Decodable {
    struct Epoch: Decodable { let loss: Double }
    let model: String
    let run: String
    let class_names: [String]
    let epochs: [Epoch]
  }

  @Test func jsonIsOneDocument() throws {
    try withFeatures { folder in
      for (arguments, run, epochs) in [(Self.head, "a", 2), (Self.tuning, "b", 3)] {
        let outcome = try succeed(
          arguments + ["--run", run, "--json", "--quiet"], in: folder)
        #expect(outcome.errors == "")
        let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
        #expect(report.model == "\(run)/model.h5" && report.run == run)
        #expect(report.epochs.count == epochs && report.class_names == ["cats", "dogs"])
      }
    }
  }
}
