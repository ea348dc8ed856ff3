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

  /// One line for each epoch below a header; what was not measured is empty.
  package var csv: String {
    let header = CSV.row(["epoch"] + Self.columns.map(\.name)) + "\n"
    return epochs.reduce(into: header) { text, epoch in
      let numbers = Self.columns.map { column in column.value(epoch).map { "\($0)" } ?? "" }
      text += CSV.row(["\(epoch.epoch)"] + numbers) + "\n"
    }
  }

  /// A list for each column, as Keras's `History.history`; columns that were never measured are
  /// left out, and epochs count from 1.
  package func json() throws -> Data {
    var columns = ["epoch": epochs.map { Optional(Double($0.epoch)) }]
    for (name, value) in Self.columns {
      let values = epochs.map(value)
      if values.contains(where: { $0 != nil }) { columns[name] = values }
    }
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
    let columns = try decoder.decode([String: [Double?]].self, from: json)
    let numbers = columns["epoch"] ?? []
    func value(_ name: String, _ index: Int) -> Double? {
      guard let column = columns[name], index < column.count else { return nil }
      return column[index]
    }
    epochs = numbers.indices.map { index in
      EpochResult(
        epoch: Int(numbers[index] ?? 0), loss: value("loss", index) ?? .nan,
        accuracy: value("accuracy", index) ?? .nan, validationLoss: value("val_loss", index),
        validationAccuracy: value("val_accuracy", index),
        learningRate: value("learning_rate", index), seconds: value("seconds", index))
    }
  }
}
