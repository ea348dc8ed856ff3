package import Foundation
import Training

/// What `run.json` says, as far as it does.
struct ReportRecord: Decodable {
  var command: String?
  var status: String?
  var started: String?
  var finished: String?
  var seconds: Double?
  var version: String?
  var data: String?
  var validation: String?
  var model: String?
  var frozen: String?
  var trained: String?
  var photoWait: Double?
  var isa: String?
  var threads: Int?
  /// Why the run failed.
  var error: String?
  /// The commands of a recipe that are done.
  var stages: [Stage]?

  struct Stage: Decodable {
    let name: String
    let command: String
    let seed: UInt64?
    let seconds: Double
    let metrics: [String: Double]
  }
}

/// The epochs of a run, a column for each number.
package struct ReportHistory: Equatable, Sendable {
  package let epochs: [Int]
  /// As many values as there are epochs; nil for one that is missing or no number.
  private let columns: [String: [Double?]]
  /// Where other layers came to be trained: the index of an epoch and what they are called.
  package let stages: [Stage]

  package struct Stage: Equatable, Sendable {
    package let start: Int
    package let name: String
  }

  /// - Parameter stages: what was trained in each epoch, empty where all are of one kind.
  package init(columns: [String: [Double?]], stages: [String] = []) {
    self.stages = stages.indices.compactMap { index in
      index > 0 && stages[index] == stages[index - 1]
        ? nil : Stage(start: index, name: stages[index])
    }
    let count = columns["epoch"]?.count ?? columns.values.map(\.count).max() ?? 0
    epochs = (0..<count).map { index in
      columns["epoch"]?[index].flatMap { Int(exactly: $0) } ?? index + 1
    }
    self.columns = columns.mapValues { values in
      (0..<count).map { $0 < values.count && values[$0]?.isFinite == true ? values[$0] : nil }
    }
  }

  /// The values of a column; nil where there is none with a number in it.
  package subscript(name: String) -> [Double?]? {
    columns[name].flatMap { $0.contains { $0 != nil } ? $0 : nil }
  }

  /// The index of the epoch with the greatest validation accuracy, the least validation loss
  /// deciding between equals; nil without validation.
  package var best: Int? {
    guard let accuracy = self["val_accuracy"] else { return nil }
    let loss = self["val_loss"]
    func key(_ index: Int) -> (Double, Double, Int) {
      (accuracy[index] ?? -1, -(loss?[index] ?? .infinity), -index)
    }
    return epochs.indices.max { key($0) < key($1) }
  }

  /// Reads Keras's form: a list for each name.
  package init(json: Data) throws {
    let lists = try JSONDecoder().decode([String: [Cell]].self, from: json)
    self.init(
      columns: lists.mapValues { $0.map(\.value) },
      stages: lists["stage"]?.map { $0.text ?? "" } ?? [])
  }

  /// Reads a table with the names in its first line.
  package init(csv: Data) throws {
    let records = try CSV.records(csv)
    var columns: [String: [Double?]] = [:]
    var stages: [String] = []
    for (index, name) in (records.first?.fields ?? []).enumerated() {
      let texts = records.dropFirst().map { index < $0.fields.count ? $0.fields[index] : "" }
      if name == "stage" { stages = texts } else { columns[name] = texts.map { Double($0) } }
    }
    self.init(columns: columns, stages: stages)
  }

  /// A number, or what stands in its place where it is none.
  private struct Cell: Decodable {
    let value: Double?
    let text: String?

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      value = try? container.decode(Double.self)
      text = try? container.decode(String.self)
    }
  }
}
