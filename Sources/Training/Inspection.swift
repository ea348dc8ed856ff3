import Architectures
import Foundation
import HDF5
import Weights

/// What an HDF5 file holds and what it is, for people.
package struct Inspection: Sendable {
  /// One object of the file: a group, dataset or link.
  package struct Line: Sendable {
    package let path: String
    /// Such as `float32 [3, 3, 64, 64]`; empty for groups.
    package let contents: String
    /// Such as `147,456 bytes, contiguous`.
    package let storage: String
    /// Each attribute as `name = value`, long values cut.
    package let attributes: [String]
  }

  package let lines: [Line]
  /// Sentences that say what the file is and how to use it.
  package let sentences: [String]

  /// Opens and lists a file of any kind of HDF5.
  package init(_ path: String) throws {
    let stored = try KerasFile(path)
    defer { stored.close() }
    let root = try stored.file.root
    lines =
      [try Self.line(HDF5Entry(path: "/", kind: .group), root)]
      + (try root.walk().map { try Self.line($0, root) })
    sentences = try Self.sentences(stored, root, path)
  }

  private static func line(_ entry: HDF5Entry, _ root: HDF5Group) throws -> Line {
    var contents = ""
    var storage = ""
    var attributes: HDF5Attributes?
    switch entry.kind {
    case .group:
      attributes = try (entry.path == "/" ? root : root.group(entry.path)).attributes
    case .dataset:
      contents = [entry.elementType.map { "\($0)" }, entry.shape.map { "\($0)" }]
        .compactMap { $0 }.joined(separator: " ")
      storage = entry.storage.map { "\($0.bytesStored) bytes, \($0)" } ?? ""
      attributes = try root.dataset(entry.path).attributes
    case .namedType: contents = "a named type"
    case .softLink(let target): contents = "link to '\(target)'"
    case .refused(let error): contents = "not opened: \(error)"
    }
    let texts = try attributes?.names().map { name in
      do {
        return "\(name) = \(try attributes?.value(name).map(text) ?? "nothing")"
      } catch {
        return "\(name): \(error)"
      }
    }
    return Line(path: entry.path, contents: contents, storage: storage, attributes: texts ?? [])
  }

  private static func text(_ value: HDF5Value) -> String {
    switch value {
    case .string(let text): abridged("'\(text)'")
    case .strings(let texts, _): list(texts.map { "'\($0)'" })
    case .integers(let numbers, let shape): list(numbers.map { "\($0)" }, shape)
    case .unsignedIntegers(let numbers, let shape): list(numbers.map { "\($0)" }, shape)
    case .booleans(let values, let shape): list(values.map { "\($0)" }, shape)
    case .floats(let numbers, let shape): list(numbers.map { "\($0)" }, shape)
    case .empty: "empty"
    case .unsupported(let type, let shape): "\(type) \(shape)"
    }
  }

  private static func list(_ items: [String], _ shape: [Int] = [0]) -> String {
    if shape.isEmpty, let only = items.first { return only }
    let shown = items.prefix(6).joined(separator: ", ")
    return items.count > 6 ? "[\(shown), ... \(items.count) in all]" : "[\(shown)]"
  }

  private static func abridged(_ text: String) -> String {
    text.count <= 100 ? text : "\(text.prefix(97))... (\(text.utf8.count) bytes)"
  }

  private static func sentences(
    _ stored: KerasFile, _ root: HDF5Group, _ path: String
  ) throws -> [String] {
    if let features = try? FeatureFile(path) {
      defer { features.close() }
      let source = features.source
      return [
        "A feature file of tl: \(features.rows.count) photos, \(features.rowShape) each, of layer "
          + "'\(source.layer)' of \(source.base).",
        "Classes: \(features.classNames.joined(separator: ", ")).",
        "Photos were scaled to \(source.loader.sizeText) (\(source.loader.scalingText)) "
          + "and preprocessed by '\(source.loader.preprocessing.rawValue)'.",
        features.isComplete
          ? "It is complete." : "It is what an interrupted run left; the next run goes on from it.",
      ]
    }
    let extras = try stored.extras()
    guard extras.classNames == nil else { return stored.summary + model(extras) }
    return try stored.summary + architecture(stored, path)
  }

  private static func architecture(_ stored: KerasFile, _ path: String) throws -> [String] {
    let layers = stored.signature.map { StoredLayer(name: $0.layer, shapes: $0.shapes) }
    guard let found = Architectures.identify(layers) else {
      return stored.format == .notKeras ? [] : ["Its layers fit no architecture known by name."]
    }
    var lines = ["Its layers are those of \(found.name)."]
    if !found.isPublished {
      lines.append("Its widths \(found.widths) are not the published ones.")
    }
    lines.append(
      "Preprocessing to use: '\(found.card.preprocessing)'. Licence of the published weights: "
        + "\(found.card.licence) (\(found.card.origin)).")
    let md5 = try FileDigest.md5(path)
    let published = found.card.files.first { $0.md5 == md5 }
    lines.append(
      published.map { "md5 \(md5): the published file \($0.url)." }
        ?? "md5 \(md5): not one of the published files of \(found.name).")
    return lines
  }

  /// What tl says in a model file of its own.
  private static func model(_ extras: ModelExtras) -> [String] {
    let size = extras.imageSize.map { "\($0[0])x\($0[1])" } ?? "?"
    let scaling = [extras.interpolation ?? "?", extras.fit == "squash" ? nil : extras.fit]
      .compactMap { $0 }.joined(separator: ", ")
    return [
      "tl \(extras.version ?? "?") wrote it: classes "
        + "\((extras.classNames ?? []).joined(separator: ", ")); base "
        + "\(extras.baseDescription ?? "?").",
      "Photos are scaled to \(size) (\(scaling)) and preprocessed by "
        + "'\(extras.preprocessing ?? "?")'.",
    ] + (extras.freezeProof.map { ["Last training: \($0)."] } ?? [])
  }
}
