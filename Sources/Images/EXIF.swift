/// Reads the orientation out of an EXIF block: a TIFF header and its first directory.
enum EXIF {
  private static let orientationTag = 0x0112

  /// The orientation that the block at `range` of `bytes` states; upright if it states none.
  ///
  /// A block that is cut short or makes no sense states none: a photo is not lost for it.
  static func orientation(
    in bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>
  ) -> Orientation {
    var reader = ByteReader(bytes, range)
    if reader.starts(with: "Exif\0\0", at: 0) {
      reader = ByteReader(bytes, range.lowerBound + 6..<range.upperBound)
    }
    if reader.starts(with: "II*\0", at: 0) {
      reader.littleEndian = true
    } else if !reader.starts(with: "MM\0*", at: 0) {
      return .upright
    }
    guard let directory = reader.integer(bytes: 4, at: 4),
      let count = reader.integer(bytes: 2, at: directory)
    else { return .upright }
    for index in 0..<count {
      let entry = directory + 2 + index * 12
      guard let tag = reader.integer(bytes: 2, at: entry) else { break }
      if tag == orientationTag { return Orientation(value(of: entry, reader) ?? 1) }
    }
    return .upright
  }

  private static func value(of entry: Int, _ reader: ByteReader) -> Int? {
    switch reader.integer(bytes: 2, at: entry + 2) {
    case 1: reader.integer(bytes: 1, at: entry + 8)
    case 3: reader.integer(bytes: 2, at: entry + 8)
    case 4: reader.integer(bytes: 4, at: entry + 8)
    default: nil
    }
  }
}

/// Bounds-checked reading of integers and words from a part of a file's bytes.
struct ByteReader {
  let bytes: UnsafeBufferPointer<UInt8>
  let range: Range<Int>
  var littleEndian = false

  init(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
    self.bytes = bytes
    self.range = range.clamped(to: 0..<bytes.count)
  }

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.init(bytes, 0..<bytes.count) }

  /// The unsigned integer of `size` bytes at `offset` from the range's start, nil if outside it.
  func integer(bytes size: Int, at offset: Int) -> Int? {
    guard offset >= 0, offset <= range.count - size else { return nil }
    var value = 0
    for index in 0..<size {
      let byte = Int(bytes[range.lowerBound + offset + index])
      value |= byte << (8 * (littleEndian ? index : size - 1 - index))
    }
    return value
  }

  /// Whether the bytes at `offset` are those of `text`, which is ASCII.
  func starts(with text: StaticString, at offset: Int) -> Bool {
    let size = text.utf8CodeUnitCount
    guard offset >= 0, offset <= range.count - size else { return false }
    for index in 0..<size where bytes[range.lowerBound + offset + index] != text.utf8Start[index] {
      return false
    }
    return true
  }
}
