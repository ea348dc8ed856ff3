internal import Compute
import Glibc

/// One change of one photo, in the terms of Keras's `apply_affine_transform` and its companions.
package struct AugmentationParameters: Sendable, Equatable, Codable {
  /// Degrees.
  package var theta = 0.0
  /// Pixels that columns are taken from further right.
  package var tx = 0.0
  /// Pixels that rows are taken from further down.
  package var ty = 0.0
  /// Degrees.
  package var shear = 0.0
  /// The factor for columns, below 1 to come nearer.
  package var zx = 1.0
  /// The factor for rows.
  package var zy = 1.0
  package var flipHorizontal = false
  package var flipVertical = false
  /// What samples are raised by, within what the picture has at most and at least.
  package var channelShift: Double?
  /// The factor for brightness.
  package var brightness: Double?

  package init() {}

  /// Draws every parameter evenly from its range, always in the same order and number, so that one
  /// range does not change what is drawn from another.
  init(_ ranges: Augmentation, height: Int, width: Int, random: inout SeededRandom) {
    func uniform() -> Double { Double(random.next() >> 11) * 0x1p-53 }
    func either(_ range: Double) -> Double { (uniform() * 2 - 1) * range }
    func within(_ range: ClosedRange<Double>) -> Double {
      range.lowerBound + uniform() * (range.upperBound - range.lowerBound)
    }
    func pixels(_ range: Double, of size: Int) -> Double {
      either(range) * (range < 1 ? Double(size) : 1)
    }
    theta = either(ranges.rotation)
    ty = pixels(ranges.heightShift, of: height)
    tx = pixels(ranges.widthShift, of: width)
    shear = either(ranges.shear)
    zx = within(ranges.zoom)
    zy = within(ranges.zoom)
    // Short-circuiting would skip a draw.
    flipHorizontal = uniform() < (ranges.horizontalFlip ? 0.5 : 0)
    flipVertical = uniform() < (ranges.verticalFlip ? 0.5 : 0)
    let shift = either(ranges.channelShift)
    channelShift = ranges.channelShift == 0 ? nil : shift
    brightness = ranges.brightness.map { within($0) }
  }

  /// Whether pixels move otherwise than by mirroring.
  var isAffine: Bool {
    theta != 0 || tx != 0 || ty != 0 || shear != 0 || zx != 1 || zy != 1
  }

  /// Whether the picture stays as it is.
  package var isIdentity: Bool { self == AugmentationParameters() }

  /// Where each pixel comes from.
  func sources(height: Int, width: Int) -> AffineMap {
    let (turn, slant) = (theta * (.pi / 180), shear * (.pi / 180))
    // Rotation, shift, shear and zoom multiplied in this order act on (x, y).
    let (c, s) = (theta == 0 ? 1 : cos(turn), theta == 0 ? 0 : sin(turn))
    let (shiftX, shiftY) = (c * tx - s * ty, s * tx + c * ty)
    let (a, d) = (c * zx, s * zx)
    let b = (c * -sin(slant) - s * cos(slant)) * zy
    let e = (s * -sin(slant) + c * cos(slant)) * zy
    // Keras takes the middle of the rows for x and the middle of the columns for y, though x then
    // runs along the columns: in a picture that is not square the fixed point is off its middle.
    let (middleX, middleY) = (Double(height) / 2 - 0.5, Double(width) / 2 - 0.5)
    return AffineMap(
      rowByRow: e, rowByColumn: d, rowStart: -d * middleX - e * middleY + (shiftY + middleY),
      columnByRow: b, columnByColumn: a,
      columnStart: -a * middleX - b * middleY + (shiftX + middleX))
  }
}

/// Where in the old picture the pixel at a new row and column comes from.
struct AffineMap: Equatable {
  var rowByRow: Double
  var rowByColumn: Double
  var rowStart: Double
  var columnByRow: Double
  var columnByColumn: Double
  var columnStart: Double
}
