import Compute

/// 95 % intervals of metrics by drawing photos anew.
///
/// Of each class as many as there are, with replacement, 1000 times; the interval lies between the
/// 2.5th and the 97.5th percentile of what the draws give (Efron and Tibshirani 1993, "An
/// introduction to the bootstrap", chapter 13), interpolated as numpy does.
///
/// A draw holds some photos twice, so that few photos look further from calibrated than they are: the
/// interval of `ece` may lie above its value.
struct MetricBootstrap {
  static let draws = 1000

  /// In the order of the table's names; nil where a draw gives no number.
  let intervals: [ClosedRange<Double>?]
  /// Whether areas under curves were drawn: with many photos and classes they would take minutes.
  let hasCurves: Bool

  /// - Parameter largest: how many probabilities there may be for areas under curves to be drawn.
  init(_ table: MetricTable, seed: UInt64, largest: Int = 2_000_000) {
    let hasCurves = table.labels.count * table.classNames.count <= largest
    let members = table.classNames.indices.map { label in
      table.labels.indices.filter { table.labels[$0] == label }
    }
    var random = SeededRandom(seed: seed)
    let draws = (0..<Self.draws).map { _ in
      var weights = [Int](repeating: 0, count: table.labels.count)
      for rows in members {
        for _ in rows.indices {
          // Uniform up to 2^-64 of the count.
          let chosen = random.next().multipliedFullWidth(by: UInt64(rows.count)).high
          weights[rows[Int(chosen)]] += 1
        }
      }
      return table.values(weights, withCurves: hasCurves)
    }
    self.hasCurves = hasCurves
    intervals = table.names.indices.map { index in Self.interval(draws.map { $0[index] }) }
  }

  private static func interval(_ values: [Double]) -> ClosedRange<Double>? {
    guard values.allSatisfy(\.isFinite) else { return nil }
    let sorted = values.sorted()
    func percentile(_ share: Double) -> Double {
      let place = share * Double(sorted.count - 1)
      let lower = Int(place)
      let upper = min(lower + 1, sorted.count - 1)
      return sorted[lower] + (sorted[upper] - sorted[lower]) * (place - Double(lower))
    }
    return percentile(0.025)...percentile(0.975)
  }
}
