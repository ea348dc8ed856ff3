import Compute
import Foundation
import Images

/// What a camera adds: exposure, white balance, uneven light, blur and noise.
struct Development {
  private let gains: [Float]
  private let contrast: Float
  /// How the light changes across the picture, to the right and down.
  private let slope: (x: Float, y: Float)
  private let vignette: Float
  private let noise: Float
  private let isBlurred: Bool
  private let seed: UInt64

  init(_ chance: Chance) {
    let exposure = exp(chance.within(-0.5...0.22))
    let warmth = chance.within(-0.1...0.1)
    let tint = chance.within(-0.04...0.04)
    gains = [exposure * (1 + warmth), exposure * (1 + tint), exposure * (1 - warmth)].map {
      Float($0)
    }
    contrast = Float(chance.within(0.7...1.15))
    slope = (Float(chance.within(-0.45...0.45)), Float(chance.within(-0.3...0.3)))
    vignette = Float(chance.within(0...0.45))
    noise = Float(chance.within(2...11))
    isBlurred = chance.happens(0.25)
    seed = UInt64(chance.within(0...1e9))
  }

  func develop(_ image: RGBImage) -> RGBImage {
    let (width, height) = (image.width, image.height)
    var random = SeededRandom(seed: seed)
    var pixels = isBlurred ? blurred(image) : image.pixels
    for y in 0..<height {
      let down = Float(y) / Float(height) - 0.5
      for x in 0..<width {
        let right = Float(x) / Float(width) - 0.5
        let light =
          (1 + slope.x * right + slope.y * down)
          * (1 - vignette * 2 * (right * right + down * down))
        // The same grain in all channels and a little of their own, as photos have.
        let grain = spread(random.next()) * noise
        let own = random.next()
        for channel in 0..<3 {
          let index = (y * width + x) * 3 + channel
          let value = (Float(pixels[index]) - 128) * contrast + 128
          let extra = (Float(own >> UInt64(16 * channel) & 0xFFFF) / 65535 - 0.5) * noise * 1.4
          pixels[index] = UInt8(min(max(value * gains[channel] * light + grain + extra, 0), 255))
        }
      }
    }
    return RGBImage(width: width, height: height, pixels: pixels)
  }

  /// About normal with deviation 1: the sum of four 16-bit parts, which is quick.
  private func spread(_ bits: UInt64) -> Float {
    let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
    return (Float(sum) / 65535 - 2) * 1.732
  }

  /// The mean of 3 x 3 pixels; those at the edges stay.
  private func blurred(_ image: RGBImage) -> [UInt8] {
    var result = image.pixels
    let row = image.width * 3
    for y in 1..<max(image.height - 1, 1) {
      for index in (y * row + 3)..<((y + 1) * row - 3) {
        var sum = 0
        for offset in [-row, 0, row] {
          sum += Int(image.pixels[index + offset - 3]) + Int(image.pixels[index + offset])
          sum += Int(image.pixels[index + offset + 3])
        }
        result[index] = UInt8(sum / 9)
      }
    }
    return result
  }
}
