import Foundation
import TestSupport
import Testing

/// `tl report` with the real program, on a run folder made of what other commands wrote.
struct ReportCommandTests {
  @Test func writesThePageAndSaysWhatIsMissing() throws {
    try Locations.withTemporaryFolder { folder in
      try EvaluateTests.makeModel(in: folder)
      let run = folder.appending(path: "run")
      try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
      try FileManager.default.moveItem(
        atPath: folder.path + "/model.h5", toPath: run.path + "/model.h5")
      let photos = EvaluateTests.photos + "/validation"
      let evaluation = try runTL(
        ["evaluate", photos, "--model", "run/model.h5", "--predictions", "run/predictions.csv"],
        in: folder)
      #expect(evaluation.status == 0, "\(evaluation.errors)")
      let whole = try runTL(["report", "run", "--data", photos], in: folder)
      #expect(whole.status == 0)
      #expect(whole.output.hasPrefix("wrote run/report.html: ") && whole.output.hasSuffix(" kB\n"))
      #expect(whole.errors.contains("warning: no curves: there is no 'history.json'"))
      #expect(!whole.errors.contains("heat maps"), "\(whole.errors)")
      let page = try String(contentsOfFile: run.path + "/report.html", encoding: .utf8)
      #expect(page.contains("alt=\"Heat map: where"))
      let json = try runTL(["report", "run", "--data", photos, "--json"], in: folder)
      let words = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
      #expect(words?["report"] as? String == "run/report.html")
      #expect((words?["missing"] as? [String])?.count == 3, "\(json.output)")
      let other = try runTL(["report", "run", "--output", "nowhere/page.html"], in: folder)
      #expect(other.status == 1 && other.errors.contains("no folder"))
      let none = try runTL(["report", "."], in: folder)
      #expect(none.status == 1)
      #expect(none.errors.contains("'.' is no training run: expected a folder with run.json"))
      #expect(try runTL(["report", "run", "--mistakes", "101"], in: folder).status == 64)
    }
  }
}
