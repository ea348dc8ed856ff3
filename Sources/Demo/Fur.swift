import Drawing
import Foundation

/// Draws the parts of one animal: a canvas, its chances and the light that falls on it.
final class Painter {
  let canvas: Canvas
  let chance: Chance
  let animal: Animal
  /// Where the light comes from, about 1 long.
  let lightFrom: Point
  let whiskerColor: Color

  init(_ canvas: Canvas, _ chance: Chance, _ animal: Animal) {
    (self.canvas, self.chance, self.animal) = (canvas, chance, animal)
    let angle = chance.within(-2.6 ... -0.5)
    lightFrom = Point(cos(angle), sin(angle))
    whiskerColor = chance.happens(0.7) ? .white.opacity(0.85) : .black.opacity(0.6)
  }

  /// Fills a shape as fur: lit from one side, with markings and strands, and a soft outline.
  ///
  /// - Parameters:
  ///   - center: about the middle of the shape, which reaches `radius` from there.
  ///   - shape: adds the path; called more than once.
  func fur(
    _ color: Color, _ center: Point, _ radius: Point, markings: () -> Void = {},
    shape: () -> Void
  ) {
    let spot = Point(
      center.x + lightFrom.x * radius.x * 0.5, center.y + lightFrom.y * radius.y * 0.5)
    shape()
    canvas.fill(
      around: spot, radius: max(radius.x, radius.y) * 1.7,
      [color.lighter(0.16), color, color.darker(0.32)], keeping: true)
    canvas.clipped {
      markings()
      strands(color, center, radius)
    }
    shape()
    canvas.stroke(color.darker(0.5).opacity(0.55), width: 0.035)
  }

  /// Short strokes of nearly the fur's colour.
  private func strands(_ color: Color, _ center: Point, _ radius: Point) {
    let count = Int(min(radius.x * radius.y * 90, 220)) + 8
    for number in 0..<count {
      let x = center.x + chance.within(-1...1) * radius.x
      let y = center.y + chance.within(-1...1) * radius.y
      let length = chance.within(0.08...0.2)
      let lean = chance.within(-0.6...0.6)
      canvas.move(Point(x, y))
      canvas.line(Point(x + lean * length, y + length))
      let shade = number % 2 == 0 ? color.lighter(0.3) : color.darker(0.35)
      canvas.stroke(shade.opacity(0.35), width: 0.022)
    }
  }

  /// Stripes or patches over a part of the body.
  func markings(_ center: Point, _ radius: Point) {
    switch animal.pattern {
    case .striped: stripes(center, radius)
    case .patched: patches(center, radius)
    case .dark:
      canvas.ellipse(Point(center.x, center.y - radius.y * 0.75), radius.x, radius.y * 0.6)
      canvas.fill(animal.dark.opacity(0.75))
    case .plain, .bib: break
    }
  }

  private func stripes(_ center: Point, _ radius: Point) {
    let count = max(3, Int(radius.x * 4))
    for number in 0..<count {
      let x = center.x + (Double(number) + 0.5 - Double(count) / 2) * 2 * radius.x / Double(count)
      let bend = chance.within(-0.15...0.15)
      canvas.move(Point(x, center.y - radius.y))
      canvas.curve(
        Point(x + bend, center.y - radius.y * 0.6), Point(x - bend, center.y - radius.y * 0.3),
        Point(x + bend, center.y + radius.y * chance.within(-0.1...0.5)))
      canvas.stroke(animal.dark.opacity(0.8), width: chance.within(0.08...0.14))
    }
  }

  private func patches(_ center: Point, _ radius: Point) {
    for number in 0..<4 {
      let place = Point(
        center.x + chance.within(-0.9...0.9) * radius.x,
        center.y + chance.within(-0.9...0.9) * radius.y)
      let size = chance.within(0.18...0.42)
      canvas.ellipse(
        place, size * chance.within(0.8...1.4), size, angle: chance.within(0...3))
      canvas.fill(number % 2 == 0 ? animal.dark.opacity(0.9) : animal.light.opacity(0.9))
    }
  }

  /// A line of changing width along a curve: tails and ears' edges.
  func tail(
    _ points: (Point, Point, Point, Point), from start: Double, to end: Double, color: Color,
    tip: Color
  ) {
    let steps = 28
    for step in 0...steps {
      let t = Double(step) / Double(steps)
      let place = bezier(points, t)
      let width = start + (end - start) * t
      canvas.ellipse(place, width / 2, width / 2)
      canvas.fill(t > 0.78 ? tip : color.mixed(color.darker(0.25), t * 0.6))
      guard step % 2 == 0 else { continue }
      canvas.move(place)
      canvas.line(
        Point(
          place.x + chance.within(-0.7...0.7) * width, place.y + chance.within(-0.7...0.7) * width))
      canvas.stroke(color.darker(0.35).opacity(0.5), width: 0.03)
    }
  }

  private func bezier(_ p: (Point, Point, Point, Point), _ t: Double) -> Point {
    let u = 1 - t
    func part(_ a: Double, _ b: Double, _ c: Double, _ d: Double) -> Double {
      u * u * u * a + 3 * u * u * t * b + 3 * u * t * t * c + t * t * t * d
    }
    return Point(
      part(p.0.x, p.1.x, p.2.x, p.3.x), part(p.0.y, p.1.y, p.2.y, p.3.y))
  }
}
