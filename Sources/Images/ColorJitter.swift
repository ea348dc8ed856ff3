import Glibc

/// One change of color: factors, 1 for none, and how far colors move along the circle.
package struct JitterParameters: Sendable, Equatable {
  package enum Step: Sendable, CaseIterable {
    case brightness, contrast, saturation, hue
  }

  package var brightness: Float
  package var contrast: Float
  package var saturation: Float
  /// -0.5 to 0.5, of the whole circle.
  package var hue: Float
  package var order: [Step]

  package init(
    brightness: Float = 1, contrast: Float = 1, saturation: Float = 1, hue: Float = 0,
    order: [Step] = Step.allCases
  ) {
    self.brightness = brightness
    self.contrast = contrast
    self.saturation = saturation
    self.hue = hue
    self.order = order
  }
}

extension FloatPicture {
  /// The picture with other colors, as torchvision's `adjust_...` on floats, step by step.
  package func jittered(_ parameters: JitterParameters) -> FloatPicture {
    var picture = self
    for step in parameters.order {
      switch step {
      case .brightness where parameters.brightness != 1:
        picture.blend(parameters.brightness) { _, _, _ in 0 }
      case .contrast where parameters.contrast != 1:
        let mean = picture.meanGray
        picture.blend(parameters.contrast) { _, _, _ in mean }
      case .saturation where parameters.saturation != 1:
        picture.blend(parameters.saturation, gray)
      case .hue where parameters.hue != 0:
        picture.turnHue(by: parameters.hue)
      default: break
      }
    }
    return picture
  }

  /// Every pixel times `factor` plus `1 - factor` times its `other`, cut to 0 to 255.
  @inline(__always)
  private mutating func blend(_ factor: Float, _ other: (Float, Float, Float) -> Float) {
    samples.withUnsafeMutableBufferPointer { samples in
      for start in stride(from: 0, to: samples.count, by: 3) {
        let rest = other(samples[start], samples[start + 1], samples[start + 2]) * (1 - factor)
        for place in start..<start + 3 {
          samples[place] = max(0, min(255, samples[place] * factor + rest))
        }
      }
    }
  }

  private var meanGray: Float {
    var sum = 0.0
    samples.withUnsafeBufferPointer { samples in
      for start in stride(from: 0, to: samples.count, by: 3) {
        sum += Double(gray(samples[start], samples[start + 1], samples[start + 2]))
      }
    }
    return Float(sum / Double(samples.count / 3))
  }

  private mutating func turnHue(by turn: Float) {
    samples.withUnsafeMutableBufferPointer { samples in
      for start in stride(from: 0, to: samples.count, by: 3) {
        let (red, green, blue) = turned(
          samples[start], samples[start + 1], samples[start + 2], by: turn)
        samples[start] = red
        samples[start + 1] = green
        samples[start + 2] = blue
      }
    }
  }
}

@inline(__always)
private func gray(_ red: Float, _ green: Float, _ blue: Float) -> Float {
  0.2989 * red + 0.587 * green + 0.114 * blue
}

/// A color with its hue (of the HSV model) moved; samples 0 to 255.
private func turned(
  _ red: Float, _ green: Float, _ blue: Float, by turn: Float
) -> (Float, Float, Float) {
  let (most, least) = (max(red, green, blue), min(red, green, blue))
  let chroma = most - least
  guard chroma > 0 else { return (red, green, blue) }
  var hue: Float
  if most == red {
    hue = (green - blue) / chroma
  } else if most == green {
    hue = 2 + (blue - red) / chroma
  } else {
    hue = 4 + (red - green) / chroma
  }
  hue = hue / 6 + turn
  hue = (hue - hue.rounded(.down)) * 6
  let sector = hue.rounded(.down)
  let part = hue - sector
  let saturation = chroma / most
  let low = most * (1 - saturation)
  let falling = most * (1 - saturation * part)
  let rising = most * (1 - saturation * (1 - part))
  switch Int(sector) % 6 {
  case 0: return (most, rising, low)
  case 1: return (falling, most, low)
  case 2: return (low, most, rising)
  case 3: return (low, falling, most)
  case 4: return (rising, low, most)
  default: return (most, low, falling)
  }
}

extension FloatPicture {
  /// ImageNet's mean color, which becomes 0 in the preprocessing of most networks.
  package static let meanColor: (red: Float, green: Float, blue: Float) = (123.675, 116.28, 103.53)

  /// The picture with a rectangle of ImageNet's mean color.
  package func erased(_ window: PictureWindow) -> FloatPicture {
    var picture = self
    let color = [Self.meanColor.red, Self.meanColor.green, Self.meanColor.blue]
    picture.samples.withUnsafeMutableBufferPointer { samples in
      for row in window.top..<window.top + window.height {
        for column in window.left..<window.left + window.width {
          for channel in 0..<3 { samples[(row * width + column) * 3 + channel] = color[channel] }
        }
      }
    }
    return picture
  }
}
