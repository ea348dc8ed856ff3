import Drawing
import Foundation
import Training

extension RateCurve {
  /// About twenty of the points.
  var table: TextTable {
    var table = TextTable([.number("learning rate"), .number("loss"), .number("smoothed")])
    let stride = max(points.count / 20, 1)
    for (index, point) in points.enumerated()
    where index % stride == 0 || index == points.count - 1 {
      table.add([short(point.rate), decimal(point.loss, 4), decimal(point.smoothed, 4)])
    }
    return table
  }

  var verdict: String {
    guard let suggestion, let lowest else {
      return "no rate can be suggested: the loss does not fall; try a higher --to or more --steps"
    }
    return "suggested learning rate: \(short(suggestion)), where the loss falls fastest; it is "
      + "lowest at \(short(lowest.rate))"
      + (hasDiverged ? " and grows beyond \(short(points.last?.rate ?? 0))" : "")
  }

  var chart: CurveChart {
    func line(_ value: (Point) -> Double) -> [Drawing.Point] {
      // One loss far above the others would leave no room for them.
      let top = 1.5 * (points.map(\.smoothed).max() ?? 1)
      return points.map { Drawing.Point($0.rate, min(value($0), top)) }
    }
    return CurveChart(
      title: "Loss over the learning rate", xLabel: "learning rate", yLabel: "loss",
      curves: [
        .init("loss of a batch", Color(hex: 0xB8C8DC), line(\.loss), width: 1),
        .init("smoothed", Color(hex: 0x1F5FA8), line(\.smoothed), width: 3),
      ], mark: suggestion.map { ($0, "suggested: \(short($0))") })
  }

  private func short(_ value: Double) -> String { String(format: "%.2g", value) }
}

/// What `--json` prints.
struct RateReport: Encodable {
  let suggestion: Double?
  let lowest: Double?
  let diverged: Bool
  let points: [RateCurve.Point]

  init(_ curve: RateCurve) {
    suggestion = curve.suggestion
    lowest = curve.lowest?.rate
    diverged = curve.hasDiverged
    points = curve.points
  }
}
