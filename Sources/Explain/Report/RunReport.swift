import Foundation
import Training
import Weights

/// A report that was written.
package struct WrittenReport: Sendable {
  package let path: String
  package let bytes: Int
  /// What could not be shown, one sentence each; the page says the same in its places.
  package let missing: [String]
}

/// Writes the report of a training run: one page that needs no other file.
///
/// What is not there is said in the page and left out. At most 100 mistakes are shown, each with two
/// pictures of up to 240 pixels a side, together about 25 kB.
///
/// - Parameters:
///   - run: the run's folder.
///   - output: the page's file; `report.html` in the folder if nil.
///   - data: where the photos for validation are now; where the run says if nil.
///   - mistakes: how many of the worst mistakes are shown; 0 leaves all photos out.
package func writeReport(
  run: String, output: String? = nil, data: String? = nil, mistakes: Int = 12
) throws -> WrittenReport {
  var report = RunReport(try RunContents(run), data: data, mistakes: mistakes)
  report.compose()
  let bytes = Data(report.page.text.utf8)
  let path = output ?? joined(run, "report.html")
  try AtomicFile.write(path) { try bytes.write(to: URL(filePath: $0)) }
  return WrittenReport(path: path, bytes: bytes.count, missing: report.missing)
}

/// Puts the page together, section by section.
struct RunReport {
  let contents: RunContents
  let data: String?
  let mistakes: Int
  let metrics: Metrics?
  var page: HTMLPage
  private(set) var missing: [String] = []

  init(_ contents: RunContents, data: String?, mistakes: Int) {
    self.contents = contents
    self.data = data
    self.mistakes = mistakes
    metrics = contents.predictions.flatMap { $0.rows.isEmpty ? nil : Metrics($0) }
    page = HTMLPage(title: Self.title(contents))
  }

  private static func title(_ contents: RunContents) -> String {
    (contents.record?.command.map { "\($0): " } ?? "") + contents.name
  }

  mutating func compose() {
    addVerdict()
    if let stages = contents.record?.stages {
      addStages(stages)
      addRun()
      return addRecipe()
    }
    addCurves()
    sideBySide([{ $0.addMetrics() }, { $0.addConfusion() }])
    sideBySide([{ $0.addClasses() }, { $0.addCalibration() }])
    addMistakes()
    addRun()
    addRecipe()
  }

  /// Adds sections that stand beside each other where there is room.
  private mutating func sideBySide(_ sections: [(inout RunReport) -> Void]) {
    page.add("<div class=\"columns\">\n")
    for add in sections {
      page.add("<section>\n")
      add(&self)
      page.add("</section>\n")
    }
    page.add("</div>\n")
  }

  /// Says in the page, and to the caller, what cannot be shown.
  mutating func miss(_ text: String) {
    missing.append(text)
    page.remark(text.prefix(1).uppercased() + text.dropFirst() + ".")
  }

  /// Such as `no 'predictions.csv' in the run's folder`, or why it cannot be read.
  func absence(of file: String) -> String {
    if let problem = contents.problems[file] { return "'\(file)' cannot be read: \(problem)" }
    return "there is no '\(file)' in the run's folder"
  }
}
