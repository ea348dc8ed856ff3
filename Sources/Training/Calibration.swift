/// How often predictions are right, beside how sure they are.
///
/// The probability of the predicted class is sorted into 15 bins of equal width, (i/15, (i+1)/15].
/// The expected calibration error is the mean difference between a bin's accuracy and its mean
/// probability, each photo counting alike (C. Guo and others 2017, https://arxiv.org/abs/1706.04599,
/// equation 3, and 15 bins as there).
package struct Calibration: Sendable, Equatable {
  package static let binCount = 15

  package struct Bin: Sendable, Equatable {
    package let lower: Double
    package let upper: Double
    package let count: Int
    package let right: Int
    /// The mean probability of the predicted classes; nil without photos, as the next two.
    package let confidence: Double?
    package let accuracy: Double?
    /// Of the accuracy, see `wilsonInterval`.
    package let interval: ClosedRange<Double>?
  }

  /// From the least to the greatest probability; empty where some are not numbers.
  package let bins: [Bin]

  init(_ table: MetricTable) {
    guard table.isFinite else {
      bins = []
      return
    }
    let sums = table.binned([Int](repeating: 1, count: table.labels.count))
    let width = 1 / Double(Self.binCount)
    bins = sums.enumerated().map { index, sum in
      let count = Double(sum.count)
      let isEmpty = sum.count == 0
      return Bin(
        lower: Double(index) * width, upper: Double(index + 1) * width, count: sum.count,
        right: sum.right, confidence: isEmpty ? nil : sum.confidence / count,
        accuracy: isEmpty ? nil : Double(sum.right) / count,
        interval: isEmpty ? nil : wilsonInterval(sum.right, of: sum.count))
    }
  }

  /// The bin that a probability belongs to.
  static func bin(_ confidence: Double) -> Int {
    min(max(Int((confidence * Double(binCount)).rounded(.up)) - 1, 0), binCount - 1)
  }
}
