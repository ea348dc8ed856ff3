internal import CTurboJPEG

/// A JPEG file: its markers looked at here, its pixels decoded by libjpeg-turbo.
struct JPEGFile {
  private let bytes: UnsafeBufferPointer<UInt8>
  private let frame: Frame
  private let orientation: Orientation
  private let reducedTo: PixelSize?

  /// What the start-of-frame marker says.
  private struct Frame {
    var precision: Int
    var height: Int
    var width: Int
    var components: Int
    /// Whether the samples are arithmetic-coded, which can shrink them to nearly nothing.
    var isArithmetic: Bool
  }

  /// Huffman codes have at least one bit for a block of 64 samples; a file that has less than
  /// that for its grey picture does not hold it.
  private static let pixelsPerByte = 1024

  /// Reads the headers and makes sure that the file has its end.
  ///
  /// TurboJPEG fills missing rows with grey and tells only the first of its warnings, so missing
  /// data is found here: by the end-of-image marker, without which Pillow refuses a file.
  /// - Throws: `ImagesError`, before memory for pixels is taken.
  init(_ bytes: UnsafeBufferPointer<UInt8>, _ limits: DecodingLimits) throws(ImagesError) {
    var frame: Frame?
    var orientation: Orientation?
    var inHeader = true
    var isComplete = false
    var markers = JPEGMarkers(bytes)
    while !isComplete, let segment = markers.next() {
      let reader = ByteReader(bytes, segment.contents)
      switch segment.marker {
      case JPEGMarkers.endOfImage: isComplete = true
      case JPEGMarkers.startOfScan: inHeader = false
      case JPEGMarkers.app1 where inHeader && orientation == nil:
        if reader.starts(with: "Exif\0\0", at: 0) {
          orientation = EXIF.orientation(in: bytes, segment.contents)
        }
      case let marker where JPEGMarkers.startsOfFrame.contains(marker) && frame == nil:
        frame = try Self.frame(reader, marker, limits)
      default: break
      }
    }
    guard isComplete else { throw .truncated(format: .jpeg) }
    guard let frame, !inHeader else { throw .damaged(format: .jpeg, reason: "it has no pixels") }
    if !frame.isArithmetic, frame.width * frame.height / Self.pixelsPerByte > bytes.count {
      throw .truncated(format: .jpeg)
    }
    self.bytes = bytes
    reducedTo = limits.reducedTo
    self.frame = frame
    self.orientation = orientation ?? .upright
  }

  private static func frame(
    _ reader: ByteReader, _ marker: Int, _ limits: DecodingLimits
  ) throws(ImagesError) -> Frame {
    guard let precision = reader.integer(bytes: 1, at: 0),
      let height = reader.integer(bytes: 2, at: 1), let width = reader.integer(bytes: 2, at: 3),
      let components = reader.integer(bytes: 1, at: 5)
    else { throw .damaged(format: .jpeg, reason: "its frame header is cut short") }
    if precision != 8 { throw .unsupportedKind(format: .jpeg, found: "\(precision)-bit samples") }
    if ![1, 3, 4].contains(components) {
      throw .unsupportedKind(format: .jpeg, found: "\(components) color components")
    }
    try limits.check(width: width, height: height, format: .jpeg)
    return Frame(
      precision: precision, height: height, width: width, components: components,
      isArithmetic: marker >= 0xC9)
  }

  /// Decodes the pixels.
  func decode() throws(ImagesError) -> DecodedPicture {
    try LargePictures.decoding(pixels: frame.width * frame.height) { () throws(ImagesError) in
      try decodePixels()
    }
  }

  private func decodePixels() throws(ImagesError) -> DecodedPicture {
    let isCMYK = frame.components == 4
    var outcome = Result<String?, ImagesError>.success(nil)
    let size = decodedSize
    let image = RGBImage(width: size.width, height: size.height) { target in
      outcome =
        isCMYK
        ? decompressCMYK(size, into: target) : decompress(size, TJPF_RGB, 3, into: target)
    }
    return DecodedPicture(
      image: image, format: .jpeg, colors: isCMYK ? .cmyk : frame.components == 1 ? .gray : .rgb,
      orientation: orientation, warning: try outcome.get(),
      storedSize: PixelSize(height: frame.height, width: frame.width))
  }

  /// The smallest of 1/8, 1/4, 1/2 and all of the size that is still large enough.
  private var decodedSize: PixelSize {
    let whole = PixelSize(height: frame.height, width: frame.width)
    guard var wanted = reducedTo else { return whole }
    if orientation.value >= 5 { swap(&wanted.height, &wanted.width) }
    for divisor in [8, 4, 2] {
      let part = PixelSize(
        height: (whole.height + divisor - 1) / divisor,
        width: (whole.width + divisor - 1) / divisor)
      if part.height >= wanted.height && part.width >= wanted.width { return part }
    }
    return whole
  }

  private func decompressCMYK(
    _ size: PixelSize, into target: UnsafeMutablePointer<UInt8>
  ) -> Result<String?, ImagesError> {
    let count = size.width * size.height
    let samples = UnsafeMutablePointer<UInt8>.allocate(capacity: count * 4)
    defer { samples.deallocate() }
    let outcome = decompress(size, TJPF_CMYK, 4, into: samples)
    guard case .success = outcome else { return outcome }
    for pixel in 0..<count {
      // Adobe stores CMYK inverted and Pillow takes every CMYK JPEG to be so: 255 is no ink.
      let light = UInt32(samples[pixel * 4 + 3])
      for channel in 0..<3 {
        let ink = 255 - UInt32(samples[pixel * 4 + channel])
        target[pixel * 3 + channel] = UInt8(light - rounded255th(ink * light))
      }
    }
    return outcome
  }

  /// Decodes into rows of `width * samplesPerPixel` bytes, scaled by the DCT if `size` is smaller.
  ///
  /// - Returns: what the decoder complained about, if it delivered a picture nevertheless.
  private func decompress(
    _ size: PixelSize, _ format: TJPF, _ samplesPerPixel: Int,
    into target: UnsafeMutablePointer<UInt8>
  ) -> Result<String?, ImagesError> {
    guard let decompressor = Decompressor() else {
      return .failure(.damaged(format: .jpeg, reason: "libjpeg-turbo does not start"))
    }
    // Without flags: accurate DCT and smooth upsampling of color, which is also Pillow's default.
    // The one flag refuses files with so many scans (over 500) that decoding would take ages.
    let code = tjDecompress2(
      decompressor.handle, bytes.baseAddress, UInt(bytes.count), target, Int32(size.width),
      Int32(size.width * samplesPerPixel), Int32(size.height), Int32(format.rawValue),
      TJFLAG_LIMITSCANS)
    if code == 0 { return .success(nil) }
    let isFatal = tjGetErrorCode(decompressor.handle) == Int32(TJERR_FATAL.rawValue)
    let message = decompressor.message
    if message.contains("Premature end of JPEG file") {
      return .failure(.truncated(format: .jpeg))
    }
    return isFatal ? .failure(.damaged(format: .jpeg, reason: message)) : .success(message)
  }
}

/// `value / 255` to the nearest integer, for values up to 255 * 255.
private func rounded255th(_ value: UInt32) -> UInt32 {
  let shifted = value + 128
  return (shifted + shifted >> 8) >> 8
}

/// A TurboJPEG handle.
private final class Decompressor {
  let handle: tjhandle

  init?() {
    guard let handle = tjInitDecompress() else { return nil }
    self.handle = handle
  }

  deinit { tjDestroy(handle) }

  /// The decoder's last complaint.
  var message: String { String(cString: tjGetErrorStr2(handle)) }
}
