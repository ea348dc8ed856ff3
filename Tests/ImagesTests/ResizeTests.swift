import Images
import Testing

/// Resizing against Pillow's `resize`; tolerance 0 though 1 would be allowed.
@Suite struct ResizeTests {
  private struct Case {
    var source: String
    var width: Int
    var height: Int
    var interpolation: Interpolation

    /// Takes apart names such as `rgb.png-36x10-nearest.rgb`.
    init(_ name: String) {
      let parts = name.dropLast(4).split(separator: "-")
      let sizes = parts[parts.count - 2].split(separator: "x").map { Int($0)! }
      source = parts.dropLast(2).joined(separator: "-")
      (width, height) = (sizes[0], sizes[1])
      interpolation = Interpolation(rawValue: String(parts.last!))!
    }
  }

  @Test(arguments: Fixtures.names(in: "Resized"))
  func pixelsEqualPillows(_ name: String) throws {
    let test = Case(name)
    let image = try Fixtures.decoded("Photos/\(test.source)").image
    expectSame(
      image.resized(height: test.height, width: test.width, test.interpolation),
      try Fixtures.rgb("Resized/\(name)"), name)
  }

  @Test func allFiltersAndManySizesAreCovered() {
    let cases = Fixtures.names(in: "Resized").map(Case.init)
    for interpolation in Interpolation.allCases where interpolation != .tfBilinear {
      #expect(cases.count { $0.interpolation == interpolation } >= 14)
    }
  }

  /// A naive bilinear resize in floating point, each axis rounded: at most 1 off.
  @Test(arguments: [(31, 17), (80, 3), (1, 90), (64, 24), (201, 199)])
  func agreesWithANaiveResize(_ width: Int, _ height: Int) throws {
    let image = try Fixtures.decoded("Photos/progressive.jpg").image
    let across = naive(image, height: image.height, width: width)
    expectSame(
      image.resized(height: height, width: width, .bilinear),
      naive(across, height: height, width: width), tolerance: 1, "\(width) x \(height)")
  }

  private func naive(_ image: RGBImage, height: Int, width: Int) -> RGBImage {
    let rows = weights(image.height, height)
    let columns = weights(image.width, width)
    var pixels: [UInt8] = []
    for row in rows {
      for column in columns {
        for channel in 0..<3 {
          var sum = 0.0
          for (y, vertical) in row {
            for (x, horizontal) in column {
              let sample = image.pixels[(y * image.width + x) * 3 + channel]
              sum += vertical * horizontal * Double(sample)
            }
          }
          pixels.append(UInt8(min(255, max(0, sum.rounded()))))
        }
      }
    }
    return RGBImage(width: width, height: height, pixels: pixels)
  }

  private func weights(_ oldSize: Int, _ newSize: Int) -> [[(Int, Double)]] {
    let scale = Double(oldSize) / Double(newSize)
    if oldSize == newSize { return (0..<oldSize).map { [($0, 1)] } }
    return (0..<newSize).map { position in
      let center = (Double(position) + 0.5) * scale - 0.5
      let all = (0..<oldSize).map { ($0, max(0, 1 - abs(Double($0) - center) / max(scale, 1))) }
      let sum = all.reduce(0) { $0 + $1.1 }
      return all.filter { $0.1 > 0 }.map { ($0.0, $0.1 / sum) }
    }
  }
}
