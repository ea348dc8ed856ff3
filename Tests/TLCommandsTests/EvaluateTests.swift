import Foundation
import TestSupport
import Testing
import Training

/// `tl evaluate` with the real program: numbers, conditions and the file of predictions.
struct EvaluateTests {
  static let base = Locations.tests("WeightsTests/Fixtures/vgg16_keras1.h5")
  static let photos = Locations.tests("TLCommandsTests/Fixtures/photos")

  /// Makes `model.h5` of one epoch in a folder.
  static func makeModel(in folder: URL) throws {
    let steps = [
      [
        "extract-features", photos + "/train", "--base", base, "--output", "f.h5", "--image-size",
        "64",
      ], ["train-head", "f.h5", "--output", "model.h5", "--hidden", "4", "--epochs", "1"],
    ]
    for step in steps {
      let outcome = try runTL(step, in: folder)
      try #require(outcome.status == 0, "\(outcome.errors)")
    }
  }

  private struct Report: Decodable {
    struct Number: Decodable {
      let name: String
      let value: Double?
      let low: Double?
      let high: Double?
      let interval: String
    }
    struct Outcome: Decodable {
      let assertion: String
      let holds: Bool
      let found: Double?
    }
    let accuracy: Double
    let loss: Double
    let photos: Int
    let metrics: [Number]
    let assertions: [Outcome]
  }

  @Test func tablesAndFileTellTheSame() throws {
    try Locations.withTemporaryFolder { folder in
      try Self.makeModel(in: folder)
      let evaluate = ["evaluate", Self.photos + "/validation", "--model", "model.h5"]
      let tables = try runTL(evaluate + ["--predictions", "p.csv", "--quiet"], in: folder)
      #expect(tables.status == 0 && tables.errors == "", "\(tables.errors)")
      let lines = tables.output.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines[0].hasPrefix("accuracy ") && lines[0].contains(" of 12; 95 % interval "))
      #expect(lines[1] == "class  photos   right  as cats  as dogs")
      #expect(lines[4] == "" && lines[5].hasPrefix("metric"))
      #expect(lines.contains { $0.hasPrefix("class  precision  95 %") })
      let predictions = try Predictions(contentsOf: folder.path + "/p.csv")
      #expect(predictions.rows.map(\.path).first == "cats/cat.0.jpg")
      let metrics = Metrics(predictions)
      let json = try runTL(evaluate + ["--json", "--assert", "loss<1e9"], in: folder)
      let report = try JSONDecoder().decode(Report.self, from: Data(json.output.utf8))
      #expect(report.photos == 12 && predictions.rows.count == 12)
      #expect(report.metrics.map(\.name) == metrics.overall.map(\.name))
      #expect(report.metrics.map(\.value) == metrics.overall.map(\.value))
      #expect(report.metrics.map(\.low) == metrics.overall.map { $0.interval?.lowerBound })
      #expect(report.metrics[1].value == report.accuracy && report.metrics[0].value == report.loss)
      #expect(report.metrics.map(\.interval).first == "bootstrap")
      #expect(report.assertions.map(\.holds) == [true])
      // Scripts look for the numbers by line.
      for key in ["accuracy", "loss", "photos", "right"] {
        #expect(json.output.components(separatedBy: "\"\(key)\" : ").count == 2, "\(key)")
      }
      #expect(json.errors.contains("loss<1e9 holds: found "))
    }
  }

  @Test func conditionsSetTheExitStatus() throws {
    try Locations.withTemporaryFolder { folder in
      try Self.makeModel(in: folder)
      let evaluate = ["evaluate", Self.photos + "/validation", "--model", "model.h5", "--quiet"]
      let both = try runTL(
        evaluate + ["--assert", "recall[cats]>=1.5", "--assert", "accuracy>=0"], in: folder)
      #expect(both.status == 1)
      #expect(both.output.hasPrefix("accuracy "))
      #expect(both.errors.hasPrefix("tl evaluate: error: recall[cats]>=1.5 does not hold: found "))
      #expect(both.errors.contains("(95 % interval "))
      #expect(both.errors.split(separator: "\n").count == 1)
      let held = try runTL(evaluate + ["--assert", "recall[cats] <= 1"], in: folder)
      #expect(held.status == 0 && held.errors == "")
      let unknown = try runTL(evaluate + ["--assert", "recall[cat]>=0.5"], in: folder)
      #expect(unknown.status == 1 && unknown.output == "")
      #expect(unknown.errors.contains("unknown metric 'recall[cat]'"))
      #expect(unknown.errors.contains("try: one like 'recall[cats]'"), "\(unknown.errors)")
      let eaten = try runTL(evaluate + ["--assert", "accuracy"], in: folder)
      #expect(eaten.status == 64)
      #expect(eaten.errors.contains("--assert: expected NAME>=NUMBER, found 'accuracy': quote it"))
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/=0"))
    }
  }

  /// A name that is no UTF-8 is passed over with a warning, and the file can be read.
  @Test func namesThatAreNoUTF8DoNotStopIt() throws {
    try Locations.withTemporaryFolder { folder in
      try Self.makeModel(in: folder)
      let data = folder.appending(path: "data")
      try FileManager.default.copyItem(atPath: Self.photos + "/validation", toPath: data.path)
      let odd = Array("\(data.path)/cats/".utf8) + [0xFF] + Array(".jpg".utf8) + [0]
      let isMade = odd.withUnsafeBytes { name in
        let file = fopen(name.baseAddress!.assumingMemoryBound(to: CChar.self), "w")
        return file.map { fclose($0) == 0 } ?? false
      }
      try #require(isMade)
      let outcome = try runTL(
        ["evaluate", "data", "--model", "model.h5", "--predictions", "p.csv", "--top-k", "2"],
        in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("the name is not UTF-8"))
      let top2 = outcome.output.split(separator: "\n").first { $0.hasPrefix("top_2_accuracy") }
      #expect(top2?.contains(" 1.0000  ") == true, "\(outcome.output)")
      #expect(try Predictions(contentsOf: folder.path + "/p.csv").rows.count == 12)
    }
  }
}
