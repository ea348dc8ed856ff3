import Architectures
import Foundation
import HDF5
package import Weights

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

  /// Opens and lists a file of any kind of HDF5, a `.keras` archive or safetensors.
  package init(_ path: String, kernelOrder: KernelOrder? = nil) throws {
    let stored: KerasFile
    do {
      stored = try KerasFile(path, kernelOrder: kernelOrder)
    } catch let error as HDF5Error {
      guard case .refused = error else { throw error }
      (lines, sentences) = (try Self.lines(ofRefused: path), ["It is not used: \(error)."])
      return
    }
    defer { stored.close() }
    guard let root = try stored.file?.root else {
      lines = Self.lines(stored)
      sentences = try Self.sentences(stored, path)
      return
    }
    lines = try Self.lines(root)
    sentences = try Self.sentences(stored, path) + Self.links(lines)
  }

  private static func lines(_ root: HDF5Group) throws -> [Line] {
    [try line(HDF5Entry(path: "/", kind: .group), root)]
      + (try root.walk().map { try line($0, root) })
  }

  /// All objects of a file that is refused for one of them.
  private static func lines(ofRefused path: String) throws -> [Line] {
    let file = try HDF5File.open(path)
    defer { try? file.close() }
    return try lines(file.root)
  }

  /// The tensors of a file that is not HDF5.
  private static func lines(_ stored: KerasFile) -> [Line] {
    let metadata = stored.metadata.sorted { $0.key < $1.key }
    let texts = metadata.map { abridged("\($0.key) = '\($0.value)'") }
    return [Line(path: "/", contents: "", storage: "", attributes: texts)]
      + stored.layers.flatMap(\.tensors).map {
        Line(path: $0.path, contents: "\($0.type) \($0.shape)", storage: "", attributes: [])
      }
  }

  /// What is said of links and of what lies in other files.
  private static func links(_ lines: [Line]) -> [String] {
    let count = lines.count {
      $0.contents.hasPrefix("link to") || $0.contents.hasPrefix("not opened")
    }
    return count == 0 ? [] : ["\(count) of its objects are links or not to be opened: see above."]
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

  private static func sentences(_ stored: KerasFile, _ path: String) throws -> [String] {
    if stored.format == .notKeras, let features = try? FeatureFile(path) {
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
    guard let found = BaseLoader.identified(stored).1 else {
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
