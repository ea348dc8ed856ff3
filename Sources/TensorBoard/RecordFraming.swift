internal import Foundation

// Writes the event files that TensorBoard shows, and reads them back. Knows nothing of training.

/// Records as TensorFlow frames them in files: length, its checksum, the bytes, their checksum.
///
/// See tensorflow/core/lib/io/record_writer.h; all numbers are little-endian.
enum RecordFraming {
  /// A record's bytes with their frame.
  static func framed(_ record: Data) -> Data {
    let length = Data(bytes(UInt64(record.count)))
    var framed = length
    framed += bytes(CRC32C.masked(length))
    framed += record
    framed += bytes(CRC32C.masked(record))
    return framed
  }

  /// The records of a file up to the first that is damaged or cut off, and whether there is one.
  static func records(_ file: Data) -> (records: [Data], isWhole: Bool) {
    var rest = file[...]
    var records: [Data] = []
    while !rest.isEmpty {
      guard let length = number(&rest, UInt64.self), let check = number(&rest, UInt32.self),
        CRC32C.masked(Data(bytes(length))) == check, length <= UInt64(rest.count)
      else { return (records, false) }
      let record = Data(rest.prefix(Int(length)))
      rest = rest.dropFirst(Int(length))
      guard number(&rest, UInt32.self) == CRC32C.masked(record) else { return (records, false) }
      records.append(record)
    }
    return (records, true)
  }

  private static func number<N: FixedWidthInteger>(_ rest: inout Data, _: N.Type) -> N? {
    let size = N.bitWidth / 8
    guard rest.count >= size else { return nil }
    let value = rest.prefix(size).reversed().reduce(N(0)) { $0 << 8 | N($1) }
    rest = rest.dropFirst(size)
    return value
  }

  private static func bytes(_ number: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
    (0..<number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
  }
}

/// The CRC-32C (Castagnoli) checksum, reflected, polynomial 0x1EDC6F41.
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in
      value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1
    }
  }

  static func checksum(_ data: Data) -> UInt32 {
    ~data.reduce(~0) { crc, byte in
      table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8
    }
  }

  /// As records store it, because a checksum of data that holds checksums is a bad one
  /// (tensorflow/core/lib/hash/crc32c.h).
  static func masked(_ data: Data) -> UInt32 {
    let crc = checksum(data)
    return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
  }
}
