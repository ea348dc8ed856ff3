import Foundation
import Training

/// How many photos of a class were taken for which, in HTML.
///
/// Up to `largest` classes get a table of all pairs; more get a drawing of it, and a table of the
/// pairs that were mixed up most often.
struct ConfusionFigure {
  static let largest = 15
  static let mostPairs = 20

  private let classNames: [String]
  private let confusion: [[Int]]

  init(_ predictions: Predictions) {
    classNames = predictions.classNames
    confusion = predictions.confusion
  }

  var html: String {
    classNames.count <= Self.largest ? table : drawing + pairs
  }

  /// Whether columns are headed by the names of their classes rather than by their numbers.
  private var hasNames: Bool {
    classNames.count <= 5 && classNames.allSatisfy { $0.count <= 10 }
  }

  private var table: String {
    let heads = classNames.enumerated().map { index, name in
      "<th scope=\"col\" title=\"\(HTMLPage.escaped(name))\">"
        + "\(hasNames ? HTMLPage.escaped(name) : "\(index + 1)")</th>"
    }
    let rows = classNames.indices.map { row in
      let number = hasNames ? "" : "<span class=\"number\">\(row + 1)</span> "
      let name = classNames[row]
      return "<tr><th scope=\"row\" title=\"\(HTMLPage.escaped(name))\"><span class=\"clamp\">"
        + "\(number)\(HTMLPage.breakable(name))</span></th>"
        + classNames.indices.map { cell(row, $0) }.joined() + "</tr>"
    }
    let note =
      hasNames ? "" : " Columns carry the numbers of the classes, in the same order."
    return """
      <p>Rows are what the photos show, columns what they were taken for.\(note)</p>
      <div class="wide"><table class="confusion">
      <thead><tr><td></td>\(heads.joined())</tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>

      """
  }

  private func cell(_ row: Int, _ column: Int) -> String {
    let count = confusion[row][column]
    let share = share(row, column)
    let names =
      [row == column ? "same" : "", share > 0.5 ? "strong" : "", count == 0 ? "none" : ""]
      .filter { !$0.isEmpty }.joined(separator: " ")
    return "<td class=\"\(names)\" style=\"--s:\(ReportNumber.fixed(share, 2))\">\(count)</td>"
  }

  /// Of the photos of a class, the share that was taken for another or the same.
  private func share(_ row: Int, _ column: Int) -> Double {
    let total = confusion[row].reduce(0, +)
    return total == 0 ? 0 : Double(confusion[row][column]) / Double(total)
  }

  /// All pairs as fields, darker where they are more.
  private var drawing: String {
    let count = classNames.count
    let side = 340.0 / Double(count)
    var fields: [String] = []
    for row in 0..<count {
      for column in 0..<count where confusion[row][column] > 0 {
        let text =
          "\(classNames[row]) taken for \(classNames[column]): \(confusion[row][column])"
        // The least share must still be seen.
        let opacity = ReportNumber.fixed(0.15 + 0.85 * share(row, column), 2)
        fields.append(
          "<rect class=\"cell\" x=\"\(SVG.number(30 + Double(column) * side))\" "
            + "y=\"\(SVG.number(22 + Double(row) * side))\" "
            + "width=\"\(ReportNumber.fixed(side, 2))\" height=\"\(ReportNumber.fixed(side, 2))\" "
            + "fill-opacity=\"\(opacity)\"><title>\(HTMLPage.escaped(text))</title></rect>")
      }
    }
    return """
      <p>Each row is a class, from top to bottom in the order of the names, each column what its \
      photos were taken for; the darker a field, the larger the share of the row. Fields off the \
      diagonal are mistakes.</p>
      <svg class="chart matrix" viewBox="0 0 380 372" role="img" \
      aria-label="Confusion matrix of \(count) classes">
      <rect class="frame" x="30" y="22" width="340" height="340"/>
      \(fields.joined(separator: "\n"))
      \(SVG.text("taken for", 200, 14, "tick", anchor: "middle"))
      <text class="tick" transform="translate(20 192) rotate(-90)" text-anchor="middle">is</text>
      </svg>

      """
  }

  private var pairs: String {
    var found: [(row: Int, column: Int)] = []
    for row in classNames.indices {
      for column in classNames.indices where row != column && confusion[row][column] > 0 {
        found.append((row, column))
      }
    }
    guard !found.isEmpty else { return "<p>No photo was taken for another class.</p>\n" }
    found.sort {
      (confusion[$1.row][$1.column], $0.row, $0.column)
        < (confusion[$0.row][$0.column], $1.row, $1.column)
    }
    let rows = found.prefix(Self.mostPairs).map { pair in
      [
        classNames[pair.row], classNames[pair.column], "\(confusion[pair.row][pair.column])",
        ReportNumber.percent(share(pair.row, pair.column)),
      ]
    }
    let rest =
      found.count > Self.mostPairs
      ? "<p>\(found.count - Self.mostPairs) more pairs were mixed up less often.</p>\n" : ""
    return "<h3>Mixed up most often</h3>\n"
      + HTMLPage.table([["photos of", "taken for", "photos", "share"]] + rows, numbers: 2)
      + rest
  }
}
