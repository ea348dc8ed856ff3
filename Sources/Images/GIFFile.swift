internal import CGIF

/// A GIF file, of which the first frame is read, by giflib.
enum GIFFile {
  /// What LZW can shrink at most: 4095 pixels in a code of 12 bits.
  private static let pixelsPerByte = 2730

  /// Decodes the first frame; what it leaves free has the transparent color, or the first.
  static func decode(
    _ bytes: UnsafeBufferPointer<UInt8>, _ limits: DecodingLimits
  ) throws(ImagesError) -> DecodedPicture {
    let frame = UnsafeMutablePointer<cgif_frame>.allocate(capacity: 1)
    defer { frame.deallocate() }
    let opened = cgif_open(bytes.baseAddress, bytes.count, frame)
    defer { cgif_close(frame) }
    try check(opened, frame)
    let (width, height) = (Int(frame.pointee.width), Int(frame.pointee.height))
    try limits.check(width: width, height: height, format: .gif)
    let framePixels = Int(frame.pointee.frame_width) * Int(frame.pointee.frame_height)
    if framePixels / pixelsPerByte > bytes.count { throw .truncated(format: .gif) }
    let indices = UnsafeMutablePointer<UInt8>.allocate(capacity: width * height)
    defer { indices.deallocate() }
    try check(cgif_read_pixels(frame, indices), frame)
    let image = withUnsafeBytes(of: &frame.pointee.palette) { palette in
      RGBImage(width: width, height: height, indices: indices, palette: palette)
    }
    return DecodedPicture(
      image: image, format: .gif, colors: .palette, orientation: .upright, warning: nil)
  }

  private static func check(
    _ code: Int32, _ frame: UnsafeMutablePointer<cgif_frame>
  ) throws(ImagesError) {
    switch Int(code) {
    case CGIF_OK: return
    case CGIF_TRUNCATED: throw .truncated(format: .gif)
    default:
      throw .damaged(format: .gif, reason: String(cString: frame.pointee.reason))
    }
  }
}

extension RGBImage {
  /// The picture of `width * height` color indices; `palette` has 256 colors.
  init(
    width: Int, height: Int, indices: UnsafePointer<UInt8>, palette: UnsafeRawBufferPointer
  ) {
    self.init(width: width, height: height) { target in
      for pixel in 0..<width * height {
        let color = Int(indices[pixel]) * 3
        target[pixel * 3] = palette[color]
        target[pixel * 3 + 1] = palette[color + 1]
        target[pixel * 3 + 2] = palette[color + 2]
      }
    }
  }
}
