import Glibc

/// How a picture is brought to another size; the raw values are Pillow's and Keras's names.
package enum Interpolation: String, Sendable, CaseIterable, Codable {
  /// The pixel in whose area the new pixel's middle lies; Keras's default.
  case nearest
  // The next five weigh neighbours, all that a new pixel covers when shrinking, as Pillow does.
  case bilinear
  case bicubic
  case lanczos
  case box
  case hamming
  /// Between the four pixels around, however much the picture shrinks, and not rounded to 8 bits:
  /// what Keras's `image_dataset_from_directory` does.
  case tfBilinear = "tf-bilinear"

  /// The filter of the kinds that are Pillow's and not `nearest`.
  var filter: ResamplingFilter? {
    switch self {
    case .nearest, .tfBilinear: nil
    case .bilinear: .triangle
    case .bicubic: .cubic
    case .lanczos: .lanczos
    case .box: .box
    case .hamming: .hamming
    }
  }
}

/// A filter that weighs neighbours: its reach in pixels and the weight at a distance.
struct ResamplingFilter: Sendable {
  var support: Double
  var weight: @Sendable (Double) -> Double

  static let triangle = ResamplingFilter(support: 1) { max(0, 1 - abs($0)) }

  /// Keys 1981 with a = -1/2.
  static let cubic = ResamplingFilter(support: 2) { distance in
    let (a, x) = (-0.5, abs(distance))
    if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
  }

  /// Three lobes.
  static let lanczos = ResamplingFilter(support: 3) { distance in
    -3 <= distance && distance < 3 ? sinc(distance) * sinc(distance / 3) : 0
  }

  /// Only one of two pixels at the same distance counts.
  static let box = ResamplingFilter(support: 0.5) { -0.5 < $0 && $0 <= 0.5 ? 1 : 0 }

  static let hamming = ResamplingFilter(support: 1) { distance in
    let x = abs(distance)
    return x < 1 ? sinc(x) * (0.54 + 0.46 * cos(x * .pi)) : 0
  }

  private static func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(x * .pi) / (x * .pi) }
}

/// For each new position on one axis, which old positions count and how much.
///
/// The weights are 8-bit fixed-point arithmetic's: scaled by 2^22, rounded, as Pillow does, so that
/// sums of 8-bit samples fit 32 bits.
struct AxisWeights {
  static let fractionBits: Int32 = 22

  /// Where each new position's old positions start.
  let starts: [Int32]
  /// How many they are.
  let counts: [Int32]
  /// Their weights, `stride` places for each new position.
  let weights: [Int32]
  let stride: Int

  init(from oldSize: Int, to newSize: Int, _ filter: ResamplingFilter) {
    let scale = Double(oldSize) / Double(newSize)
    // When shrinking the filter is widened, so that every old pixel counts.
    let widening = max(scale, 1)
    let reach = filter.support * widening
    let inverse = 1 / widening
    stride = Int(reach.rounded(.up)) * 2 + 1
    var starts: [Int32] = []
    var counts: [Int32] = []
    var weights = [Int32](repeating: 0, count: newSize * stride)
    for position in 0..<newSize {
      let center = (Double(position) + 0.5) * scale
      let start = max(Int(center - reach + 0.5), 0)
      let end = min(Int(center + reach + 0.5), oldSize)
      let exact = (start..<end).map {
        filter.weight((Double($0 - start) + Double(start) - center + 0.5) * inverse)
      }
      let sum = exact.reduce(0, +)
      for (index, weight) in exact.enumerated() {
        weights[position * stride + index] = Self.fixedPoint(sum == 0 ? weight : weight / sum)
      }
      starts.append(Int32(start))
      counts.append(Int32(end - start))
    }
    self.starts = starts
    self.counts = counts
    self.weights = weights
  }

  private static func fixedPoint(_ weight: Double) -> Int32 {
    Int32((weight * Double(1 << fractionBits)).rounded(.toNearestOrAwayFromZero))
  }
}
