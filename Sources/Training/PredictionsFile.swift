package import Foundation
import Weights

/// Why a file of predictions cannot be read; `description` is one line.
package enum PredictionsError: Error, CustomStringConvertible {
  case cannotRead(String, reason: String)
  case notPredictions(String, found: String)
  case badLine(String, line: Int, reason: String)

  package var description: String {
    switch self {
    case .cannotRead(let path, let reason): "cannot read '\(path)': \(reason)"
    case .notPredictions(let path, let found):
      "'\(path)' holds no predictions: expected the columns path, class, predicted and one for "
        + "each class, found \(found)"
    case .badLine(let path, let line, let reason):
      "cannot read '\(path)', line \(line): \(reason)"
    }
  }
}

extension Predictions {
  private static let columns = ["path", "class", "predicted"]

  /// The predictions as CSV: path, class, predicted, and the probability of each class in a column
  /// that is named after it.
  package var csv: String {
    var text = CSV.row(Self.columns + classNames) + "\n"
    for row in rows {
      text += CSV.row(
        [row.path, classNames[row.label], classNames[row.predicted]]
          + row.probabilities.map { CSV.number($0) })
      text += "\n"
    }
    return text
  }

  /// Writes the predictions as CSV; an old file stays until the new one is complete.
  package func write(to path: String) throws {
    try AtomicFile.write(path) { place in
      do {
        try Data(csv.utf8).write(to: URL(filePath: place))
      } catch {
        throw WeightsError.cannotWrite(path: path, reason: error.localizedDescription)
      }
    }
  }

  /// Reads what `write` wrote.
  package init(contentsOf path: String) throws {
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path))
    } catch CocoaError.fileReadNoSuchFile, CocoaError.fileNoSuchFile {
      throw PredictionsError.cannotRead(path, reason: "there is no such file")
    } catch {
      throw PredictionsError.cannotRead(path, reason: error.localizedDescription)
    }
    try self.init(csv: data, path: path)
  }

  /// - Parameter path: what an error calls the text.
  package init(csv: Data, path: String) throws {
    let records: [CSV.Record]
    do {
      records = try CSV.records(csv)
    } catch {
      throw PredictionsError.badLine(path, line: error.line, reason: error.reason)
    }
    let header = records.first?.fields ?? []
    let names = Array(header.dropFirst(Self.columns.count))
    guard header.starts(with: Self.columns), names.count >= 2, Set(names).count == names.count
    else {
      let found = header.prefix(6).joined(separator: ", ")
      throw PredictionsError.notPredictions(path, found: found.isEmpty ? "nothing" : found)
    }
    self.init(classNames: names)
    for record in records.dropFirst() {
      do {
        add(try Self.row(record.fields, names))
      } catch let error as BadRow {
        throw PredictionsError.badLine(path, line: record.line, reason: error.reason)
      }
    }
  }

  private struct BadRow: Error {
    let reason: String
  }

  private static func row(_ fields: [String], _ names: [String]) throws -> Row {
    guard fields.count == names.count + columns.count else {
      throw BadRow(
        reason: "expected \(names.count + columns.count) fields, found \(fields.count)")
    }
    let probabilities = try fields.dropFirst(columns.count).map { text in
      guard let value = Float(text), value.isNaN || (0...1).contains(value) else {
        throw BadRow(reason: "expected a probability from 0 to 1, found '\(text)'")
      }
      return value
    }
    func label(_ name: String) throws -> Int {
      guard let label = names.firstIndex(of: name) else {
        throw BadRow(reason: "there is no column for the class '\(name)'")
      }
      return label
    }
    let row = Row(path: fields[0], label: try label(fields[1]), probabilities: probabilities)
    let predicted = try label(fields[2])
    guard !(probabilities[predicted] < row.confidence) else {
      throw BadRow(
        reason: "predicted is '\(fields[2])', but '\(names[row.predicted])' is more probable")
    }
    return row
  }
}
