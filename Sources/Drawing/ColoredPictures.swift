package import Images

extension ColorMap {
  /// Numbers from 0 to 1, row by row, as a picture.
  package func picture(_ values: [Float], width: Int, height: Int) -> RGBImage {
    precondition(
      values.count == width * height,
      "\(width) x \(height) numbers are needed, found \(values.count)")
    var pixels = [UInt8](repeating: 0, count: values.count * 3)
    for index in values.indices {
      let (red, green, blue) = color(values[index])
      pixels[index * 3] = red
      pixels[index * 3 + 1] = green
      pixels[index * 3 + 2] = blue
    }
    return RGBImage(width: width, height: height, pixels: pixels)
  }

  /// A photo under the colours of numbers from 0 to 1, one a pixel.
  ///
  /// Where the number is 0 the photo stays as it is, but for some of its colour and light; towards 1
  /// its colour gives way to that of the number, while its light and dark stay to be seen.
  package func overlay(_ values: [Float], on photo: RGBImage) -> RGBImage {
    precondition(
      values.count == photo.width * photo.height,
      "\(photo.width) x \(photo.height) numbers are needed, found \(values.count)")
    var pixels = photo.pixels
    for index in values.indices {
      let value = values[index]
      let start = index * 3
      let (red, green, blue) = color(value)
      let (r, g, b) = (Float(pixels[start]), Float(pixels[start + 1]), Float(pixels[start + 2]))
      // Rec. 601.
      let light = 0.299 * r + 0.587 * g + 0.114 * b
      let share = 0.06 + 0.64 * value * (2 - value)
      let kept = 0.35 * (1 - share)
      func mixed(_ photo: Float, _ color: UInt8) -> UInt8 {
        let rest = (1 - share - kept) * light + kept * photo
        return UInt8(max(0, min(255, rest + share * Float(color))))
      }
      pixels[start] = mixed(r, red)
      pixels[start + 1] = mixed(g, green)
      pixels[start + 2] = mixed(b, blue)
    }
    return RGBImage(width: photo.width, height: photo.height, pixels: pixels)
  }
}

extension RGBImage {
  /// The picture with a strip below it.
  package func above(_ strip: RGBImage) -> RGBImage {
    precondition(
      strip.width == width, "a strip must be \(width) pixels wide but is \(strip.width)")
    return RGBImage(width: width, height: height + strip.height, pixels: pixels + strip.pixels)
  }
}
