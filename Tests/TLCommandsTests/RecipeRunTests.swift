import Foundation
import TestSupport
import Testing

/// Recipes that are run whole, on small photos and a tiny VGG16.
struct RecipeRunTests {
  private let recipes = RecipeTests()

  private struct Report: Decodable {
    struct Stage: Decodable {
      let name: String
      let seed: UInt64?
      let metrics: [String: Double]
    }
    struct Metric: Decodable {
      let stage: String
      let metric: String
      let mean: Double
      let deviation: Double?
      let as_expected: Bool?
    }
    let stages: [Stage]
    let metrics: [Metric]
    let as_expected: Bool?
  }

  private let here = ["--data", WorkflowTests.photos, "--base", WorkflowTests.base]

  @Test func stagesRunOneAfterTheOther() throws {
    try recipes.withSmall { folder in
      let outcome = try runTL(["run", "r.yaml", "--run", "out"] + here, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("stage 2 of 3, head: tl train-head out/features.h5"))
      #expect(outcome.errors.contains("\nepoch 3 of 3: loss"))
      #expect(outcome.errors.contains("\nwrote out/head/model.h5: classes cats, dogs; "))
      let lines = outcome.output.split(separator: "\n")
      #expect(lines[0] == "stage     metric     value  expected  as expected")
      #expect(lines.contains { $0.hasPrefix("evaluate  accuracy  0.") })
      // The same as the command says that is run alone.
      let alone = try runTL(
        ["evaluate", WorkflowTests.validation, "--model", "out/head/model.h5", "--quiet"],
        in: folder)
      let accuracy = alone.output.split(separator: " ")[1]
      let row = "evaluate  accuracy  \(accuracy)  0.5..1.0"
      #expect(lines.contains { $0.hasPrefix(row) })
    }
  }

  @Test func seedsGiveAMeanAndADeviation() throws {
    try recipes.withSmall { folder in
      let run = ["run", "r.yaml", "--run", "out", "--quiet", "--json"] + here
      let three = try report(run + ["--seeds", "3", "--seed", "4"], in: folder)
      #expect(three.stages.map(\.name) == ["features"] + ["head", "evaluate"] * 3)
      #expect(three.stages.map(\.seed) == [nil, 4, 4, 5, 5, 6, 6])
      let values = three.stages.filter { $0.name == "head" }.compactMap { $0.metrics["loss"] }
      #expect(Set(values).count == 3)
      let mean = values.reduce(0, +) / 3
      let deviation = (values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 2).squareRoot()
      let row = try #require(three.metrics.first { $0.stage == "head" && $0.metric == "loss" })
      #expect(abs(row.mean - mean) < 1e-12)
      #expect(abs((row.deviation ?? 0) - deviation) < 1e-12)
      // A seed alone gives what it gave among the others.
      let one = try report(
        ["run", "r.yaml", "--run", "alone", "--quiet", "--json", "--seed", "5"] + here, in: folder)
      #expect(one.stages.first { $0.name == "head" }?.metrics["loss"] == values[1])
    }
  }

  @Test func checkTellsByItsExitStatus() throws {
    for (range, status, isExpected) in [("0..1", 0, true), ("1.5..2", 1, false)] as [(_, Int32, _)]
    {
      let text = RecipeTests.small.replacing("0.5..1", with: range)
      try recipes.withSmall(text) { folder in
        let run = ["run", "r.yaml", "--json"] + here
        let outcome = try runTL(run + ["--check", "--quiet"], in: folder)
        #expect(outcome.status == status, "\(outcome.errors)")
        let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
        #expect(report.as_expected == isExpected)
        // Without --check the range is only shown.
        #expect(try runTL(run, in: folder).status == 0)
        let runs = try FileManager.default.contentsOfDirectory(
          atPath: folder.appending(path: "runs").path)
        #expect(runs.count == 2)
        #expect(runs.allSatisfy { $0.wholeMatch(of: /\d{4}-\d\d-\d\d-small(-2)?/) != nil })
      }
    }
  }

  @Test func aFailedStageIsNamed() throws {
    let text = RecipeTests.small.replacing("image-size: 64", with: "image-size: 20")
    try recipes.withSmall(text) { folder in
      let outcome = try runTL(["run", "r.yaml", "--run", "out"] + here, in: folder)
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("tl run: error: stage 1 of 3, features: "))
      #expect(outcome.output == "")
    }
  }

  /// The recipe of the README, with one epoch on few pictures.
  @Test func theDemoRunsWhole() throws {
    try Locations.withTemporaryFolder { folder in
      let demo = try runTL(
        ["make-demo", "data", "--photos", "24", "--seed", "1", "--quiet"], in: folder)
      #expect(demo.status == 0, "\(demo.errors)")
      let recipe = RecipeTests.folder.appending(path: "demo.yaml").path
      let base = Locations.tests("../weights/tl-mini.h5")
      let result = try report(
        [
          "run", recipe, "--data", "data", "--base", base, "--epochs", "1",
          "--image-size=64", "--quiet", "--json",
        ], in: folder)
      #expect(
        result.stages.map(\.name) == [
          "features", "validation-features", "head", "block5", "evaluate-head", "evaluate",
        ])
      #expect(result.stages.last?.metrics["accuracy"] != nil)
      #expect(result.as_expected != nil)
    }
  }

  private func report(_ arguments: [String], in folder: URL) throws -> Report {
    let outcome = try runTL(arguments, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors == "")
    return try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
  }
}

/// A list so many times over.
private func * (list: [String], times: Int) -> [String] { (0..<times).flatMap { _ in list } }
