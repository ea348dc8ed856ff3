import Glibc

/// Walks the marker segments of a JPEG file the way libjpeg's marker reader does.
///
/// Compressed data between markers is passed over without looking into it.
struct JPEGMarkers {
  /// A marker's second byte and where its contents lie (without the length field).
  struct Segment {
    var marker: Int
    var contents: Range<Int>
  }

  static let endOfImage = 0xD9
  static let startOfScan = 0xDA
  static let app1 = 0xE1
  static let startsOfFrame = Set(0xC0...0xCF).subtracting([0xC4, 0xC8, 0xCC])
  private static let restarts = 0xD0...0xD7

  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = 2
  private var inScan = false

  /// Starts behind the start-of-image marker.
  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// The next segment; nil where the bytes end before the end-of-image marker.
  mutating func next() -> Segment? {
    guard let marker = nextMarker() else { return nil }
    inScan = marker == Self.startOfScan
    if marker == Self.endOfImage { return Segment(marker: marker, contents: position..<position) }
    guard let length = ByteReader(bytes).integer(bytes: 2, at: position),
      position + length <= bytes.count
    else { return nil }
    // A length below 2 is nonsense on which the decoder gives up; here it only must not go back.
    let contents = position + 2..<position + max(length, 2)
    position = contents.upperBound
    return Segment(marker: marker, contents: contents)
  }

  /// Moves behind the next marker that is not padding, a stuffed zero or a restart.
  private mutating func nextMarker() -> Int? {
    while position < bytes.count,
      let found = memchr(bytes.baseAddress! + position, 0xFF, bytes.count - position)
    {
      position = UnsafeRawPointer(found) - UnsafeRawPointer(bytes.baseAddress!)
      while position < bytes.count && bytes[position] == 0xFF { position += 1 }
      guard position < bytes.count else { return nil }
      let code = Int(bytes[position])
      position += 1
      if code > 1 && !Self.restarts.contains(code) { return code }
    }
    return nil
  }
}
