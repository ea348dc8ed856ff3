import Training

/// A reliability diagram as SVG: how often predictions of a probability were right.
struct CalibrationFigure {
  let calibration: Calibration

  private static let plot = (left: 46.0, right: 366.0, top: 24.0, bottom: 266.0)
  private static let counts = (top: 278.0, bottom: 316.0)

  private func x(_ share: Double) -> Double {
    Self.plot.left + share * (Self.plot.right - Self.plot.left)
  }

  private func y(_ share: Double) -> Double {
    Self.plot.bottom - share * (Self.plot.bottom - Self.plot.top)
  }

  var svg: String {
    """
    <svg class="chart" viewBox="0 0 380 350" role="img" aria-label="Reliability diagram">
    \(grid)
    \(calibration.bins.map(bar).joined(separator: "\n"))
    <line class="diagonal" x1="\(SVG.number(x(0)))" y1="\(SVG.number(y(0)))" \
    x2="\(SVG.number(x(1)))" y2="\(SVG.number(y(1)))"/>
    \(calibration.bins.map(whisker).joined(separator: "\n"))
    \(histogram)
    </svg>
    """
  }

  private var grid: String {
    var lines: [String] = []
    for tick in stride(from: 0.0, through: 1.0, by: 0.2) {
      let label = ReportNumber.fixed(tick, 1)
      let height = SVG.number(y(tick))
      lines.append(SVG.line(Self.plot.left, height, Self.plot.right, height, "grid"))
      lines.append(SVG.text(label, Self.plot.left - 6, y(tick) + 4, "tick", anchor: "end"))
      lines.append(
        SVG.text(label, x(tick), Self.counts.bottom + 15, "tick", anchor: "middle"))
    }
    lines.append(SVG.text("share right", Self.plot.left, 12, "tick", anchor: "start"))
    lines.append(
      SVG.text(
        "probability of the predicted class", x(0.5), Self.counts.bottom + 30, "tick",
        anchor: "middle"))
    return lines.joined(separator: "\n")
  }

  private func bar(_ bin: Calibration.Bin) -> String {
    guard let accuracy = bin.accuracy else { return "" }
    let (left, top) = (x(bin.lower) + 1, y(accuracy))
    return "<rect class=\"bar\" x=\"\(SVG.number(left))\" y=\"\(SVG.number(top))\" "
      + "width=\"\(SVG.number(x(bin.upper) - left - 1))\" "
      + "height=\"\(SVG.number(Self.plot.bottom - top))\"/>"
  }

  /// The interval of a bin's accuracy at its mean probability.
  private func whisker(_ bin: Calibration.Bin) -> String {
    guard let accuracy = bin.accuracy, let confidence = bin.confidence, let interval = bin.interval
    else { return "" }
    let middle = x(confidence)
    return SVG.line(
      middle, SVG.number(y(interval.lowerBound)), middle, SVG.number(y(interval.upperBound)),
      "whisker")
      + "<circle class=\"point\" cx=\"\(SVG.number(middle))\" cy=\"\(SVG.number(y(accuracy)))\" "
      + "r=\"3\"><title>\(bin.right) of \(bin.count) right</title></circle>"
  }

  /// How many predictions there are of each probability.
  private var histogram: String {
    let most = Double(max(calibration.bins.map(\.count).max() ?? 1, 1))
    let bars = calibration.bins.filter { $0.count > 0 }.map { bin in
      let height = Double(bin.count) / most * (Self.counts.bottom - Self.counts.top)
      let left = x(bin.lower) + 1
      return "<rect class=\"count\" x=\"\(SVG.number(left))\" "
        + "y=\"\(SVG.number(Self.counts.bottom - height))\" "
        + "width=\"\(SVG.number(x(bin.upper) - left - 1))\" height=\"\(SVG.number(height))\"/>"
    }
    let bottom = SVG.number(Self.counts.bottom)
    return
      (bars + [
        SVG.line(Self.plot.left, bottom, Self.plot.right, bottom, "axis"),
        SVG.text("photos", Self.plot.left - 6, Self.counts.bottom - 4, "tick", anchor: "end"),
      ]).joined(separator: "\n")
  }
}
