package import Foundation

/// The epochs of a run as the files `history.csv` and `history.json` have them.
package struct RunHistory: Sendable, Equatable {
  package var epochs: [EpochResult]

  package init(_ epochs: [EpochResult] = []) { self.epochs = epochs }

  private static let columns: [(name: String, value: @Sendable (EpochResult) -> Double?)] = [
    ("loss", { $0.loss }), ("accuracy", { $0.accuracy }), ("val_loss", { $0.validationLoss }),
    ("val_accuracy", { $0.validationAccuracy }), ("learning_rate", { $0.learningRate }),
    ("seconds", { $0.seconds }),
  ]

  /// How many epochs the last part of the run has.
  package var countInLastStage: Int { epochs.count { $0.stage == epochs.last?.stage } }

  private var hasStages: Bool { epochs.contains { $0.stage != nil } }

  /// One line for each epoch below a header; what was not measured is empty.
  ///
  /// In a run of several parts a last column names what was trained.
  package var csv: String {
    let names = ["epoch"] + Self.columns.map(\.name) + (hasStages ? [Self.stageColumn] : [])
    return epochs.reduce(into: CSV.row(names) + "\n") { text, epoch in
      let numbers = Self.columns.map { column in column.value(epoch).map { "\($0)" } ?? "" }
      text +=
        CSV.row(["\(epoch.epoch)"] + numbers + (hasStages ? [epoch.stage ?? ""] : [])) + "\n"
    }
  }

  private static let stageColumn = "stage"

  /// A list for each column, as Keras's `History.history`; columns that were never measured are
  /// left out, and epochs count from 1.
  package func json() throws -> Data {
    var columns = ["epoch": epochs.map { Cell.number(Double($0.epoch)) }]
    for (name, value) in Self.columns {
      let values = epochs.map(value)
      if values.contains(where: { $0 != nil }) { columns[name] = values.map(Cell.number) }
    }
    if hasStages { columns[Self.stageColumn] = epochs.map { .text($0.stage) } }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return try encoder.encode(columns)
  }

  /// Reads what `json` wrote.
  package init(json: Data) throws {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    let columns = try decoder.decode([String: [Cell]].self, from: json)
    func cell(_ name: String, _ index: Int) -> Cell? {
      guard let column = columns[name], index < column.count else { return nil }
      return column[index]
    }
    func value(_ name: String, _ index: Int) -> Double? { cell(name, index)?.number }
    epochs = (columns["epoch"] ?? []).indices.map { index in
      var epoch = EpochResult(
        epoch: Int(value("epoch", index) ?? 0), loss: value("loss", index) ?? .nan,
        accuracy: value("accuracy", index) ?? .nan, validationLoss: value("val_loss", index),
        validationAccuracy: value("val_accuracy", index),
        learningRate: value("learning_rate", index), seconds: value("seconds", index))
      epoch.stage = cell(Self.stageColumn, index)?.text
      return epoch
    }
  }

  /// What stands in one place of a column.
  private enum Cell: Codable {
    case number(Double?)
    case text(String?)

    var number: Double? { if case .number(let value) = self { value } else { nil } }
    var text: String? { if case .text(let value) = self { value } else { nil } }

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      // Before text, as a number that is not finite is a string too.
      if let number = try? container.decode(Double?.self) {
        self = .number(number)
      } else {
        self = .text(try container.decode(String?.self))
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .number(let value): try container.encode(value)
      case .text(let value): try container.encode(value)
      }
    }
  }
}
