internal import Compute
import Glibc

/// Which random numbers are drawn: each kind of change has its own, so that one range does not
/// change what is drawn from another.
enum DrawKind: UInt8 {
  case crop = 1
  case operations, jitter, erasing, mixing
}

extension AugmentedView {
  /// The part of a photo of that size that is scaled to the frame, nil without random crops.
  func crop(for path: String, height: Int, width: Int) -> PictureWindow? {
    guard let crop = augmentation.crop else { return nil }
    var random = random(for: path, .crop)
    let area = Double(height * width)
    for _ in 0..<10 {
      let part = area * random.uniform(in: crop.scale)
      let ratio = random.exponentialUniform(in: crop.ratio)
      let partWidth = Int((part * ratio).squareRoot().rounded(.toNearestOrEven))
      let partHeight = Int((part / ratio).squareRoot().rounded(.toNearestOrEven))
      if partWidth > 0, partWidth <= width, partHeight > 0, partHeight <= height {
        return PictureWindow(
          top: Int(random.next(upperBound: UInt64(height - partHeight + 1))),
          left: Int(random.next(upperBound: UInt64(width - partWidth + 1))), height: partHeight,
          width: partWidth)
      }
    }
    return crop.middle(height: height, width: width)
  }

  /// The operations of RandAugment for a picture of that size.
  func operations(for path: String, height: Int, width: Int) -> [PictureOperation] {
    guard let ranges = augmentation.randAugment else { return [] }
    var random = random(for: path, .operations)
    return (0..<ranges.count).map { _ in
      let kind = PictureOperation.Kind.allCases[
        Int(random.next(upperBound: UInt64(PictureOperation.Kind.allCases.count)))]
      let isNegative = random.next() >> 63 == 1
      return PictureOperation(
        kind, magnitude: ranges.magnitude, isNegative: isNegative, height: height, width: width)
    }
  }

  /// Color factors and the order in which they are applied.
  func jitter(for path: String) -> JitterParameters? {
    guard let ranges = augmentation.jitter else { return nil }
    var random = random(for: path, .jitter)
    func factor(_ amount: Double) -> Double {
      random.uniform(in: max(0, 1 - amount)...(1 + amount))
    }
    let brightness = factor(ranges.brightness)
    let contrast = factor(ranges.contrast)
    let saturation = factor(ranges.saturation)
    let hue = random.uniform(in: -ranges.hue...ranges.hue)
    let order = JitterParameters.Step.allCases.shuffled(using: &random)
    return JitterParameters(
      brightness: Float(brightness), contrast: Float(contrast), saturation: Float(saturation),
      hue: Float(hue), order: order)
  }

  /// The rectangle that is erased, if one is.
  func erasing(for path: String, height: Int, width: Int) -> PictureWindow? {
    guard let ranges = augmentation.erasing else { return nil }
    var random = random(for: path, .erasing)
    guard random.uniform(in: 0...1) < ranges.probability else { return nil }
    for _ in 0..<10 {
      let area = Double(height * width) * random.uniform(in: ranges.scale)
      let ratio = random.exponentialUniform(in: ranges.ratio)
      let partHeight = Int((area * ratio).squareRoot().rounded(.toNearestOrEven))
      let partWidth = Int((area / ratio).squareRoot().rounded(.toNearestOrEven))
      if partHeight < height, partWidth < width, partHeight > 0, partWidth > 0 {
        return PictureWindow(
          top: Int(random.next(upperBound: UInt64(height - partHeight + 1))),
          left: Int(random.next(upperBound: UInt64(width - partWidth + 1))), height: partHeight,
          width: partWidth)
      }
    }
    return nil
  }

  /// Which photo is mixed in, and how.
  func mixing(for photo: Photo, height: Int, width: Int) -> Mixing? {
    guard let ranges = augmentation.mixing, !partners.isEmpty else { return nil }
    var random = random(for: photo.relativePath, .mixing)
    let partner = partners[Int(random.next(upperBound: UInt64(partners.count)))]
    let takesCut = random.next() >> 63 == 1
    if let alpha = ranges.cutmix, takesCut || ranges.mixup == nil {
      return Mixing(
        partner: partner, share: random.beta(alpha),
        middle: (
          y: Int(random.next(upperBound: UInt64(height))),
          x: Int(random.next(upperBound: UInt64(width)))
        ), height: height, width: width)
    }
    return ranges.mixup.map { Mixing(partner: partner, share: Float(random.beta($0))) }
  }
}

extension RandomCrop {
  /// The largest part from the middle whose ratio is in the range, for photos of odd shapes.
  fileprivate func middle(height: Int, width: Int) -> PictureWindow {
    let shape = Double(width) / Double(height)
    var (partHeight, partWidth) = (height, width)
    if shape < ratio.lowerBound {
      partHeight = Int((Double(width) / ratio.lowerBound).rounded(.toNearestOrEven))
    } else if shape > ratio.upperBound {
      partWidth = Int((Double(height) * ratio.upperBound).rounded(.toNearestOrEven))
    }
    return PictureWindow(
      top: (height - partHeight) / 2, left: (width - partWidth) / 2, height: max(1, partHeight),
      width: max(1, partWidth))
  }
}

extension SeededRandom {
  mutating func uniform(in range: ClosedRange<Double>) -> Double {
    range.lowerBound
      + Double(next() >> 11) * 0x1p-53 * (range.upperBound - range.lowerBound)
  }

  /// Uniform in the logarithm.
  mutating func exponentialUniform(in range: ClosedRange<Double>) -> Double {
    exp(uniform(in: log(range.lowerBound)...log(range.upperBound)))
  }

  /// Beta(alpha, alpha), as the share of one of two gamma variables.
  mutating func beta(_ alpha: Double) -> Double {
    let (first, second) = (gamma(alpha), gamma(alpha))
    return first + second > 0 ? first / (first + second) : 0.5
  }

  /// Gamma(shape, 1) (Marsaglia and Tsang 2000).
  private mutating func gamma(_ shape: Double) -> Double {
    if shape < 1 {
      return gamma(shape + 1) * pow(max(uniform(in: 0...1), 0x1p-53), 1 / shape)
    }
    let d = shape - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = Double(normal())
      let v = pow(1 + c * x, 3)
      guard v > 0 else { continue }
      let u = max(uniform(in: 0...1), 0x1p-53)
      if log(u) < x * x / 2 + d - d * v + d * log(v) { return d * v }
    }
  }
}
