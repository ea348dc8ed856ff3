/// A BMP file, read here: no library for it is kept, and the format is small.
///
/// Takes what Pillow takes: 1, 4 and 8 bits with a palette, plain or run-length encoded, 16, 24 and
/// 32 bits with the usual masks, rows from the bottom or the top.
struct BMPFile {
  private let reader: ByteReader
  private let header: Header

  /// What the two headers say.
  private struct Header {
    var width: Int
    var height: Int
    var fromTop: Bool
    var bits: Int
    var compression: Compression
    /// Where the pixels start.
    var offset: Int
    /// Where the palette starts, its colors' count and size.
    var palette: (start: Int, count: Int, size: Int)
    var layout: PixelLayout

    /// Bytes of a row that is not run-length encoded.
    var rowBytes: Int { (width * bits + 31) / 32 * 4 }
  }

  private enum Compression: Int {
    case none = 0
    case runs8 = 1
    case runs4 = 2
    case masks = 3
  }

  /// Where red, green and blue lie in a pixel: as bits of 16, or as bytes.
  private enum PixelLayout {
    case bits16(green: Int)
    case bytes(red: Int, green: Int, blue: Int)
  }

  /// - Throws: `ImagesError`, before memory for pixels is taken.
  init(_ bytes: UnsafeBufferPointer<UInt8>, _ limits: DecodingLimits) throws(ImagesError) {
    var reader = ByteReader(bytes)
    reader.littleEndian = true
    self.reader = reader
    header = try Self.header(reader)
    try limits.check(width: header.width, height: header.height, format: .bmp)
    let isPlain = header.compression == .none || header.compression == .masks
    if isPlain, header.offset + header.rowBytes * header.height > bytes.count {
      throw .truncated(format: .bmp)
    }
  }

  private static func header(_ reader: ByteReader) throws(ImagesError) -> Header {
    func field(_ size: Int, _ offset: Int) throws(ImagesError) -> Int {
      guard let value = reader.integer(bytes: size, at: offset) else {
        throw .truncated(format: .bmp)
      }
      return value
    }
    let (offset, size) = (try field(4, 10), try field(4, 14))
    let isOld = size == 12
    guard isOld || [40, 52, 56, 64, 108, 124].contains(size) else {
      throw .unsupportedKind(format: .bmp, found: "a header of \(size) bytes")
    }
    let width = try field(isOld ? 2 : 4, 18)
    var height = try field(isOld ? 2 : 4, isOld ? 20 : 22)
    let fromTop = !isOld && height >> 24 == 0xFF
    if fromTop { height = 1 << 32 - height }
    let bits = try field(2, isOld ? 24 : 28)
    let code = isOld ? 0 : try field(4, 30)
    guard let compression = Compression(rawValue: code), [1, 4, 8, 16, 24, 32].contains(bits),
      (compression != .runs8 || bits == 8) && (compression != .runs4 || bits == 4),
      compression != .masks || bits >= 16
    else {
      throw .unsupportedKind(format: .bmp, found: "\(bits) bits with compression \(code)")
    }
    let claimed = isOld ? 0 : try field(4, 46)
    let colors = claimed == 0 ? 1 << min(bits, 8) : claimed
    guard bits > 8 || colors <= 65536 else {
      throw .damaged(format: .bmp, reason: "it claims a palette of \(colors) colors")
    }
    let start = 14 + size
    let palette = (start: start, count: colors, size: isOld ? 3 : 4)
    var pixels = offset == 0 ? start + (bits <= 8 ? colors * palette.size : 0) : offset
    if offset == start, bits <= 8 { pixels += colors * palette.size }
    return Header(
      width: width, height: height, fromTop: fromTop, bits: bits, compression: compression,
      offset: pixels, palette: palette,
      layout: try layout(reader, bits: bits, hasMasks: compression == .masks))
  }

  /// The layouts that Pillow knows; masks lie behind the first 40 bytes of the second header.
  private static func layout(
    _ reader: ByteReader, bits: Int, hasMasks: Bool
  ) throws(ImagesError) -> PixelLayout {
    guard hasMasks else {
      return bits == 16 ? .bits16(green: 5) : .bytes(red: 2, green: 1, blue: 0)
    }
    let masks = (0..<3).compactMap { reader.integer(bytes: 4, at: 54 + $0 * 4) }
    switch (bits, masks) {
    case (16, [0xF800, 0x7E0, 0x1F]): return .bits16(green: 6)
    case (16, [0x7C00, 0x3E0, 0x1F]): return .bits16(green: 5)
    case (24, [0xFF0000, 0xFF00, 0xFF]), (32, [0xFF0000, 0xFF00, 0xFF]), (32, [0, 0, 0]):
      return .bytes(red: 2, green: 1, blue: 0)
    case (32, [0xFF00_0000, 0xFF0000, 0xFF00]): return .bytes(red: 3, green: 2, blue: 1)
    case (32, [0xFF00_0000, 0xFF00, 0xFF]): return .bytes(red: 3, green: 1, blue: 0)
    case (32, [0xFF, 0xFF00, 0xFF0000]): return .bytes(red: 0, green: 1, blue: 2)
    default: throw .unsupportedKind(format: .bmp, found: "\(bits) bits with unusual masks")
    }
  }

  /// Decodes the pixels.
  func decode() throws(ImagesError) -> DecodedPicture {
    let image: RGBImage
    if header.bits <= 8 {
      let indices = try indices()
      let palette = palette()
      image = palette.withUnsafeBytes {
        RGBImage(width: header.width, height: header.height, indices: indices, palette: $0)
      }
    } else {
      image = RGBImage(width: header.width, height: header.height) { target in
        for row in 0..<header.height { readRow(row, into: target + row * header.width * 3) }
      }
    }
    return DecodedPicture(
      image: image, format: .bmp, colors: header.bits <= 8 ? .palette : .rgb,
      orientation: .upright, warning: nil)
  }

  /// Where a row of the picture starts in the file.
  private func rowStart(_ row: Int) -> Int {
    header.offset + (header.fromTop ? row : header.height - 1 - row) * header.rowBytes
  }

  private func readRow(_ row: Int, into target: UnsafeMutablePointer<UInt8>) {
    let source = reader.bytes.baseAddress! + rowStart(row)
    switch header.layout {
    case .bytes(let red, let green, let blue):
      let step = header.bits / 8
      for column in 0..<header.width {
        target[column * 3] = source[column * step + red]
        target[column * 3 + 1] = source[column * step + green]
        target[column * 3 + 2] = source[column * step + blue]
      }
    case .bits16(let green):
      for column in 0..<header.width {
        let pixel = Int(source[column * 2]) | Int(source[column * 2 + 1]) << 8
        let greens = (1 << green) - 1
        target[column * 3] = UInt8((pixel >> (5 + green) & 31) * 255 / 31)
        target[column * 3 + 1] = UInt8((pixel >> 5 & greens) * 255 / greens)
        target[column * 3 + 2] = UInt8((pixel & 31) * 255 / 31)
      }
    }
  }

  /// 256 colors; those that the file lacks are black.
  private func palette() -> [UInt8] {
    var palette = [UInt8](repeating: 0, count: 768)
    for index in 0..<min(header.palette.count, 256) {
      for channel in 0..<3 {
        let place = header.palette.start + index * header.palette.size + 2 - channel
        palette[index * 3 + channel] = UInt8(reader.integer(bytes: 1, at: place) ?? 0)
      }
    }
    return palette
  }

  /// The color index of every pixel, rows from the top.
  private func indices() throws(ImagesError) -> [UInt8] {
    if header.compression == .none {
      return [UInt8](unsafeUninitializedCapacity: header.width * header.height) { buffer, count in
        let (perByte, mask) = (8 / header.bits, UInt8((1 << header.bits) - 1))
        for row in 0..<header.height {
          let source = reader.bytes.baseAddress! + rowStart(row)
          for column in 0..<header.width {
            let shift = (perByte - 1 - column % perByte) * header.bits
            buffer[row * header.width + column] = source[column / perByte] >> UInt8(shift) & mask
          }
        }
        count = header.width * header.height
      }
    }
    var runs = BMPRuns(reader, from: header.offset, width: header.width, height: header.height)
    guard runs.decode(isFourBits: header.compression == .runs4) else {
      throw .truncated(format: .bmp)
    }
    return header.fromTop ? runs.indices : runs.flipped
  }
}
