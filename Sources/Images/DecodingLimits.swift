import Foundation

/// What a photo file may ask for before it is decoded.
package struct DecodingLimits: Sendable, Equatable {
  /// A picture that claims more pixels is refused before memory is taken.
  package var pixels: Int
  /// The least size to which JPEG files may be reduced while they are decoded, nil for none.
  ///
  /// Faster, with other pixels.
  package var reducedTo: PixelSize?

  package init(pixels: Int = RGBImage.pixelLimit, reducedTo: PixelSize? = nil) {
    self.pixels = pixels
    self.reducedTo = reducedTo
  }

  /// Refuses sizes that no picture has or that would take too much memory.
  func check(width: Int, height: Int, format: PictureFormat) throws(ImagesError) {
    if width <= 0 || height <= 0 {
      throw .damaged(format: format, reason: "its size is \(width) x \(height)")
    }
    if width > pixels / height {
      throw .tooManyPixels(width: width, height: height, limit: pixels)
    }
  }
}

/// A height and a width.
package struct PixelSize: Sendable, Equatable {
  package var height: Int
  package var width: Int

  package init(height: Int, width: Int) { (self.height, self.width) = (height, width) }
}

/// Large pictures are decoded one after the other: as many at once as there are cores would take
/// as many times the memory.
enum LargePictures {
  private static let lock = NSLock()
  /// Pixels from which a picture counts as large.
  private static let threshold = 40_000_000

  static func decoding<T>(
    pixels: Int, _ body: () throws(ImagesError) -> T
  ) throws(ImagesError) -> T {
    guard pixels > threshold else { return try body() }
    lock.lock()
    defer { lock.unlock() }
    return try body()
  }
}
