extension CSV {
  /// One record: its fields, and the line of the text that it begins on, counted from 1.
  package struct Record: Sendable, Equatable {
    package let line: Int
    package let fields: [String]

    package init(line: Int, fields: [String]) { (self.line, self.fields) = (line, fields) }
  }

  /// Text that is no CSV.
  package struct Malformed: Error, Equatable {
    package let line: Int
    package let reason: String
  }

  /// The records of a text in UTF-8, without its empty lines; lines may end in LF or CR LF.
  ///
  /// Bytes that are no UTF-8 become U+FFFD.
  package static func records(_ bytes: some Collection<UInt8>) throws(Malformed) -> [Record] {
    var reader = CSVReader()
    // A mark that some programs begin UTF-8 with.
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    for byte in bytes.starts(with: mark) ? bytes.dropFirst(3) : bytes.dropFirst(0) {
      try reader.take(byte)
    }
    return try reader.finish()
  }
}

/// Takes CSV apart, byte by byte.
private struct CSVReader {
  private enum State { case atStart, plain, quoted, afterQuote }

  private var state = State.atStart
  private var line = 1
  private var firstLine = 1
  private var field: [UInt8] = []
  private var fields: [String] = []
  private var records: [CSV.Record] = []

  mutating func take(_ byte: UInt8) throws(CSV.Malformed) {
    defer { if byte == UInt8(ascii: "\n") { line += 1 } }
    switch (state, byte) {
    case (.quoted, UInt8(ascii: "\"")): state = .afterQuote
    case (.quoted, _): field.append(byte)
    case (.atStart, UInt8(ascii: "\"")): state = .quoted
    case (.afterQuote, UInt8(ascii: "\"")):
      field.append(byte)
      state = .quoted
    case (_, UInt8(ascii: ",")): endField()
    case (_, UInt8(ascii: "\n")): endRecord()
    case (.afterQuote, UInt8(ascii: "\r")): break
    case (.afterQuote, _):
      throw CSV.Malformed(line: line, reason: "expected a comma after the closing quote")
    default:
      state = .plain
      field.append(byte)
    }
  }

  mutating func finish() throws(CSV.Malformed) -> [CSV.Record] {
    guard state != .quoted else {
      throw CSV.Malformed(line: firstLine, reason: "a quote is not closed")
    }
    endRecord()
    return records
  }

  private mutating func endField() {
    fields.append(String(decoding: field, as: UTF8.self))
    field = []
    state = .atStart
  }

  private mutating func endRecord() {
    if state == .plain, field.last == UInt8(ascii: "\r") {
      field.removeLast()
      if field.isEmpty { state = .atStart }
    }
    if !fields.isEmpty || state != .atStart {
      endField()
      records.append(CSV.Record(line: firstLine, fields: fields))
    }
    fields = []
    state = .atStart
    firstLine = line + 1
  }
}
