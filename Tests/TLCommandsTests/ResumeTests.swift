import Compute
import Foundation
import TestSupport
import Testing

/// Runs that are stopped and go on end with the same bits as one that never stopped.
struct ResumeTests {
  /// A head by itself, then block5: dropout, random changes and an optimizer with two slots.
  private static func training(epochs: Int, run: String) -> [String] {
    [
      "fine-tune", WorkflowTests.train, "--validation", WorkflowTests.validation, "--base",
      WorkflowTests.base, "--image-size", "64", "--hidden", "16", "--head-epochs", "8",
      "--unfreeze", "block5", "--epochs", "\(epochs)", "--optimizer", "adam", "--augment", "book",
      "--seed", "3", "--run", run,
    ]
  }

  private func withReference(
    epochs: Int, _ body: (URL, Data) throws -> Void
  ) throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try runTL(Self.training(epochs: epochs, run: "whole"), in: folder)
      try #require(outcome.status == 0, "\(outcome.errors)")
      try body(folder, try model(folder, "whole"))
    }
  }

  private func model(_ folder: URL, _ run: String) throws -> Data {
    try Data(contentsOf: folder.appending(path: "\(run)/model.h5"))
  }

  private func exists(_ folder: URL, _ path: String) -> Bool {
    FileManager.default.fileExists(atPath: folder.appending(path: path).path)
  }

  /// Five runs, each killed ten times at random moments, on one and on two threads in turn.
  @Test func killedAtFiftyRandomTimes() throws {
    let start = ContinuousClock.now
    try withReference(epochs: 30) { folder, expected in
      let length = (ContinuousClock.now - start) / .seconds(1)
      var random = SeededRandom(seed: 11)
      var (kills, inTraining) = (0, 0)
      for number in 0..<5 {
        let run = "run-\(number)"
        for sitting in 0..<10 {
          let known = exists(folder, "\(run)/run.json")
          // Killed before it had written anything, a run has left at most an empty folder.
          if !known { try? FileManager.default.removeItem(at: folder.appending(path: run)) }
          let running = try RunningTL(
            known ? ["resume", run] : Self.training(epochs: 30, run: run),
            environment: ["TL_THREADS": "\(1 + sitting % 2)"], in: folder)
          Thread.sleep(forTimeInterval: Double.random(in: 0..<0.6 * length, using: &random))
          running.send(SIGKILL)
          let outcome = running.finish()
          kills += 1
          if outcome.status == 128 + SIGKILL, exists(folder, "\(run)/checkpoint.h5") {
            inTraining += 1
          }
        }
        let known = exists(folder, "\(run)/run.json")
        if !exists(folder, "\(run)/model.h5") || !isFinished(folder, run) {
          let last = try runTL(
            known ? ["resume", run] : Self.training(epochs: 30, run: run), in: folder)
          #expect(last.status == 0, "\(last.errors)")
        }
        #expect(try model(folder, run) == expected, "run \(number)")
      }
      #expect(kills == 50)
      // Else the test would show nothing: on a slow machine the moments are spread all the same.
      #expect(inTraining >= 10, "only \(inTraining) of 50 kills came while it trained")
    }
  }

  private func isFinished(_ folder: URL, _ run: String) -> Bool {
    let data = try? Data(contentsOf: folder.appending(path: "\(run)/run.json"))
    let json = data.flatMap { try? JSONSerialization.jsonObject(with: $0) } as? [String: Any]
    return json?["status"] as? String == "finished"
  }

  @Test func aFinishedRunIsTrainedOn() throws {
    try withReference(epochs: 6) { folder, expected in
      let short = try runTL(Self.training(epochs: 3, run: "short"), in: folder)
      #expect(short.status == 0, "\(short.errors)")
      let done = try runTL(["resume", "short"], in: folder)
      #expect(done.status == 1)
      #expect(
        done.errors.hasSuffix(
          """
          tl resume: error: 'short' is finished: it has all of its 3 epochs
            try: `tl resume short --epochs 13` trains on

          """), "\(done.errors)")
      let on = try runTL(["resume", "short", "--epochs", "6"], in: folder)
      #expect(on.status == 0, "\(on.errors)")
      #expect(on.errors.contains("going on after epoch 3\n"))
      #expect(try model(folder, "short") == expected)
      let history = try String(
        contentsOf: folder.appending(path: "short/history.csv"), encoding: .utf8)
      let stages = history.split(separator: "\n").dropFirst().map {
        $0.split(separator: ",").first! + " " + $0.split(separator: ",").last!
      }
      let expected = (1...8).map { "\($0) head" } + (9...14).map { "\($0) block5" }
      #expect(stages.map(String.init) == expected)
    }
  }

  /// The moving statistics that `--batch-norm train` changes are kept too.
  @Test func batchStatisticsGoOn() throws {
    func words(_ run: String, epochs: Int, batchNorm: String) -> [String] {
      [
        "fine-tune", WorkflowTests.train, "--base",
        Locations.tests("WeightsTests/Fixtures/graph_deep_keras3.h5"), "--preprocess", "rescale",
        "--image-size", "16", "--hidden", "4", "--head-epochs", "1", "--unfreeze", "all",
        "--batch-norm", batchNorm, "--epochs", "\(epochs)", "--seed", "3", "--run", run,
      ]
    }
    try Locations.withTemporaryFolder { folder in
      for arguments in [
        words("whole", epochs: 4, batchNorm: "train"),
        words("short", epochs: 2, batchNorm: "train"),
        ["resume", "short", "--epochs", "4"], words("stored", epochs: 4, batchNorm: "stored"),
      ] {
        let outcome = try runTL(arguments, in: folder)
        try #require(outcome.status == 0, "\(outcome.errors)")
      }
      #expect(try model(folder, "short") == model(folder, "whole"))
      #expect(try model(folder, "stored") != model(folder, "whole"))
    }
  }

  @Test func ctrlCKeepsTheStateAndOneProcessAFolder() throws {
    try withReference(epochs: 4) { folder, expected in
      var words = Self.training(epochs: 4, run: "run")
      words[words.firstIndex(of: "4")!] = "4000"
      let running = try RunningTL(words, in: folder)
      #expect(running.waitForErrors("epoch 1 of 4000"))
      let second = try runTL(["resume", "run"], in: folder)
      #expect(second.status == 1)
      #expect(second.errors.contains("error: 'run' is in use: another run is writing into it"))
      let same = try runTL(words, in: folder)
      #expect(same.status == 1)
      #expect(same.errors.contains("'run' already holds a run: fine-tune, running"))
      running.send(SIGINT)
      #expect(running.finish().status == 128 + SIGINT)
      // As if it had been asked for 4 epochs, if it had not yet come so far.
      let count = try history(folder, "run").count { $0.hasSuffix(",block5") }
      let rest = try runTL(["resume", "run", "--epochs", "\(max(count, 4))"], in: folder)
      #expect(rest.status == 0, "\(rest.errors)")
      if count <= 4 { #expect(try model(folder, "run") == expected) }
    }
  }

  private func history(_ folder: URL, _ run: String) throws -> [Substring] {
    try String(contentsOf: folder.appending(path: "\(run)/history.csv"), encoding: .utf8)
      .split(separator: "\n").dropFirst().map { $0 }
  }

  @Test func aRecipesRunGoesOnWithTheStageUnderWay() throws {
    try RecipeTests().withSmall { folder in
      func words(_ run: String) -> [String] {
        [
          "run", "r.yaml", "--data", WorkflowTests.photos, "--base", WorkflowTests.base, "--run",
          run, "--epochs", "400",
        ]
      }
      let whole = try runTL(words("whole"), in: folder)
      #expect(whole.status == 0, "\(whole.errors)")
      let killed = try RunningTL(words("killed"), in: folder)
      #expect(killed.waitForErrors("epoch 20 of 400"))
      killed.send(SIGKILL)
      #expect(killed.finish().status == 128 + SIGKILL)
      let rest = try runTL(["resume", "killed"], in: folder)
      #expect(rest.status == 0, "\(rest.errors)")
      #expect(rest.errors.contains("stage 1 of 3, features: done before\n"))
      #expect(rest.errors.contains("going on after epoch "))
      #expect(try model(folder, "killed/head") == model(folder, "whole/head"))
      #expect(rest.output.contains("evaluate  accuracy"))
      let again = try runTL(["resume", "killed"], in: folder)
      #expect(again.errors.contains("'killed' is finished"))
    }
  }

  @Test func refusesWhatItCannotGoOnFrom() throws {
    try Locations.withTemporaryFolder { folder in
      let photos = folder.appending(path: "photos")
      try FileManager.default.copyItem(atPath: WorkflowTests.train, toPath: photos.path)
      let words = [
        "fine-tune", photos.path, "--base", WorkflowTests.base, "--image-size", "64", "--hidden",
        "4", "--head-epochs", "1", "--unfreeze", "none", "--epochs", "2", "--run", "run",
      ]
      #expect(try runTL(words, in: folder).status == 0)
      let none = try runTL(["resume", "elsewhere"], in: folder)
      #expect(none.status == 1)
      #expect(none.errors.contains("'elsewhere' holds no run: there is no run.json in it"))
      let checkpoint = folder.appending(path: "run/checkpoint.h5")
      let whole = try Data(contentsOf: checkpoint)
      var damaged = whole
      damaged[damaged.count / 2] ^= 1
      try damaged.write(to: checkpoint)
      let on = ["resume", "run", "--epochs", "3"]
      let broken = try runTL(on, in: folder)
      #expect(broken.status == 1)
      #expect(broken.errors.contains("which is damaged: expected the checksum"))
      try whole.write(to: checkpoint)
      try FileManager.default.removeItem(at: photos.appending(path: "cats/cat.0.jpg"))
      let changed = try runTL(on, in: folder)
      #expect(changed.status == 1)
      #expect(
        changed.errors.contains("the photos, their order or their classes have changed since"))
    }
  }
}
