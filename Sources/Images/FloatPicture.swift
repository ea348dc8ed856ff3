/// A picture between decoding and the network whose samples, 0 to 255, need not be whole numbers.
package struct FloatPicture: Sendable, Equatable {
  package let width: Int
  package let height: Int
  /// `height * width * 3` samples: row, column, then red, green, blue.
  package var samples: [Float]

  package init(width: Int, height: Int, samples: [Float]) {
    precondition(
      width > 0 && height > 0 && samples.count == width * height * 3,
      "an RGB picture of \(width) x \(height) needs \(width * height * 3) samples but got "
        + "\(samples.count)")
    self.width = width
    self.height = height
    self.samples = samples
  }

  /// The same samples, exactly.
  package init(_ image: RGBImage) {
    self.init(width: image.width, height: image.height, samples: image.pixels.map(Float.init))
  }

  /// The nearest 8-bit picture, for looking at.
  package var rounded: RGBImage {
    RGBImage(
      width: width, height: height,
      pixels: samples.map { UInt8(max(0, min(255, $0.rounded()))) })
  }
}

extension RGBImage {
  /// The picture after one random change, as Keras's `apply_transform` with linear interpolation.
  ///
  /// - Parameter fillValue: the sample beyond the edges with the fill mode `.constant`.
  package func augmented(
    _ parameters: AugmentationParameters, fill: FillMode = .nearest, fillValue: Float = 0
  ) -> FloatPicture {
    var picture =
      parameters.isAffine
      ? moved(parameters.sources(height: height, width: width), fill, fillValue)
      : FloatPicture(self)
    if let shift = parameters.channelShift { picture.shiftChannels(by: Float(shift)) }
    if parameters.flipHorizontal { picture.flipHorizontally() }
    if parameters.flipVertical { picture.flipVertically() }
    if let factor = parameters.brightness { picture.brighten(by: Float(factor)) }
    return picture
  }
}

extension FloatPicture {
  private var bounds: (least: Float, most: Float) {
    samples.withUnsafeBufferPointer { samples in
      samples.reduce((samples[0], samples[0])) { (min($0.0, $1), max($0.1, $1)) }
    }
  }

  /// Adds to every sample without leaving what the picture had at least and at most.
  fileprivate mutating func shiftChannels(by shift: Float) {
    let (least, most) = bounds
    samples.withUnsafeMutableBufferPointer { samples in
      for index in samples.indices {
        samples[index] = min(max(samples[index] + shift, least), most)
      }
    }
  }

  mutating func flipHorizontally() {
    let width = width
    samples.withUnsafeMutableBufferPointer { samples in
      for row in 0..<height {
        var (left, right) = (row * width * 3, (row * width + width - 1) * 3)
        while left < right {
          for channel in 0..<3 { samples.swapAt(left + channel, right + channel) }
          left += 3
          right -= 3
        }
      }
    }
  }

  fileprivate mutating func flipVertically() {
    let rowSize = width * 3
    samples.withUnsafeMutableBufferPointer { samples in
      for row in 0..<height / 2 {
        let (upper, lower) = (row * rowSize, (height - 1 - row) * rowSize)
        for place in 0..<rowSize { samples.swapAt(upper + place, lower + place) }
      }
    }
  }

  /// Multiplies as Pillow does: cut to 8 bits before and after.
  ///
  /// A picture that leaves 0 ... 255 (its fill value did) is stretched into it before, and back.
  fileprivate mutating func brighten(by factor: Float) {
    let (least, most) = bounds
    let isOutside = least < 0 || most > 255
    let top = most - least
    samples.withUnsafeMutableBufferPointer { samples in
      for index in samples.indices {
        var sample = samples[index]
        if isOutside {
          sample -= least
          if top != 0 { sample /= top }
          sample *= 255
        }
        let bright = factor * Float(Int(sample))
        sample = Float(Int(max(0, min(255, bright))))
        samples[index] = isOutside ? sample / 255 * top + least : sample
      }
    }
  }
}
