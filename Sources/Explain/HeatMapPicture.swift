import Drawing
package import Images

/// A heat map over its photo, in the photo's own size, with a strip below that says what it shows.
package struct HeatMapPicture: Sendable {
  /// The class and its probability, such as `dogs 0.9987`.
  package let title: String
  /// How the map was made, such as `Grad-CAM of block5_conv3`; left out where there is no room.
  package let detail: String
  /// One number for each pixel of the photo, 0 to 1.
  package let values: [Float]

  package init(title: String, detail: String, values: [Float]) {
    (self.title, self.detail, self.values) = (title, detail, values)
  }

  /// The widest strip; beyond it the rest of the strip stays empty.
  private static let widest = 8192

  /// The picture, as wide as the photo and as high with the strip.
  package func image(on photo: RGBImage) -> RGBImage {
    let overlay = ColorMap.magma.overlay(values, on: photo)
    return overlay.above(strip(width: photo.width, photoHeight: photo.height))
  }

  private func strip(width: Int, photoHeight: Int) -> RGBImage {
    let size = Double(max(10, min(22, min(photoHeight, width) / 18)))
    let height = Int(size * 1.9)
    let canvas = Canvas(width: min(width, Self.widest), height: height)
    canvas.cover(Self.background)
    let baseline = Double(height) * 0.5 + size * 0.36
    let room = Double(canvas.width) - 2 * size * 0.5
    canvas.text(
      title, at: Point(size * 0.5, baseline), size: size, color: .white, isBold: true, limit: room)
    let used = canvas.textWidth(title, size: size, isBold: true)
    scale(canvas, size: size, from: size * 1.5 + used)
    return canvas.image.widened(to: width)
  }

  /// The detail and the colours from low to high at the right, if there is room for them.
  private func scale(_ canvas: Canvas, size: Double, from left: Double) {
    let small = size * 0.8
    let height = Double(canvas.height)
    let right = Double(canvas.width) - size * 0.5
    let barWidth = size * 4
    guard right - barWidth > left else { return }
    let colors = ColorMap.magma.picture((0..<64).map { Float($0) / 63 }, width: 64, height: 1)
    canvas.picture(
      colors, at: Point(right - barWidth, height * 0.5 - small * 0.35), width: barWidth,
      height: small * 0.7, isSmooth: true)
    let end = right - barWidth - size * 0.5
    guard end - canvas.textWidth(detail, size: small) > left else { return }
    canvas.text(
      detail, at: Point(end, height * 0.5 + small * 0.36), size: small,
      color: Color(hex: 0xC8C8C8), anchor: .end)
  }

  static let background = Color(hex: 0x1B1B22)
}

extension RGBImage {
  /// The picture with its last column repeated to the right.
  fileprivate func widened(to newWidth: Int) -> RGBImage {
    guard newWidth > width else { return self }
    var result: [UInt8] = []
    result.reserveCapacity(newWidth * height * 3)
    for row in 0..<height {
      let line = pixels[row * width * 3..<(row + 1) * width * 3]
      result += line
      for _ in width..<newWidth { result += line.suffix(3) }
    }
    return RGBImage(width: newWidth, height: height, pixels: result)
  }
}
