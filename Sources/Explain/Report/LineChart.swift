/// Numbers over the epochs as an SVG drawing, to be told apart without colour: the first series is a
/// full line with dots, the second a dashed one with open squares.
struct LineChart {
  struct Series {
    let name: String
    /// One for each epoch; the line is broken where there is none.
    let values: [Double?]
  }

  let title: String
  let epochs: [Int]
  let series: [Series]
  let axis: Axis
  /// The index of an epoch to mark.
  let best: Int?
  let stages: [ReportHistory.Stage]

  /// One unit is a pixel where the drawing has its own size; it is made for 300 to 420 of width.
  private static let size = (width: 380.0, height: 256.0)
  private static let plot = (left: 46.0, right: 368.0, top: 42.0, bottom: 220.0)
  /// With more epochs than this the marks would cover the line.
  private static let mostMarks = 40

  var svg: String {
    let (width, height) = (Int(Self.size.width), Int(Self.size.height))
    let body = [grid, stageMarks, bestMark] + series.indices.map(curve) + [legend]
    return """
      <svg class="chart" viewBox="0 0 \(width) \(height)" role="img" \
      aria-label="\(HTMLPage.escaped(description))">
      \(body.joined(separator: "\n"))
      </svg>
      """
  }

  /// The chart in words, for those who do not see it.
  private var description: String {
    let parts = series.map { series in
      let values = series.values.compactMap { $0 }
      guard let first = values.first, let last = values.last else { return series.name }
      return "\(series.name) from \(short(first)) to \(short(last))"
    }
    return "\(title) over \(epochs.count) epoch\(epochs.count == 1 ? "" : "s"): "
      + parts.joined(separator: ", ")
  }

  private func short(_ value: Double) -> String {
    abs(value) < 0.01 ? ReportNumber.scientific(value) : ReportNumber.fixed(value, 3)
  }

  private var horizontal: Axis { .epochs(epochs) }

  private func x(_ epoch: Int) -> Double {
    Self.plot.left + horizontal.share(Double(epoch)) * (Self.plot.right - Self.plot.left)
  }

  private func y(_ value: Double) -> Double {
    let share = min(max(axis.share(value), 0), 1)
    return Self.plot.bottom - share * (Self.plot.bottom - Self.plot.top)
  }

  private var grid: String {
    var lines: [String] = []
    for tick in axis.ticks {
      let y = SVG.number(y(tick))
      lines.append(SVG.line(Self.plot.left, y, Self.plot.right, y, "grid"))
      lines.append(
        SVG.text(axis.label(tick), Self.plot.left - 6, self.y(tick) + 4, "tick", anchor: "end"))
    }
    for tick in horizontal.ticks {
      let x = x(Int(tick))
      lines.append(
        SVG.line(x, SVG.number(Self.plot.bottom), x, SVG.number(Self.plot.bottom + 4), "axis"))
      lines.append(SVG.text("\(Int(tick))", x, Self.plot.bottom + 17, "tick", anchor: "middle"))
    }
    let bottom = SVG.number(Self.plot.bottom)
    lines.append(SVG.line(Self.plot.left, bottom, Self.plot.right, bottom, "axis"))
    lines.append(
      SVG.text(
        "epoch", (Self.plot.left + Self.plot.right) / 2, Self.size.height - 4, "tick",
        anchor: "middle"))
    return lines.joined(separator: "\n")
  }

  /// A line before the first epoch of each later stage, with the stage's name.
  private var stageMarks: String {
    stages.filter { $0.start > 0 && $0.start < epochs.count }.map { stage in
      let x = (x(epochs[stage.start - 1]) + x(epochs[stage.start])) / 2
      let (top, bottom) = (SVG.number(Self.plot.top), SVG.number(Self.plot.bottom))
      return SVG.line(x, top, x, bottom, "grid")
        + SVG.text(stage.name, x + 4, Self.plot.bottom - 5, "tick", anchor: "start")
    }.joined(separator: "\n")
  }

  private var bestMark: String {
    guard let best, epochs.count > 1 else { return "" }
    let x = x(epochs[best])
    let isRight = x > (Self.plot.left + Self.plot.right) / 2
    let (top, bottom) = (SVG.number(Self.plot.top - 5), SVG.number(Self.plot.bottom))
    return SVG.line(x, top, x, bottom, "best")
      + SVG.text(
        "best: \(epochs[best])", x + (isRight ? 4 : -4), Self.plot.top - 9, "mark",
        anchor: isRight ? "end" : "start")
  }

  private func curve(_ index: Int) -> String {
    let name = Self.classes[index]
    var runs: [[(Double, Double)]] = [[]]
    for (epoch, value) in zip(epochs, series[index].values) {
      if let value { runs[runs.count - 1].append((x(epoch), y(value))) } else { runs.append([]) }
    }
    let lines = runs.filter { $0.count > 1 }.map { run in
      let points = run.map { "\(SVG.number($0.0)),\(SVG.number($0.1))" }.joined(separator: " ")
      return "<polyline class=\"line \(name)\" points=\"\(points)\"/>"
    }
    let marked = epochs.count <= Self.mostMarks ? runs.joined().map { $0 } : []
    return (lines + marked.map { SVG.mark($0.0, $0.1, name) }).joined(separator: "\n")
  }

  private var legend: String {
    guard series.count > 1 else { return "" }
    var left = Self.plot.left
    return series.indices.map { index in
      defer { left += 50 + 6.6 * Double(series[index].name.count) }
      let name = Self.classes[index]
      return "<polyline class=\"line \(name)\" points=\"\(SVG.number(left)),14 "
        + "\(SVG.number(left + 28)),14\"/>"
        + SVG.mark(left + 14, 14, name)
        + SVG.text(series[index].name, left + 34, 18, "name", anchor: "start")
    }.joined(separator: "\n")
  }

  private static let classes = ["first", "second"]
}

/// Pieces of SVG.
enum SVG {
  /// A coordinate to a tenth of a pixel.
  static func number(_ value: Double) -> String {
    let text = ReportNumber.fixed(value, 1)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  static func line(
    _ x1: Double, _ y1: String, _ x2: Double, _ y2: String, _ name: String
  ) -> String {
    "<line class=\"\(name)\" x1=\"\(number(x1))\" y1=\"\(y1)\" x2=\"\(number(x2))\" y2=\"\(y2)\"/>"
  }

  static func text(
    _ text: String, _ x: Double, _ y: Double, _ name: String, anchor: String
  ) -> String {
    "<text class=\"\(name)\" x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">"
      + "\(HTMLPage.escaped(text))</text>"
  }

  /// The mark of a series' point: a dot, or an open square.
  static func mark(_ x: Double, _ y: Double, _ name: String) -> String {
    name == "first"
      ? "<circle class=\"dot \(name)\" cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"2.6\"/>"
      : "<rect class=\"dot \(name)\" x=\"\(number(x - 2.8))\" y=\"\(number(y - 2.8))\" "
        + "width=\"5.6\" height=\"5.6\"/>"
  }
}
