import Foundation

/// One axis of a chart: its range and the numbers that are written on it.
package struct Axis: Equatable, Sendable {
  package let low: Double
  package let high: Double
  package let ticks: [Double]
  let isLogarithmic: Bool

  /// Where a value lies, 0 at the low end and 1 at the high end.
  func share(_ value: Double) -> Double {
    guard isLogarithmic else { return (value - low) / (high - low) }
    return (log10(value) - log10(low)) / (log10(high) - log10(low))
  }

  /// An axis with about five ticks at multiples of 1, 2 or 5 times a power of ten.
  ///
  /// - Parameters:
  ///   - start: where it begins; nil for the tick below the least value.
  ///   - limit: what it does not go beyond.
  package static func linear(_ values: [Double], from start: Double? = nil, limit: Double? = nil)
    -> Axis
  {
    let least = start ?? values.min() ?? 0
    let most = values.max() ?? 1
    let range = most > least ? most - least : max(abs(most), 1e-12)
    let step = niceStep(range / 4)
    let low = start ?? (least / step).rounded(.down) * step
    // A step more where the greatest value lies on the edge would be empty.
    let top = ((most - step * 1e-6) / step).rounded(.up) * step
    let high = max(min(top, limit ?? .infinity), low + step)
    let count = Int(((high - low) / step + 1e-6).rounded(.down))
    return Axis(
      low: low, high: high, ticks: (0...count).map { low + Double($0) * step },
      isLogarithmic: false)
  }

  /// An axis from one power of ten to another, for values above 0.
  package static func logarithmic(_ values: [Double]) -> Axis {
    let low = log10(values.min() ?? 1).rounded(.down)
    let high = max(log10(values.max() ?? 1).rounded(.up), low + 1)
    let step = max(1, ((high - low) / 5).rounded(.up))
    return Axis(
      low: pow(10, low), high: pow(10, high),
      ticks: stride(from: low, through: high, by: step).map { pow(10, $0) }, isLogarithmic: true)
  }

  /// The epochs of a run, with the first, and so few that their numbers do not touch.
  package static func epochs(_ epochs: [Int]) -> Axis {
    let (first, last) = (Double(epochs.first ?? 1), Double(epochs.last ?? 1))
    guard last > first else {
      return Axis(low: first - 1, high: first + 1, ticks: [first], isLogarithmic: false)
    }
    let step = max(1, niceStep((last - first) / 6))
    let multiples = stride(from: (first / step).rounded(.up) * step, through: last, by: step)
    let ticks = multiples.filter { $0 == first || $0 - first > step * 0.45 }
    return Axis(
      low: first, high: last, ticks: ticks.first == first ? ticks : [first] + ticks,
      isLogarithmic: false)
  }

  /// The least of 1, 2 and 5 times a power of ten that is not below a number above 0.
  static func niceStep(_ least: Double) -> Double {
    let power = pow(10, log10(least).rounded(.down))
    return [1.0, 2, 5, 10].first { $0 * power >= least * (1 - 1e-9) }.map { $0 * power }
      ?? 10 * power
  }

  /// The text of a tick.
  package func label(_ tick: Double) -> String {
    if isLogarithmic { return ReportNumber.scientific(tick) }
    let step = ticks.count > 1 ? ticks[1] - ticks[0] : max(abs(tick), 1)
    if high < 0.01 { return tick == 0 ? "0" : ReportNumber.scientific(tick) }
    return ReportNumber.fixed(tick, max(0, Int(-log10(step * 1.0001).rounded(.down))))
  }
}

/// Numbers as the report writes them.
package enum ReportNumber {
  static func fixed(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
  }

  /// Such as `2e-5` or `1.5e-4`.
  package static func scientific(_ value: Double) -> String {
    guard value != 0, value.isFinite else { return "0" }
    let exponent = Int(log10(abs(value) * (1 + 1e-12)).rounded(.down))
    let digits = fixed(value / pow(10, Double(exponent)), 2)
    let short = digits.hasSuffix(".00") ? String(digits.dropLast(3)) : digits
    let trimmed = short.contains(".") && short.hasSuffix("0") ? String(short.dropLast()) : short
    return exponent == 0 ? trimmed : "\(trimmed)e\(exponent)"
  }

  /// A share as percent with one decimal.
  static func percent(_ share: Double) -> String { fixed(share * 100, 1) + " %" }

  static func range(_ interval: ClosedRange<Double>, _ digits: Int = 3) -> String {
    "\(fixed(interval.lowerBound, digits)) to \(fixed(interval.upperBound, digits))"
  }

  /// A probability; one that is not 1 is not written as 1.
  static func probability(_ value: Float) -> String {
    let text = fixed(Double(value), 3)
    if text == "1.000", value < 1 { return "> 0.999" }
    if text == "0.000", value > 0 { return "< 0.001" }
    return text
  }

  /// Such as `2 h 5 min`, `3 min 20 s` or `4.2 s`.
  package static func duration(_ seconds: Double) -> String {
    if seconds < 59.5 { return fixed(seconds, seconds < 10 ? 1 : 0) + " s" }
    let whole = Int(seconds.rounded())
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}
