import Foundation

/// Results as JSON: sorted keys, slashes as they are, Floats that read back as the same Float.
package enum JSONText {
  /// `value` as JSON, on one line unless `isPretty`.
  ///
  /// JSON has no NaN or infinity: they become the strings "NaN", "Infinity" and "-Infinity".
  package static func encode(_ value: some Encodable, isPretty: Bool = false) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

/// Writes one JSON array, element by element, each on a line of its own.
package struct JSONArrayWriter {
  private let sink: any TextSink
  private var isEmpty = true

  package init(_ sink: any TextSink) {
    self.sink = sink
  }

  /// Writes one element.
  package mutating func append(_ value: some Encodable) throws {
    try sink.write((isEmpty ? "[\n" : ",\n") + JSONText.encode(value))
    isEmpty = false
  }

  /// Closes the array; without it the text is not JSON.
  package func finish() throws {
    try sink.line(isEmpty ? "[]" : "\n]")
  }
}
