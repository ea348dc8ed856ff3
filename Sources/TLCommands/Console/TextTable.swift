/// Columns lined up for reading: text to the left, numbers to the right, two spaces between.
///
///     var table = TextTable([.text("path"), .number("probability")])
///     table.add(["cat.1.jpg", "0.98"])
///     try console.result(table)
package struct TextTable: Sendable {
  /// A column: its title and the side its cells keep to.
  package struct Column: Sendable {
    let title: String
    let isNumber: Bool

    /// A column of text, aligned left.
    package static func text(_ title: String) -> Column { Column(title: title, isNumber: false) }

    /// A column of numbers, aligned right.
    package static func number(_ title: String) -> Column { Column(title: title, isNumber: true) }
  }

  private let columns: [Column]
  private var rows: [[String]] = []

  /// A table without rows.
  package init(_ columns: [Column]) {
    self.columns = columns.map {
      Column(title: escapingControls($0.title), isNumber: $0.isNumber)
    }
  }

  /// Adds a row with one cell per column.
  package mutating func add(_ cells: [String]) {
    precondition(
      cells.count == columns.count,
      "A row must have \(columns.count) cells but has \(cells.count)")
    rows.append(cells.map { escapingControls($0) })
  }

  /// The header and the rows, without spaces at line ends.
  package var lines: [String] {
    let all = [columns.map(\.title)] + rows
    let widths = columns.indices.map { column in
      all.reduce(0) { max($0, $1[column].displayWidth) }
    }
    return all.map { row in
      let cells = columns.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].displayWidth)
        return columns[column].isNumber ? space + row[column] : row[column] + space
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }

  /// All lines as one text, without a final line end.
  package var text: String { lines.joined(separator: "\n") }
}
