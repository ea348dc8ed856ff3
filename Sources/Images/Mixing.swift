/// A target that is not all one class.
package struct LabelMixture: Sendable, Equatable {
  /// The class of the photo that was mixed in.
  package var label: Int
  /// The share of the photo's own class; the other has the rest.
  package var share: Float

  package init(label: Int, share: Float) { (self.label, self.share) = (label, share) }
}

/// How two photos become one example.
package struct Mixing: Sendable {
  /// The photo that is mixed in.
  package var partner: Photo
  /// The first photo's share in the example's target.
  package var share: Float
  /// Where the partner's pixels are taken unchanged; nil blends all pixels.
  package var window: PictureWindow?

  /// Blends: `share * first + (1 - share) * partner`.
  package init(partner: Photo, share: Float) {
    self.partner = partner
    self.share = share
  }

  /// Pastes a rectangle around `middle` whose area is about `1 - share` of the picture; the share
  /// that counts is what remains after the edges cut it.
  package init(partner: Photo, share: Double, middle: (y: Int, x: Int), height: Int, width: Int) {
    let reach = 0.5 * (1 - share).squareRoot()
    let (halfHeight, halfWidth) = (Int(reach * Double(height)), Int(reach * Double(width)))
    let (top, left) = (max(middle.y - halfHeight, 0), max(middle.x - halfWidth, 0))
    let window = PictureWindow(
      top: top, left: left, height: min(middle.y + halfHeight, height) - top,
      width: min(middle.x + halfWidth, width) - left)
    self.partner = partner
    self.window = window
    self.share = Float(1 - Double(window.height * window.width) / Double(height * width))
  }

  /// The mixed picture of two of one size.
  package func mixed(_ first: FloatPicture, _ second: FloatPicture) -> FloatPicture {
    precondition(first.width == second.width && first.height == second.height)
    var mixed = first
    mixed.samples.withUnsafeMutableBufferPointer { target in
      second.samples.withUnsafeBufferPointer { other in
        guard let window else {
          for index in target.indices {
            target[index] = target[index] * share + other[index] * (1 - share)
          }
          return
        }
        for row in window.top..<window.top + window.height {
          let start = (row * first.width + window.left) * 3
          for index in start..<start + window.width * 3 { target[index] = other[index] }
        }
      }
    }
    return mixed
  }
}
