internal import CPNG

extension RGBImage {
  /// The picture as the bytes of a PNG file.
  ///
  /// - Parameter isFast: takes a fraction of the time, for a larger file.
  package func png(isFast: Bool = false) throws(ImagesError) -> [UInt8] {
    // Deflate adds a little to what it cannot shrink; the rest is for headers.
    var capacity = (width * 3 + 1) * height * 101 / 100 + 4096
    var header = png_image()
    header.version = png_uint_32(PNG_IMAGE_VERSION)
    header.width = png_uint_32(width)
    header.height = png_uint_32(height)
    header.format = png_uint_32(PNG_FORMAT_FLAG_COLOR)
    if isFast { header.flags = png_uint_32(PNG_IMAGE_FLAG_FAST) }
    var isWritten: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      isWritten = pixels.withUnsafeBufferPointer {
        png_image_write_to_memory(
          &header, buffer.baseAddress, &capacity, 0, $0.baseAddress, Int32(width * 3), nil)
      }
      count = isWritten == 0 ? 0 : capacity
    }
    guard isWritten != 0 else { throw .cannotEncode(width: width, height: height) }
    return bytes
  }
}
