import Drawing
import Foundation

extension Painter {
  /// The head, its middle at the origin and about 1 wide to each side.
  func head() {
    canvas.placed(Point(0, 0), angle: animal.tilt) {
      switch animal.species {
      case .cat: catHead()
      case .dog: dogHead()
      }
    }
  }

  /// The same on the left and on the right; `body` gets -1 and 1.
  private func bothSides(_ body: (Double) -> Void) {
    body(-1)
    body(1)
  }

  // MARK: - Cat

  private func catHead() {
    bothSides(pointedEar)
    fur(animal.fur, Point(0, 0), Point(1, 0.85), markings: { faceMarkings(Point(1, 0.85)) }) {
      let width = animal.stout
      canvas.blob([
        Point(0, -0.8), Point(0.6 * width, -0.68), Point(0.95 * width, -0.1),
        Point(1.05 * width, 0.32), Point(0.6, 0.7), Point(0, 0.82), Point(-0.6, 0.7),
        Point(-1.05 * width, 0.32), Point(-0.95 * width, -0.1), Point(-0.6 * width, -0.68),
      ])
    }
    let x = animal.glance
    bothSides { side in
      canvas.ellipse(Point(x + side * 0.2, 0.4), 0.27, 0.21)
      canvas.fill(animal.light.opacity(0.9))
    }
    canvas.ellipse(Point(x, 0.6), 0.18, 0.13)
    canvas.fill(animal.light.opacity(0.9))
    bothSides { eye(Point(x * 0.6 + $0 * 0.42, -0.12), isCat: true) }
    canvas.polygon([Point(x - 0.11, 0.2), Point(x + 0.11, 0.2), Point(x, 0.32)])
    canvas.fill(chance.near(Color(hex: 0xD98C8C)))
    mouth(Point(x, 0.32), width: 0.2, drop: 0.12)
    whiskers(x)
  }

  private func pointedEar(_ side: Double) {
    let height = 1.15 + 0.25 * animal.tall
    let lean = chance.within(-0.08...0.08)
    let tip = Point(side * (0.72 + lean), -height)
    fur(animal.fur, Point(side * 0.6, -0.8), Point(0.35, 0.5)) {
      canvas.move(Point(side * 0.95, -0.2))
      canvas.curve(Point(side * 0.98, -0.6), Point(side * 0.85, -1), tip)
      canvas.curve(
        Point(side * 0.5, -1.05), Point(side * 0.3, -0.85), Point(side * 0.15, -0.68))
      canvas.close()
    }
    canvas.polygon([
      Point(side * 0.8, -0.5), Point(tip.x * 0.98, -height + 0.22), Point(side * 0.36, -0.74),
    ])
    canvas.fill(chance.near(Color(hex: 0xD9A0A0, alpha: 0.75)))
  }

  private func whiskers(_ x: Double) {
    for side in [-1.0, 1] {
      for row in 0..<3 {
        let y = 0.36 + Double(row) * 0.07
        let reach = chance.within(0.95...1.35)
        canvas.move(Point(x + side * 0.28, y))
        canvas.curve(
          Point(x + side * 0.6, y - 0.06), Point(x + side * reach * 0.8, y - 0.05),
          Point(x + side * reach, y + (Double(row) - 1) * 0.22 + chance.within(-0.05...0.1)))
        canvas.stroke(whiskerColor, width: 0.022)
      }
    }
  }

  // MARK: - Dog

  private func dogHead() {
    if animal.ears != .floppy { bothSides(standingEar) }
    fur(animal.fur, Point(0, 0), Point(0.9, 0.95), markings: { faceMarkings(Point(0.9, 0.95)) }) {
      let width = animal.stout
      canvas.blob([
        Point(0, -0.85), Point(0.55 * width, -0.75), Point(0.84 * width, -0.2),
        Point(0.64 * width, 0.42), Point(0.44, 0.82), Point(0, 0.95), Point(-0.44, 0.82),
        Point(-0.64 * width, 0.42), Point(-0.84 * width, -0.2), Point(-0.55 * width, -0.75),
      ])
    }
    if animal.ears == .floppy { bothSides(hangingEar) }
    let x = animal.glance * 1.4
    let length = 0.4 * animal.tall
    if chance.happens(0.5) { tongue(Point(x + chance.within(-0.1...0.1), 0.45 + length)) }
    canvas.ellipse(Point(x, 0.46), 0.44 * animal.stout, length)
    canvas.fill(
      around: Point(x, 0.36), radius: 0.6, [animal.light, animal.light.mixed(animal.fur, 0.35)])
    bothSides { eye(Point(x * 0.4 + $0 * 0.37, -0.15), isCat: false) }
    canvas.ellipse(Point(x, 0.25), 0.19, 0.14)
    canvas.fill(Color(hex: 0x241C1A))
    canvas.ellipse(Point(x - 0.05, 0.2), 0.05, 0.03)
    canvas.fill(.white.opacity(0.6))
    mouth(Point(x, 0.38), width: 0.3, drop: 0.24)
  }

  private func hangingEar(_ side: Double) {
    let drop = 0.45 * animal.tall + chance.within(-0.1...0.25)
    fur(animal.dark.mixed(animal.fur, 0.5), Point(side, -0.1), Point(0.35, 0.7)) {
      canvas.blob([
        Point(side * 0.45, -0.78), Point(side * 0.95, -0.72), Point(side * 1.2, -0.2),
        Point(side * 1.18, drop), Point(side * 0.9, drop + 0.08), Point(side * 0.8, -0.15),
        Point(side * 0.62, -0.5),
      ])
    }
  }

  private func standingEar(_ side: Double) {
    let height = animal.ears == .upright ? 1.3 : 1.0
    fur(animal.fur, Point(side * 0.62, -0.8), Point(0.35, 0.5)) {
      canvas.blob([
        Point(side * 0.22, -0.62), Point(side * 0.42, -height * 0.85),
        Point(side * 0.66, -height), Point(side * 0.86, -height * 0.82),
        Point(side * 0.86, -0.3),
      ])
    }
    if animal.ears == .upright {
      canvas.ellipse(Point(side * 0.62, -0.86), 0.12, 0.28, angle: side * 0.15)
      canvas.fill(chance.near(Color(hex: 0xC99A94, alpha: 0.7)))
    } else {
      // The tip is folded forward.
      fur(animal.dark.mixed(animal.fur, 0.4), Point(side * 0.75, -0.72), Point(0.3, 0.25)) {
        canvas.polygon([
          Point(side * 0.42, -0.92), Point(side * 0.92, -0.88), Point(side * 0.86, -0.42),
        ])
      }
    }
  }

  private func tongue(_ place: Point) {
    canvas.ellipse(place, 0.15, chance.within(0.2...0.34))
    canvas.fill(Color(hex: 0xD9737F))
    canvas.move(place)
    canvas.line(Point(place.x, place.y + 0.18))
    canvas.stroke(Color(hex: 0xB04F5C), width: 0.03)
  }

  // MARK: - Both

  private func eye(_ place: Point, isCat: Bool) {
    let size = isCat ? Point(0.22, 0.17) : Point(0.15, 0.15)
    guard !animal.isAsleep else {
      canvas.move(Point(place.x - size.x, place.y))
      canvas.curve(
        Point(place.x - 0.1, place.y + 0.12), Point(place.x + 0.1, place.y + 0.12),
        Point(place.x + size.x, place.y))
      canvas.stroke(animal.dark.darker(0.5), width: 0.05)
      return
    }
    canvas.ellipse(place, size.x + 0.035, size.y + 0.035, angle: isCat ? place.x * 0.6 : 0)
    canvas.fill(animal.dark.darker(0.6))
    canvas.ellipse(place, size.x, size.y, angle: isCat ? place.x * 0.6 : 0)
    canvas.fill(around: place, radius: size.x, [animal.eyes.darker(0.2), animal.eyes.lighter(0.2)])
    let pupil = isCat ? Point(0.06, 0.15) : Point(0.09, 0.09)
    canvas.ellipse(Point(place.x + animal.glance * 0.15, place.y), pupil.x, pupil.y)
    canvas.fill(Color(hex: 0x120E0C))
    canvas.ellipse(Point(place.x - 0.05, place.y - 0.06), 0.04, 0.04)
    canvas.fill(.white.opacity(0.9))
  }

  private func mouth(_ start: Point, width: Double, drop: Double) {
    for side in [-1.0, 1] {
      canvas.move(start)
      canvas.line(Point(start.x, start.y + drop))
      canvas.curve(
        Point(start.x + side * width * 0.3, start.y + drop + 0.1),
        Point(start.x + side * width * 0.8, start.y + drop + 0.08),
        Point(start.x + side * width, start.y + drop - 0.02))
      canvas.stroke(animal.dark.darker(0.5).opacity(0.8), width: 0.035)
    }
  }

  private func faceMarkings(_ radius: Point) {
    switch animal.pattern {
    case .striped:
      for number in -2...2 {
        let x = Double(number) * 0.17
        canvas.move(Point(x, -0.85))
        canvas.line(Point(x * 0.8, -0.45 + abs(x) * 0.3))
        canvas.stroke(animal.dark.opacity(0.8), width: 0.07)
      }
    case .patched:
      let side = animal.glance < 0 ? -1.0 : 1
      canvas.ellipse(Point(side * 0.42, -0.2), 0.42, 0.5, angle: side * 0.3)
      canvas.fill(animal.dark.opacity(0.85))
    case .bib:
      canvas.polygon([Point(-0.12, -0.9), Point(0.12, -0.9), Point(0.5, 0.95), Point(-0.5, 0.95)])
      canvas.fill(animal.light.opacity(0.8))
    case .dark:
      canvas.ellipse(Point(0, 0.35), radius.x * 0.6, radius.y * 0.55)
      canvas.fill(animal.dark.opacity(0.8))
    case .plain: break
    }
  }
}
