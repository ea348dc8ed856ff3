import Drawing

/// Things that lie about, whatever animal there is.
struct Toys {
  let canvas: Canvas
  let chance: Chance

  /// Draws one thing of about `size` across.
  func draw(at place: Point, size: Double) {
    canvas.placed(place, angle: chance.within(-0.4...0.4), scale: Point(size, size)) {
      switch chance.pick([0, 1, 2, 3]) {
      case 0: yarn()
      case 1: ball()
      case 2: bone()
      default: bowl()
      }
    }
  }

  private var bright: Color { chance.near(Color(hex: chance.pick(Palette.bright))) }

  private func yarn() {
    let color = bright
    canvas.ellipse(Point(0, 0), 0.5, 0.5)
    canvas.fill(around: Point(-0.15, -0.2), radius: 0.7, [color.lighter(0.3), color.darker(0.2)])
    for _ in 0..<7 {
      let angle = chance.within(0...3)
      canvas.ellipse(Point(0, 0), 0.48, chance.within(0.1...0.4), angle: angle)
      canvas.stroke(color.darker(0.35).opacity(0.6), width: 0.03)
    }
  }

  private func ball() {
    let color = bright
    canvas.ellipse(Point(0, 0), 0.45, 0.45)
    canvas.fill(
      around: Point(-0.15, -0.2), radius: 0.6, [color.lighter(0.5), color, color.darker(0.3)])
    canvas.ellipse(Point(0, 0), 0.44, 0.15, angle: 0.4)
    canvas.stroke(.white.opacity(0.8), width: 0.06)
  }

  private func bone() {
    let color = Color(hex: 0xEFE6D2)
    canvas.rectangle(Point(-0.4, -0.1), 0.8, 0.2)
    canvas.fill(color)
    for (x, y) in [(-0.42, -0.12), (-0.42, 0.12), (0.42, -0.12), (0.42, 0.12)] {
      canvas.ellipse(Point(x, y), 0.15, 0.15)
      canvas.fill(color)
    }
  }

  private func bowl() {
    let color = bright
    canvas.polygon([Point(-0.5, 0), Point(0.5, 0), Point(0.38, 0.32), Point(-0.38, 0.32)])
    canvas.fill(color)
    canvas.ellipse(Point(0, 0), 0.5, 0.14)
    canvas.fill(color.darker(0.4))
    canvas.ellipse(Point(0, 0.02), 0.4, 0.09)
    canvas.fill(Color(hex: 0x8C5A33))
  }
}
