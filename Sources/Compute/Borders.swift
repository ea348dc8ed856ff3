/// How many pixels of zeros a picture gets on each side.
package struct PictureBorder: Sendable, Equatable {
  package let top: Int
  package let bottom: Int
  package let left: Int
  package let right: Int

  package init(top: Int, bottom: Int, left: Int, right: Int) {
    precondition(
      min(top, bottom, left, right) >= 0,
      "borders must not be negative but are \([top, bottom, left, right])")
    (self.top, self.bottom, self.left, self.right) = (top, bottom, left, right)
  }

  /// The shape of a picture `[h, w, c]` with its border.
  package func padded(_ shape: [Int]) -> [Int] {
    [shape[0] + top + bottom, shape[1] + left + right, shape[2]]
  }
}

/// `x [n, h, w, c]` with zeros around each picture.
package func zeroPadded(_ x: Tensor, _ border: PictureBorder) -> Tensor {
  precondition(x.shape.count == 4, "padding needs [n, h, w, c] but got \(x.shape)")
  let picture = Array(x.shape.dropFirst())
  let result = border.padded(picture)
  return Tensor(shape: [x.shape[0]] + result) { y in
    forEachPhoto(x, y, from: picture.reduce(1, *), to: result.reduce(1, *)) { source, target in
      copyPadded(source, picture, border, to: target)
    }
  }
}

/// The gradient of `zeroPadded` for its input `[n, h, w, c]`: the inner part of `dy`.
package func zeroPaddedGradient(_ dy: Tensor, _ border: PictureBorder) -> Tensor {
  precondition(dy.shape.count == 4, "padding needs [n, h, w, c] but got \(dy.shape)")
  let outer = Array(dy.shape.dropFirst())
  let inner = [
    outer[0] - border.top - border.bottom, outer[1] - border.left - border.right, outer[2],
  ]
  let rowCount = inner[1] * inner[2]
  return Tensor(shape: [dy.shape[0]] + inner) { dx in
    forEachPhoto(dy, dx, from: outer.reduce(1, *), to: inner.reduce(1, *)) { source, target in
      for row in 0..<inner[0] {
        (target + row * rowCount).update(
          from: source + ((border.top + row) * outer[1] + border.left) * outer[2],
          count: rowCount)
      }
    }
  }
}

private func forEachPhoto(
  _ x: Tensor, _ y: UnsafeMutablePointer<Float>, from sourceSize: Int, to targetSize: Int,
  _ body: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
) {
  let photoCount = x.shape[0]
  x.scalars.withUnsafeBufferPointer { buffer in
    guard let base = buffer.baseAddress, sourceSize > 0 else { return }
    parallel(photoCount) { photos in
      for photo in photos { body(base + photo * sourceSize, y + photo * targetSize) }
    }
  }
}

/// Copies one picture `[h, w, c]` into the middle of a larger one that is zero around it.
func copyPadded(
  _ source: UnsafePointer<Float>, _ picture: [Int], _ border: PictureBorder,
  to target: UnsafeMutablePointer<Float>
) {
  let channels = picture[2]
  let (inner, outer) = (picture[1] * channels, (picture[1] + border.left + border.right) * channels)
  target.update(repeating: 0, count: border.top * outer)
  for row in 0..<picture[0] {
    let start = target + (border.top + row) * outer
    start.update(repeating: 0, count: border.left * channels)
    (start + border.left * channels).update(from: source + row * inner, count: inner)
    (start + border.left * channels + inner).update(
      repeating: 0, count: border.right * channels)
  }
  (target + (border.top + picture[0]) * outer).update(
    repeating: 0, count: border.bottom * outer)
}
