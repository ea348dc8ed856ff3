/// By what pictures are recognized though their size, quality or format is another.
///
/// A difference hash: 128 bits that say which of two neighbouring cells of a coarse grid is
/// brighter, 64 across and 64 down; and the coarse colors, as flat pictures have no clear bits.
package struct PictureLikeness: Sendable, Equatable {
  /// Bits for neighbours side by side, and one above the other.
  package let across: UInt64
  package let down: UInt64
  /// The mean colors of a grid of 4 x 4 cells.
  private let colors: [UInt8]

  /// How many bits may differ in near-same pictures.
  static let bitLimit = 7
  /// How much the coarse colors of near-same pictures may differ in the mean.
  static let colorLimit = 8

  package init(_ image: RGBImage) {
    let wide = Self.grays(image.resized(height: 8, width: 9, .box))
    let tall = Self.grays(image.resized(height: 9, width: 8, .box))
    var (across, down): (UInt64, UInt64) = (0, 0)
    for row in 0..<8 {
      for column in 0..<8 {
        let bit: UInt64 = 1 << UInt64(row * 8 + column)
        if wide[row * 9 + column] < wide[row * 9 + column + 1] { across |= bit }
        if tall[row * 8 + column] < tall[(row + 1) * 8 + column] { down |= bit }
      }
    }
    self.across = across
    self.down = down
    colors = image.resized(height: 4, width: 4, .box).pixels
  }

  private static func grays(_ image: RGBImage) -> [Int] {
    stride(from: 0, to: image.pixels.count, by: 3).map {
      Int(image.pixels[$0]) * 299 + Int(image.pixels[$0 + 1]) * 587
        + Int(image.pixels[$0 + 2]) * 114
    }
  }

  /// How many bits differ, 0 to 128.
  package func distance(to other: PictureLikeness) -> Int {
    (across ^ other.across).nonzeroBitCount + (down ^ other.down).nonzeroBitCount
  }

  package func isNearSame(as other: PictureLikeness) -> Bool {
    guard distance(to: other) <= Self.bitLimit else { return false }
    // A picture made a little brighter or darker is still the same.
    let (mine, theirs) = (Double(max(total, 1)), Double(max(other.total, 1)))
    let factor = min(max(mine / theirs, 0.75), 4.0 / 3)
    var sum = 0.0
    for index in colors.indices {
      sum += abs(Double(colors[index]) - Double(other.colors[index]) * factor)
    }
    return sum <= Double(Self.colorLimit * colors.count)
  }

  private var total: Int { colors.reduce(0) { $0 + Int($1) } }

  /// The hash in eight parts: near-same pictures have at least one in common.
  var parts: [UInt16] {
    [across, down].flatMap { half in
      stride(from: 0, to: 64, by: 16).map { UInt16(truncatingIfNeeded: half >> UInt64($0)) }
    }
  }
}
