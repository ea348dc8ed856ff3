import Foundation
import Training

/// What a training run left in its folder, as far as it is there.
struct RunContents {
  let folder: String
  let record: ReportRecord?
  let history: ReportHistory?
  let recipe: String?
  let predictions: Predictions?
  /// The model's file; nil where there is none.
  let model: String?
  /// Why something that is there cannot be read, by file name.
  private(set) var problems: [String: String] = [:]

  init(_ folder: String) throws {
    self.folder = folder
    var problems: [String: String] = [:]
    /// What `read` makes of a file; nil, with a note where it is there but unreadable.
    func part<R>(_ name: String, _ read: (String) throws -> R) -> R? {
      let path = joined(folder, name)
      guard FileManager.default.fileExists(atPath: path) else { return nil }
      do {
        return try read(path)
      } catch {
        problems[name] = Self.reason(error)
        return nil
      }
    }
    func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: path)) }
    record = part("run.json") { try JSONDecoder().decode(ReportRecord.self, from: bytes($0)) }
    history =
      part("history.json") { try ReportHistory(json: bytes($0)) }
      ?? part("history.csv") { try ReportHistory(csv: bytes($0)) }
    recipe = part("recipe.yaml") { String(decoding: try bytes($0), as: UTF8.self) }
    predictions = part("predictions.csv") { try Predictions(contentsOf: $0) }
    model = part(record?.model ?? "model.h5") { $0 }
    self.problems = problems
    let isEmpty = record == nil && history == nil && predictions == nil
    guard !isEmpty else { throw ExplainError.noRun(folder, found: Self.found(folder, problems)) }
  }

  private static func found(_ folder: String, _ problems: [String: String]) -> String {
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
      return "no such folder"
    }
    guard isFolder.boolValue else { return "a file" }
    let parts = problems.sorted { $0.key < $1.key }.map { "'\($0.key)': \($0.value)" }
    return parts.isEmpty ? "none of them" : parts.joined(separator: "; ")
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case is DecodingError: "it is no JSON of that kind"
    case let error as CSV.Malformed: "line \(error.line): \(error.reason)"
    case is CocoaError: "it cannot be opened"
    default: "\(error)"
    }
  }

  /// The folders in it that are runs themselves, as those of a recipe's stages.
  var inner: [String] {
    let seeds = Self.folders(in: folder).filter { $0.hasPrefix("seed-") }
    return Self.runs(in: folder)
      + seeds.flatMap { seed in Self.runs(in: joined(folder, seed)).map { joined(seed, $0) } }
  }

  private static func folders(in folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.sorted { $0.localizedStandardCompare($1) == .orderedAscending }
  }

  private static func runs(in folder: String) -> [String] {
    folders(in: folder).filter {
      FileManager.default.fileExists(atPath: joined(joined(folder, $0), "run.json"))
    }
  }

  /// The folder's own name.
  var name: String { URL(filePath: folder).standardizedFileURL.lastPathComponent }
}

/// A path below a folder; a path from the root stays as it is.
func joined(_ folder: String, _ path: String) -> String {
  path.hasPrefix("/") ? path : (folder as NSString).appendingPathComponent(path)
}
