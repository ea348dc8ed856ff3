internal import Foundation
internal import HDF5
internal import Layers

/// JSON as Keras keeps it in attributes.
enum JSONText {
  /// The JSON that an attribute holds, nil where there is no such attribute.
  static func attribute(
    _ name: String, of group: HDF5Group, path: String
  ) throws -> JSONValue? {
    guard let text = try group.attributes.string(name) else { return nil }
    do {
      return try value(text)
    } catch {
      throw WeightsError.badJSON(
        attribute: name, path: path,
        reason: text.utf8.count > 40 ? "\(text.utf8.count) bytes that are none" : "'\(text)'")
    }
  }

  /// The value of a JSON text.
  static func value(_ text: String) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
  }

  /// The JSON among texts, nil where there is none of this name.
  static func value(_ texts: [String: String], _ name: String, path: String) throws -> JSONValue? {
    try texts[name].map { try value(Array($0.utf8), member: name, path: path) }
  }

  /// The JSON that a member of an archive is.
  static func value(_ bytes: [UInt8], member: String, path: String) throws -> JSONValue {
    do {
      return try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
    } catch {
      throw WeightsError.badJSON(
        attribute: member, path: path, reason: "\(bytes.count) bytes that are none")
    }
  }

  /// A value as JSON in one line, keys sorted, so that equal values give equal text.
  static func text(_ value: JSONValue) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
