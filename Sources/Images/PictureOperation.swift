import Glibc

/// One of RandAugment's operations with its strength, as torchvision applies it to PIL pictures.
package struct PictureOperation: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    case identity = "Identity"
    case shearX = "ShearX"
    case shearY = "ShearY"
    case translateX = "TranslateX"
    case translateY = "TranslateY"
    case rotate = "Rotate"
    case brightness = "Brightness"
    case color = "Color"
    case contrast = "Contrast"
    case sharpness = "Sharpness"
    case posterize = "Posterize"
    case solarize = "Solarize"
    case autoContrast = "AutoContrast"
    case equalize = "Equalize"
  }

  package let kind: Kind
  /// Shear as a tangent, shifts in pixels, turns in degrees, color as what is added to the factor
  /// 1, bits that stay of eight, or the threshold of solarizing.
  package let amount: Double

  package init(_ kind: Kind, amount: Double) {
    self.kind = kind
    self.amount = amount
  }

  /// The operation in one of 31 strengths for a picture of that size; `isNegative` counts where
  /// there are two directions.
  package init(_ kind: Kind, magnitude: Int, isNegative: Bool, height: Int, width: Int) {
    let share = Double(magnitude) / 30
    let sign = isNegative ? -1.0 : 1
    switch kind {
    case .identity, .autoContrast, .equalize: self.init(kind, amount: 0)
    case .shearX, .shearY: self.init(kind, amount: sign * 0.3 * share)
    case .translateX:
      self.init(kind, amount: sign * (150.0 / 331 * Double(width) * share).rounded(.towardZero))
    case .translateY:
      self.init(kind, amount: sign * (150.0 / 331 * Double(height) * share).rounded(.towardZero))
    case .rotate: self.init(kind, amount: sign * 30 * share)
    case .brightness, .color, .contrast, .sharpness:
      self.init(kind, amount: sign * 0.9 * share)
    case .posterize:
      self.init(kind, amount: 8 - (Double(magnitude) / 7.5).rounded(.toNearestOrEven))
    case .solarize: self.init(kind, amount: 255 * (1 - share))
    }
  }
}

extension RGBImage {
  /// The picture after one operation; what comes from beyond the edges is black.
  package func applying(_ operation: PictureOperation) -> RGBImage {
    let amount = operation.amount
    switch operation.kind {
    case .identity: return self
    case .shearX: return picked(by: PickMap(x: (1, tan(atan(amount)), 0), y: (0, 1, 0)))
    case .shearY: return picked(by: PickMap(x: (1, 0, 0), y: (tan(atan(amount)), 1, 0)))
    case .translateX: return picked(by: PickMap(x: (1, 0, -amount), y: (0, 1, 0)))
    case .translateY: return picked(by: PickMap(x: (1, 0, 0), y: (0, 1, -amount)))
    case .rotate: return turned(by: amount)
    case .brightness: return blended(1 + amount) { _, _, _ in 0 }
    case .color: return blended(1 + amount, grayLevel)
    case .contrast:
      let mean = Int(meanGray + 0.5)
      return blended(1 + amount) { _, _, _ in mean }
    case .sharpness: return blended(from: smoothed, Float(1 + amount))
    case .posterize:
      let mask = ~((1 << (8 - Int(amount))) - 1) & 255
      return mapped { _, sample in sample & mask }
    case .solarize: return mapped { _, sample in Double(sample) < amount ? sample : 255 - sample }
    case .autoContrast, .equalize:
      let tables = histograms.map(operation.kind == .equalize ? equalizing : stretching)
      return mapped { channel, sample in tables[channel][sample] }
    }
  }

  // MARK: Moving

  /// The picture turned about its middle, degrees anticlockwise.
  private func turned(by degrees: Double) -> RGBImage {
    let angle = degrees - 360 * (degrees / 360).rounded(.down)
    if angle == 0 { return self }
    // Pillow's angle runs the other way, and it rounds to 15 decimals.
    let radians = -angle * .pi / 180
    let (c, s) = (rounded15(cos(radians)), rounded15(sin(radians)))
    let (middleX, middleY) = (Double(width) / 2, Double(height) / 2)
    return picked(
      by: PickMap(
        x: (c, s, -c * middleX - s * middleY + middleX),
        y: (rounded15(-sin(radians)), c, s * middleX - c * middleY + middleY)))
  }

  /// Takes for each pixel the one that `map` names, black beyond the edges.
  private func picked(by map: PickMap) -> RGBImage {
    pixels.withUnsafeBufferPointer { source in
      RGBImage(width: width, height: height) { target in
        target.update(repeating: 0, count: width * height * 3)
        for row in 0..<height {
          var x = map.xStart + row * map.xByRow
          var y = map.yStart + row * map.yByRow
          for column in 0..<width {
            let (fromX, fromY) = (x >> 16, y >> 16)
            if fromX >= 0, fromX < width, fromY >= 0, fromY < height {
              let from = (fromY * width + fromX) * 3
              let place = (row * width + column) * 3
              for channel in 0..<3 { target[place + channel] = source[from + channel] }
            }
            x += map.xByColumn
            y += map.yByColumn
          }
        }
      }
    }
  }

  // MARK: Color

  /// This picture times `factor` and one made of a level a pixel times `1 - factor`.
  @inline(__always)
  private func blended(_ factor: Double, _ level: (Int, Int, Int) -> Int) -> RGBImage {
    let factor = Float(factor)
    return pixels.withUnsafeBufferPointer { source in
      RGBImage(width: width, height: height) { target in
        for start in stride(from: 0, to: source.count, by: 3) {
          let other = level(Int(source[start]), Int(source[start + 1]), Int(source[start + 2]))
          for place in start..<start + 3 {
            target[place] = blendedSample(other, Int(source[place]), factor)
          }
        }
      }
    }
  }

  private func blended(from other: RGBImage, _ factor: Float) -> RGBImage {
    RGBImage(width: width, height: height) { target in
      for place in pixels.indices {
        target[place] = blendedSample(Int(other.pixels[place]), Int(pixels[place]), factor)
      }
    }
  }

  private func mapped(_ value: (_ channel: Int, _ sample: Int) -> Int) -> RGBImage {
    let tables = (0..<3).flatMap { channel in (0..<256).map { UInt8(value(channel, $0)) } }
    return RGBImage(width: width, height: height) { target in
      for place in pixels.indices { target[place] = tables[place % 3 * 256 + Int(pixels[place])] }
    }
  }

  private var meanGray: Double {
    var sum = 0
    for start in stride(from: 0, to: pixels.count, by: 3) {
      sum += grayLevel(Int(pixels[start]), Int(pixels[start + 1]), Int(pixels[start + 2]))
    }
    return Double(sum) / Double(width * height)
  }

  /// How often each sample value occurs in each channel.
  private var histograms: [[Int]] {
    var counts = [[Int]](repeating: [Int](repeating: 0, count: 256), count: 3)
    for place in pixels.indices { counts[place % 3][Int(pixels[place])] += 1 }
    return counts
  }

  /// A mean over neighbours in which a pixel counts five times; the edges stay.
  private var smoothed: RGBImage {
    RGBImage(width: width, height: height) { target in
      for row in 0..<height {
        for column in 0..<width {
          for channel in 0..<3 {
            let place = (row * width + column) * 3 + channel
            guard row > 0, column > 0, row < height - 1, column < width - 1 else {
              target[place] = pixels[place]
              continue
            }
            var sum = 4 * Int(pixels[place])
            for line in [-width * 3, 0, width * 3] {
              for step in [-3, 0, 3] { sum += Int(pixels[place + line + step]) }
            }
            target[place] = UInt8((Float(sum) / 13 + 0.5).rounded(.down))
          }
        }
      }
    }
  }
}

/// Which old pixel becomes the pixel in a column and row, with 16 bits behind the point.
private struct PickMap {
  let xStart, xByColumn, xByRow, yStart, yByColumn, yByRow: Int

  /// Factors of column and row, and what is added.
  init(x: (Double, Double, Double), y: (Double, Double, Double)) {
    xByColumn = Self.fixed(x.0)
    xByRow = Self.fixed(x.1)
    xStart = Self.fixed(x.2 + x.0 * 0.5 + x.1 * 0.5)
    yByColumn = Self.fixed(y.0)
    yByRow = Self.fixed(y.1)
    yStart = Self.fixed(y.2 + y.0 * 0.5 + y.1 * 0.5)
  }

  private static func fixed(_ value: Double) -> Int { Int((value * 65536 + 0.5).rounded(.down)) }
}

private func rounded15(_ value: Double) -> Double { (value * 1e15).rounded() / 1e15 }

/// The level of gray that Pillow gives a color.
@inline(__always)
private func grayLevel(_ red: Int, _ green: Int, _ blue: Int) -> Int {
  (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
}

/// As Pillow's `blend`: cut, not rounded, to 8 bits.
@inline(__always)
private func blendedSample(_ other: Int, _ sample: Int, _ factor: Float) -> UInt8 {
  let value = Float(other) + factor * Float(sample - other)
  return UInt8(max(0, min(255, value)))
}

/// The levels that bring the least to 0 and the greatest to 255.
private func stretching(_ counts: [Int]) -> [Int] {
  guard let least = counts.firstIndex(where: { $0 > 0 }),
    let most = counts.lastIndex(where: { $0 > 0 }), most > least
  else { return Array(0..<256) }
  let scale = 255 / Double(most - least)
  let offset = -Double(least) * scale
  return (0..<256).map { max(0, min(255, Int(Double($0) * scale + offset))) }
}

/// The levels that occur about equally often.
private func equalizing(_ counts: [Int]) -> [Int] {
  guard let last = counts.last(where: { $0 > 0 }), counts.count(where: { $0 > 0 }) > 1 else {
    return Array(0..<256)
  }
  let step = (counts.reduce(0, +) - last) / 255
  guard step > 0 else { return Array(0..<256) }
  var sum = step / 2
  return counts.map { count in
    defer { sum += count }
    return min(255, sum / step)
  }
}
