import Compute
import Foundation
import Images

/// A square picture that gradient ascent works on: red, green and blue from 0 to 255.
struct PatternPicture: Sendable {
  let side: Int
  private(set) var samples: [Float]
  /// Whether no gradient ever moved it.
  private(set) var neverMoved = true

  /// About how far a step moves a sample, of 255.
  private static let stepSize: Float = 6
  /// How much of each neighbour a sample takes on after a step.
  private static let blur: Float = 0.04

  init(side: Int, samples: [Float]) {
    (self.side, self.samples) = (side, samples)
  }

  /// Grey with a little noise.
  init(noise side: Int, _ random: inout SeededRandom) {
    self.init(
      side: side,
      samples: (0..<side * side * 3).map { _ in 128 + 20 * (random.uniform() - 0.5) })
  }

  /// The picture moved down and to the right; what leaves it comes in at the other side.
  func rolled(_ down: Int, _ right: Int) -> PatternPicture {
    var result = self
    for row in 0..<side {
      let target = ((row + down) % side + side) % side
      for column in 0..<side {
        let place = ((column + right) % side + side) % side
        for channel in 0..<3 {
          result.samples[(target * side + place) * 3 + channel] =
            samples[(row * side + column) * 3 + channel]
        }
      }
    }
    return result
  }

  func resized(to newSide: Int) -> PatternPicture {
    var result = PatternPicture(
      side: newSide, samples: [Float](repeating: 0, count: newSide * newSide * 3))
    result.neverMoved = neverMoved
    for channel in 0..<3 {
      let plane = stride(from: channel, to: samples.count, by: 3).map { samples[$0] }
      let larger = resizedBilinearly(plane, from: (side, side), to: (newSide, newSide))
      for (index, value) in larger.enumerated() { result.samples[index * 3 + channel] = value }
    }
    return result
  }

  /// Goes a step along the gradient, brought to one length, then blurs; samples stay within 0 and
  /// 255.
  mutating func climb(_ gradient: PatternPicture) {
    var squares = 0.0
    for value in gradient.samples { squares += Double(value) * Double(value) }
    let length = Float((squares / Double(samples.count)).squareRoot())
    guard length > 0, length.isFinite else { return }
    neverMoved = false
    for index in samples.indices {
      samples[index] += Self.stepSize * gradient.samples[index] / length
    }
    soften()
    for index in samples.indices { samples[index] = max(0, min(255, samples[index])) }
  }

  /// Mixes each sample with its four neighbours.
  private mutating func soften() {
    let before = samples
    let row = side * 3
    for y in 1..<side - 1 {
      for place in y * row + 3..<(y + 1) * row - 3 {
        let around =
          before[place - 3] + before[place + 3] + before[place - row] + before[place + row]
        samples[place] = (1 - 4 * Self.blur) * before[place] + Self.blur * around
      }
    }
  }

  /// The picture to look at: its mean brought to the middle and its contrast to a common one.
  var image: RGBImage {
    var (sum, squares) = (0.0, 0.0)
    for sample in samples { sum += Double(sample) }
    let mean = sum / Double(samples.count)
    for sample in samples { squares += (Double(sample) - mean) * (Double(sample) - mean) }
    let deviation = max((squares / Double(samples.count)).squareRoot(), 1e-6)
    let factor = min(55 / deviation, 8)
    return RGBImage(
      width: side, height: side,
      pixels: samples.map {
        UInt8(max(0, min(255, ((Double($0) - mean) * factor + 128).rounded())))
      })
  }
}

extension Preprocessing {
  /// What the network gets for samples from 0 to 255.
  func numbers(_ samples: [Float], side: Int) -> [Float] {
    unsafe Tensor(shape: [side, side, 3]) { target in
      unsafe write(FloatPicture(width: side, height: side, samples: samples), to: target)
    }.scalars
  }

  /// The gradient for samples in red, green and blue, given that for the network's numbers; but for
  /// a factor that all have in common.
  func colors(ofGradient gradient: [Float]) -> [Float] {
    switch self {
    case .tf, .rescale, .none: return gradient
    case .caffe:
      var result = gradient
      for start in stride(from: 0, to: result.count, by: 3) { result.swapAt(start, start + 2) }
      return result
    case .torch:
      let deviations: [Float] = [0.229, 0.224, 0.225]
      return gradient.indices.map { gradient[$0] / deviations[$0 % 3] }
    }
  }
}
