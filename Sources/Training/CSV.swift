/// Comma-separated values as RFC 4180 quotes them, written with lines that end in LF.
package enum CSV {
  /// A field, quoted only when it must be: comma, quote, CR or LF inside.
  package static func field(_ text: String) -> String {
    // By scalar: CR LF is one Character, equal to neither CR nor LF.
    let needsQuotes = text.unicodeScalars.contains { [",", "\"", "\r", "\n"].contains($0) }
    guard needsQuotes else { return text }
    let doubled = text.unicodeScalars.reduce(into: "") { result, scalar in
      result += scalar == "\"" ? "\"\"" : String(scalar)
    }
    return "\"\(doubled)\""
  }

  /// A row without its line end.
  package static func row(_ fields: [String]) -> String {
    // A lone empty field would be an empty line, which readers skip.
    fields == [""] ? "\"\"" : fields.map(field).joined(separator: ",")
  }

  /// The shortest text that reads back as the same number; `nan`, `inf` and `-inf` as such.
  package static func number(_ value: Float) -> String { value.description }
}
