import Glibc

/// How a picture is brought to another size.
package enum Interpolation: String, Sendable, CaseIterable, Codable {
  /// The pixel in whose area the new pixel's middle lies; Keras's default.
  case nearest
  /// A weighted mean over neighbours, over all that a new pixel covers when shrinking.
  case bilinear
}

/// A filter that weighs neighbours: its reach in pixels and the weight at a distance.
struct ResamplingFilter: Sendable {
  var support: Double
  var weight: @Sendable (Double) -> Double

  static let triangle = ResamplingFilter(support: 1) { max(0, 1 - abs($0)) }
}

/// For each new position on one axis, which old positions count and how much.
///
/// The weights are 8-bit fixed-point arithmetic's: scaled by 2^22, rounded, as Pillow does, so that
/// sums of 8-bit samples fit 32 bits.
struct AxisWeights {
  static let fractionBits: Int32 = 22

  /// Where each new position's old positions start.
  let starts: [Int]
  /// How many they are.
  let counts: [Int]
  /// Their weights, `stride` places for each new position.
  let weights: [Int32]
  let stride: Int

  init(from oldSize: Int, to newSize: Int, _ filter: ResamplingFilter) {
    let scale = Double(oldSize) / Double(newSize)
    // When shrinking the filter is widened, so that every old pixel counts.
    let widening = max(scale, 1)
    let reach = filter.support * widening
    stride = Int(reach.rounded(.up)) * 2 + 1
    var starts: [Int] = []
    var counts: [Int] = []
    var weights = [Int32](repeating: 0, count: newSize * stride)
    for position in 0..<newSize {
      let center = (Double(position) + 0.5) * scale
      let start = max(Int(center - reach + 0.5), 0)
      let end = min(Int(center + reach + 0.5), oldSize)
      let exact = (start..<end).map { filter.weight((Double($0) - center + 0.5) / widening) }
      let sum = exact.reduce(0, +)
      for (index, weight) in exact.enumerated() {
        weights[position * stride + index] = Self.fixedPoint(sum == 0 ? weight : weight / sum)
      }
      starts.append(start)
      counts.append(end - start)
    }
    self.starts = starts
    self.counts = counts
    self.weights = weights
  }

  private static func fixedPoint(_ weight: Double) -> Int32 {
    Int32((weight * Double(1 << fractionBits)).rounded(.toNearestOrAwayFromZero))
  }
}
