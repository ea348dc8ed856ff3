/// A decoded photo file: its pixels as stored and what was found on the way.
package struct DecodedPicture: Sendable {
  /// The pixels as stored in the file, not yet turned upright.
  package var image: RGBImage
  package var format: PictureFormat
  /// How the samples are stored in the file.
  package var colors: ColorKind
  /// How the photo must be turned to stand upright.
  package var orientation: Orientation
  /// The size in the file, which is not the image's after reduced decoding.
  package var storedSize: PixelSize
  /// What the decoder complained about though it delivered a picture, as for a damaged JPEG.
  package var warning: String?

  /// How a file stores its samples before they are turned into RGB.
  package enum ColorKind: String, Sendable {
    case rgb = "RGB"
    case gray
    case grayWithAlpha = "gray with alpha"
    case rgbWithAlpha = "RGB with alpha"
    case palette
    case cmyk = "CMYK"
    /// More than 255 levels: Pillow turns all above 255 into white, and so do we.
    case gray16 = "16-bit gray"
  }

  /// Decodes the bytes of a photo file; the content decides, not a name.
  ///
  /// Pixels equal those of Pillow's `Image.open(file).convert("RGB")`: transparency is dropped,
  /// not blended, profiles and gamma are not applied; of several frames the first counts. What
  /// Pillow refuses as truncated is refused.
  /// - Throws: `ImagesError`.
  package init(
    bytes: [UInt8], limits: DecodingLimits = DecodingLimits()
  ) throws(ImagesError) {
    self = try bytes.withUnsafeBufferPointer { (buffer) throws(ImagesError) in
      try DecodedPicture(buffer, limits)
    }
  }

  private init(
    _ bytes: UnsafeBufferPointer<UInt8>, _ limits: DecodingLimits
  ) throws(ImagesError) {
    switch try PictureFormat.of(bytes) {
    case .jpeg: self = try JPEGFile(bytes, limits).decode()
    case .png: self = try PNGFile(bytes, limits).decode()
    case .webp: self = try WebPFile.decode(bytes, limits)
    case .gif: self = try GIFFile.decode(bytes, limits)
    case .bmp: self = try BMPFile(bytes, limits).decode()
    }
  }

  init(
    image: RGBImage, format: PictureFormat, colors: ColorKind, orientation: Orientation,
    warning: String?, storedSize: PixelSize? = nil
  ) {
    self.image = image
    self.format = format
    self.colors = colors
    self.orientation = orientation
    self.warning = warning
    self.storedSize = storedSize ?? PixelSize(height: image.height, width: image.width)
  }
}
