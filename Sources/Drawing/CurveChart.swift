import Foundation
package import Images

/// Curves over a logarithmic axis, with a line that marks one place on it.
package struct CurveChart {
  /// Points joined by lines.
  package struct Curve {
    package let name: String
    package let color: Color
    package let points: [Point]
    package let width: Double

    /// - Parameter points: with x above 0.
    package init(_ name: String, _ color: Color, _ points: [Point], width: Double = 2) {
      (self.name, self.color, self.points, self.width) = (name, color, points, width)
    }
  }

  package let title: String
  package let xLabel: String
  package let yLabel: String
  package let curves: [Curve]
  /// Where on the x axis the line stands, and what is written beside it.
  package let mark: (x: Double, text: String)?

  package init(
    title: String, xLabel: String, yLabel: String, curves: [Curve],
    mark: (x: Double, text: String)? = nil
  ) {
    precondition(curves.contains { !$0.points.isEmpty }, "a chart needs a point")
    (self.title, self.xLabel, self.yLabel) = (title, xLabel, yLabel)
    (self.curves, self.mark) = (curves, mark)
  }

  private static let size = (width: 900.0, height: 560.0)
  private static let frame = (left: 84.0, top: 64.0, right: 870.0, bottom: 480.0)
  private static let ink = Color(hex: 0x222222)
  private static let faint = Color(hex: 0xDDDDDD)

  /// The chart as a picture of 900 x 560 pixels.
  package func image() -> RGBImage {
    let canvas = Canvas(width: Int(Self.size.width), height: Int(Self.size.height))
    canvas.text(title, at: Point(Self.frame.left, 34), size: 20, color: Self.ink, isBold: true)
    drawAxes(canvas)
    for curve in curves { draw(curve, canvas) }
    drawMark(canvas)
    drawNames(canvas)
    return canvas.image
  }

  private var xRange: (low: Double, high: Double) {
    let exponents = curves.flatMap { $0.points.map { log10($0.x) } }
    let (low, high) = (exponents.min() ?? 0, exponents.max() ?? 1)
    return high > low ? (low, high) : (low - 0.5, high + 0.5)
  }

  private var yRange: (low: Double, high: Double) {
    let values = curves.flatMap { $0.points.map(\.y) }
    let (low, high) = (min(values.min() ?? 0, 0), values.max() ?? 1)
    return (low, high > low ? low + (high - low) * 1.05 : low + 1)
  }

  private func x(_ value: Double) -> Double {
    let (low, high) = xRange
    let share = (log10(value) - low) / (high - low)
    return Self.frame.left + share * (Self.frame.right - Self.frame.left)
  }

  private func y(_ value: Double) -> Double {
    let (low, high) = yRange
    let share = (value - low) / (high - low)
    return Self.frame.bottom - share * (Self.frame.bottom - Self.frame.top)
  }

  private func drawAxes(_ canvas: Canvas) {
    let (low, high) = xRange
    for exponent in Int(low.rounded(.up))...max(Int(high.rounded(.down)), Int(low.rounded(.up))) {
      let place = x(pow(10, Double(exponent)))
      line(canvas, Point(place, Self.frame.top), Point(place, Self.frame.bottom), Self.faint, 1)
      canvas.text(
        "1e\(exponent)", at: Point(place, Self.frame.bottom + 22), size: 14, color: Self.ink,
        anchor: .middle)
    }
    for value in Self.ticks(yRange) {
      let place = y(value)
      line(canvas, Point(Self.frame.left, place), Point(Self.frame.right, place), Self.faint, 1)
      canvas.text(
        Self.short(value), at: Point(Self.frame.left - 10, place + 5), size: 14, color: Self.ink,
        anchor: .end)
    }
    canvas.text(
      xLabel, at: Point((Self.frame.left + Self.frame.right) / 2, Self.frame.bottom + 48),
      size: 15, color: Self.ink, anchor: .middle)
    canvas.placed(
      Point(26, (Self.frame.top + Self.frame.bottom) / 2), angle: -Double.pi / 2
    ) {
      canvas.text(yLabel, at: Point(0, 0), size: 15, color: Self.ink, anchor: .middle)
    }
  }

  private func draw(_ curve: Curve, _ canvas: Canvas) {
    for (index, point) in curve.points.enumerated() {
      let place = Point(x(point.x), y(point.y))
      if index == 0 { canvas.move(place) } else { canvas.line(place) }
    }
    canvas.stroke(curve.color, width: curve.width)
  }

  private func drawMark(_ canvas: Canvas) {
    guard let mark else { return }
    let place = x(mark.x)
    let color = Color(hex: 0xB03030)
    line(canvas, Point(place, Self.frame.top), Point(place, Self.frame.bottom), color, 2)
    let isRight = place > (Self.frame.left + Self.frame.right) / 2
    canvas.text(
      mark.text, at: Point(place + (isRight ? -8 : 8), Self.frame.top + 16), size: 15, color: color,
      isBold: true, anchor: isRight ? .end : .start)
  }

  private func drawNames(_ canvas: Canvas) {
    var place = Self.frame.left
    for curve in curves {
      line(canvas, Point(place, 540), Point(place + 24, 540), curve.color, max(curve.width, 2))
      canvas.text(curve.name, at: Point(place + 32, 545), size: 14, color: Self.ink)
      place += 60 + canvas.textWidth(curve.name, size: 14)
    }
  }

  private func line(
    _ canvas: Canvas, _ start: Point, _ end: Point, _ color: Color, _ width: Double
  ) {
    canvas.move(start)
    canvas.line(end)
    canvas.stroke(color, width: width)
  }

  /// Round numbers within a range, about five of them.
  private static func ticks(_ range: (low: Double, high: Double)) -> [Double] {
    let rough = (range.high - range.low) / 5
    let power = pow(10, log10(rough).rounded(.down))
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? 10 * power
    let first = Int((range.low / step).rounded(.up))
    return (first...max(Int((range.high / step).rounded(.down)), first)).map { Double($0) * step }
  }

  private static func short(_ value: Double) -> String { String(format: "%.3g", value) }
}
