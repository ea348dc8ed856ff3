extension RGBImage {
  /// The picture in another size as `tf.image.resize(method="bilinear")` makes it, in Float32.
  ///
  /// Every new pixel is blended from four old ones, so much is lost where a picture shrinks a lot.
  func resizedAsTensorFlow(height newHeight: Int, width newWidth: Int) -> FloatPicture {
    let columns = BlendedPositions(from: width, to: newWidth)
    let rows = BlendedPositions(from: height, to: newHeight)
    let samples = [Float](unsafeUninitializedCapacity: newWidth * newHeight * 3) { target, count in
      pixels.withUnsafeBufferPointer { source in
        var next = target.baseAddress!
        for row in 0..<newHeight {
          let upper = source.baseAddress! + rows.first[row] * width * 3
          let lower = source.baseAddress! + rows.second[row] * width * 3
          for column in 0..<newWidth {
            let (left, right) = (columns.first[column] * 3, columns.second[column] * 3)
            let share = columns.share[column]
            for channel in 0..<3 {
              let top = blend(upper[left + channel], upper[right + channel], share)
              let bottom = blend(lower[left + channel], lower[right + channel], share)
              next[channel] = top + (bottom - top) * rows.share[row]
            }
            next += 3
          }
        }
      }
      count = newWidth * newHeight * 3
    }
    return FloatPicture(width: newWidth, height: newHeight, samples: samples)
  }
}

@inline(__always)
private func blend(_ first: UInt8, _ second: UInt8, _ share: Float) -> Float {
  Float(first) + (Float(second) - Float(first)) * share
}

/// For each new position on an axis, the two old ones that it lies between.
private struct BlendedPositions {
  var first: [Int] = []
  var second: [Int] = []
  /// How far it is to the second, 0 to 1.
  var share: [Float] = []

  init(from oldSize: Int, to newSize: Int) {
    let scale = Float(oldSize) / Float(newSize)
    for position in 0..<newSize {
      let place = (Float(position) + 0.5) * scale - 0.5
      let floor = place.rounded(.down)
      first.append(max(Int(floor), 0))
      second.append(min(Int(place.rounded(.up)), oldSize - 1))
      share.append(place - floor)
    }
  }
}
