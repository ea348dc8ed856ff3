internal import CPNG

/// A PNG file: its header and EXIF block read here, its pixels decoded by libpng.
struct PNGFile {
  private let bytes: UnsafeBufferPointer<UInt8>
  private let header: Header
  private let orientation: Orientation

  /// What the header chunk says.
  private struct Header {
    var width: Int
    var height: Int
    var bitDepth: Int
    var colorType: ColorType

    /// Bytes per pixel as `cpng_decode` delivers them.
    var bytesPerPixel: Int {
      switch colorType {
      case .gray: bitDepth == 16 ? 2 : 1
      case .palette: 1
      case .grayWithAlpha: 2
      case .rgb: 3
      case .rgbWithAlpha: 4
      }
    }
  }

  private enum ColorType: Int {
    case gray = 0
    case rgb = 2
    case palette = 3
    case grayWithAlpha = 4
    case rgbWithAlpha = 6
  }

  private static let signatureSize = 8
  /// What deflate can shrink at most.
  private static let deflateLimit = 1032

  /// Reads the header and looks through the chunks.
  ///
  /// - Throws: `ImagesError`, before memory for pixels is taken.
  init(_ bytes: UnsafeBufferPointer<UInt8>, _ limits: DecodingLimits) throws(ImagesError) {
    self.bytes = bytes
    header = try Self.header(ByteReader(bytes))
    try limits.check(width: header.width, height: header.height, format: .png)
    var orientation: Orientation?
    var dataSize = 0
    var position = Self.signatureSize
    let reader = ByteReader(bytes)
    while let length = reader.integer(bytes: 4, at: position), position + 8 <= bytes.count {
      let contents = position + 8..<min(position + 8 + length, bytes.count)
      if reader.starts(with: "IDAT", at: position + 4) { dataSize += contents.count }
      if reader.starts(with: "eXIf", at: position + 4), orientation == nil {
        orientation = EXIF.orientation(in: bytes, contents)
      }
      position += 12 + length
    }
    self.orientation = orientation ?? .upright
    let rowBits = header.width * header.bytesPerPixel * min(header.bitDepth, 8)
    if rowBits / 8 * header.height / Self.deflateLimit > dataSize {
      throw .truncated(format: .png)
    }
  }

  private static func header(_ reader: ByteReader) throws(ImagesError) -> Header {
    let start = signatureSize + 8
    guard let width = reader.integer(bytes: 4, at: start),
      let height = reader.integer(bytes: 4, at: start + 4),
      let depth = reader.integer(bytes: 1, at: start + 8),
      let type = reader.integer(bytes: 1, at: start + 9)
    else { throw .truncated(format: .png) }
    guard reader.starts(with: "IHDR", at: signatureSize + 4) else {
      throw .damaged(format: .png, reason: "it does not start with a header")
    }
    guard let colorType = ColorType(rawValue: type), [1, 2, 4, 8, 16].contains(depth) else {
      throw .damaged(format: .png, reason: "it claims color type \(type) with \(depth) bits")
    }
    return Header(width: width, height: height, bitDepth: depth, colorType: colorType)
  }

  /// Decodes the pixels.
  func decode() throws(ImagesError) -> DecodedPicture {
    try LargePictures.decoding(pixels: header.width * header.height) { () throws(ImagesError) in
      try decodePixels()
    }
  }

  private func decodePixels() throws(ImagesError) -> DecodedPicture {
    let samples = UnsafeMutablePointer<UInt8>.allocate(
      capacity: header.width * header.height * header.bytesPerPixel)
    defer { samples.deallocate() }
    let palette = try decompress(into: samples)
    let image = RGBImage(width: header.width, height: header.height) { target in
      convert(samples, palette, into: target)
    }
    return DecodedPicture(
      image: image, format: .png, colors: colors, orientation: orientation, warning: nil)
  }

  private var colors: DecodedPicture.ColorKind {
    switch header.colorType {
    case .gray: header.bitDepth == 16 ? .gray16 : .gray
    case .grayWithAlpha: .grayWithAlpha
    case .palette: .palette
    case .rgb: .rgb
    case .rgbWithAlpha: .rgbWithAlpha
    }
  }

  /// Decodes the samples as the file has them.
  ///
  /// - Returns: the palette, 256 colors; those that the file lacks are black, as in Pillow.
  private func decompress(into samples: UnsafeMutablePointer<UInt8>) throws(ImagesError) -> [UInt8]
  {
    var palette = [UInt8](repeating: 0, count: 768)
    var message = [CChar](repeating: 0, count: CPNG_MESSAGE_SIZE)
    let code = cpng_decode(
      bytes.baseAddress, bytes.count, samples, header.width * header.bytesPerPixel, header.height,
      &palette, &message)
    if code == Int32(CPNG_TRUNCATED) { throw .truncated(format: .png) }
    if code != Int32(CPNG_OK) {
      let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw .damaged(format: .png, reason: String(decoding: text, as: UTF8.self))
    }
    return palette
  }

  /// Turns the file's samples into RGB.
  private func convert(
    _ samples: UnsafeMutablePointer<UInt8>, _ palette: [UInt8],
    into target: UnsafeMutablePointer<UInt8>
  ) {
    let count = header.width * header.height
    switch header.colorType {
    case .rgb:
      target.update(from: samples, count: count * 3)
    case .rgbWithAlpha:
      for pixel in 0..<count {
        for channel in 0..<3 { target[pixel * 3 + channel] = samples[pixel * 4 + channel] }
      }
    case .palette:
      for pixel in 0..<count {
        for channel in 0..<3 {
          target[pixel * 3 + channel] = palette[Int(samples[pixel]) * 3 + channel]
        }
      }
    case .gray where header.bitDepth == 16:
      spread(count, into: target) { samples[$0 * 2] > 0 ? 255 : samples[$0 * 2 + 1] }
    case .gray:
      let scale = UInt8(255 / ((1 << header.bitDepth) - 1))
      spread(count, into: target) { samples[$0] &* scale }
    case .grayWithAlpha:
      spread(count, into: target) { samples[$0 * 2] }
    }
  }

  @inline(__always)
  private func spread(
    _ count: Int, into target: UnsafeMutablePointer<UInt8>, _ value: (Int) -> UInt8
  ) {
    for pixel in 0..<count {
      let gray = value(pixel)
      for channel in 0..<3 { target[pixel * 3 + channel] = gray }
    }
  }
}
