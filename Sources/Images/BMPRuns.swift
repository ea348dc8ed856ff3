/// The run-length encoding of BMP files, undone as Pillow does it.
struct BMPRuns {
  private let reader: ByteReader
  private var position: Int
  private let width: Int
  private let count: Int
  /// The color indices in the order of the file.
  private(set) var indices: [UInt8] = []

  init(_ reader: ByteReader, from position: Int, width: Int, height: Int) {
    self.reader = reader
    self.position = position
    self.width = width
    count = width * height
  }

  /// The indices with the last row first.
  var flipped: [UInt8] {
    var turned: [UInt8] = []
    turned.reserveCapacity(count)
    for row in stride(from: count - width, through: 0, by: -width) {
      turned += indices[row..<row + width]
    }
    return turned
  }

  private mutating func nextByte() -> UInt8? {
    guard let byte = reader.integer(bytes: 1, at: position) else { return nil }
    position += 1
    return UInt8(byte)
  }

  /// False where the data ends before the picture does.
  mutating func decode(isFourBits: Bool) -> Bool {
    var x = 0
    while indices.count < count {
      guard let run = nextByte(), let value = nextByte() else { break }
      if run > 0 {
        let length = min(Int(run), max(0, width - x))
        for index in 0..<length {
          indices.append(!isFourBits ? value : index % 2 == 0 ? value >> 4 : value & 15)
        }
        x += length
        continue
      }
      switch value {
      case 0:
        let missing = (width - indices.count % width) % width
        indices.append(contentsOf: repeatElement(0, count: missing))
        x = 0
      case 1: return indices.count == count
      case 2:
        guard let right = nextByte(), let up = nextByte() else { return false }
        let skipped = min(count - indices.count, Int(right) + Int(up) * width)
        indices.append(contentsOf: repeatElement(0, count: skipped))
        x = indices.count % width
      default:
        guard readLiterally(Int(value), isFourBits) else { return indices.count == count }
        x += Int(value)
        // Literal stretches are padded to whole 16-bit words.
        position += position % 2
      }
    }
    return indices.count >= count
  }

  private mutating func readLiterally(_ length: Int, _ isFourBits: Bool) -> Bool {
    let length = min(length, count - indices.count)
    for index in 0..<(isFourBits ? (length + 1) / 2 : length) {
      guard let byte = nextByte() else { return false }
      if isFourBits {
        indices.append(byte >> 4)
        if index * 2 + 1 < length { indices.append(byte & 15) }
      } else {
        indices.append(byte)
      }
    }
    return indices.count < count
  }
}
