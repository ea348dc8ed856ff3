internal import CWebP

/// A WebP file, of which the first frame is read, by libwebp.
enum WebPFile {
  /// Decodes the first frame; transparency is dropped, what the frame leaves free is black.
  static func decode(
    _ bytes: UnsafeBufferPointer<UInt8>, _ limits: DecodingLimits
  ) throws(ImagesError) -> DecodedPicture {
    try checkLength(bytes)
    var data = WebPData(bytes: bytes.baseAddress, size: bytes.count)
    guard let file = WebPDemux(&data) else {
      throw .damaged(format: .webp, reason: "its parts do not fit together")
    }
    defer { WebPDemuxDelete(file) }
    let width = Int(WebPDemuxGetI(file, WEBP_FF_CANVAS_WIDTH))
    let height = Int(WebPDemuxGetI(file, WEBP_FF_CANVAS_HEIGHT))
    try limits.check(width: width, height: height, format: .webp)
    var frame = WebPIterator()
    guard WebPDemuxGetFrame(file, 1, &frame) != 0 else {
      throw .damaged(format: .webp, reason: "it has no frame")
    }
    defer { WebPDemuxReleaseIterator(&frame) }
    let (left, top) = (Int(frame.x_offset), Int(frame.y_offset))
    let (frameWidth, frameHeight) = (Int(frame.width), Int(frame.height))
    guard left + frameWidth <= width, top + frameHeight <= height, frameWidth > 0, frameHeight > 0
    else { throw .damaged(format: .webp, reason: "its frame lies outside the picture") }
    var isWhole = false
    let image = RGBImage(width: width, height: height) { target in
      if frameWidth < width || frameHeight < height {
        target.update(repeating: 0, count: width * height * 3)
      }
      let start = (top * width + left) * 3
      let end = ((top + frameHeight - 1) * width + left + frameWidth) * 3
      isWhole =
        WebPDecodeRGBInto(
          frame.fragment.bytes, frame.fragment.size, target + start, end - start,
          Int32(width * 3)) != nil
    }
    guard isWhole else { throw .damaged(format: .webp, reason: "its pixels do not decode") }
    return DecodedPicture(
      image: image, format: .webp, colors: frame.has_alpha != 0 ? .rgbWithAlpha : .rgb,
      orientation: orientation(file, bytes), warning: nil)
  }

  /// A file shorter than its header says is truncated.
  private static func checkLength(_ bytes: UnsafeBufferPointer<UInt8>) throws(ImagesError) {
    var reader = ByteReader(bytes)
    reader.littleEndian = true
    guard let size = reader.integer(bytes: 4, at: 4), size + 8 <= bytes.count else {
      throw .truncated(format: .webp)
    }
  }

  private static func orientation(
    _ file: OpaquePointer, _ bytes: UnsafeBufferPointer<UInt8>
  ) -> Orientation {
    var chunk = WebPChunkIterator()
    guard WebPDemuxGetChunk(file, "EXIF", 1, &chunk) != 0 else { return .upright }
    defer { WebPDemuxReleaseChunkIterator(&chunk) }
    guard let start = chunk.chunk.bytes else { return .upright }
    return EXIF.orientation(
      in: UnsafeBufferPointer(start: start, count: chunk.chunk.size), 0..<chunk.chunk.size)
  }
}
