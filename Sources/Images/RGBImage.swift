/// A picture of 8-bit red, green and blue samples, interleaved, rows from the top.
package struct RGBImage: Sendable, Equatable {
  package let width: Int
  package let height: Int
  /// `height * width * 3` samples: row, column, then red, green, blue.
  package let pixels: [UInt8]

  /// How many pixels a photo may claim where nothing else is said (Pillow's limit).
  package static let pixelLimit = 178_956_970

  package init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(
      width > 0 && height > 0 && pixels.count == width * height * 3,
      "an RGB picture of \(width) x \(height) needs \(width * height * 3) samples but got "
        + "\(pixels.count)")
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// A picture whose samples `fill` writes, all of them; nothing is cleared before.
  init(width: Int, height: Int, filledBy fill: (UnsafeMutablePointer<UInt8>) -> Void) {
    let count = width * height * 3
    let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let base = buffer.baseAddress { fill(base) }
      initialized = count
    }
    self.init(width: width, height: height, pixels: pixels)
  }
}
