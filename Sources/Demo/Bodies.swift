import Drawing

extension Painter {
  private var isCat: Bool { animal.species == .cat }
  private var tip: Color {
    animal.pattern == .bib ? animal.light : animal.dark.mixed(animal.fur, 0.4)
  }

  /// The whole animal, the middle of its head at the origin.
  func draw() {
    switch animal.pose {
    case .sitting: sitting()
    case .standing: standing()
    case .lying: lying()
    case .portrait: portrait()
    }
    collar()
    head()
  }

  /// A soft shadow where the animal touches the ground.
  private func shadow(_ center: Point, _ radiusX: Double, _ radiusY: Double) {
    canvas.placed(center, scale: Point(radiusX, radiusY)) {
      canvas.ellipse(Point(0, 0), 1, 1)
      canvas.fill(around: Point(0, 0), radius: 1, [.black.opacity(0.45), .black.opacity(0)])
    }
  }

  private func collar() {
    guard let color = animal.collar else { return }
    let y = isCat ? 0.8 : 0.92
    let side = animal.pose == .standing || animal.pose == .lying ? 0.25 : 0
    canvas.move(Point(side - 0.55, y - 0.05))
    canvas.curve(
      Point(side - 0.3, y + 0.25), Point(side + 0.3, y + 0.25), Point(side + 0.55, y - 0.05))
    canvas.stroke(color, width: 0.16)
    canvas.ellipse(Point(side, y + 0.27), 0.1, 0.1)
    canvas.fill(Color(hex: 0xE8C33C))
  }

  private func paw(_ place: Point, _ size: Double) {
    let color = animal.pattern == .bib || animal.pattern == .patched ? animal.light : animal.fur
    fur(color, place, Point(size, size * 0.6)) { canvas.ellipse(place, size, size * 0.6) }
    for offset in [-0.35, 0.05, 0.4] {
      canvas.move(Point(place.x + offset * size, place.y + size * 0.05))
      canvas.line(Point(place.x + offset * size, place.y + size * 0.42))
      canvas.stroke(color.darker(0.5).opacity(0.7), width: 0.03)
    }
  }

  /// A leg from hip to paw, straight down.
  private func leg(_ top: Point, length: Double, width: Double, color: Color) {
    let middle = Point(top.x, top.y + length / 2)
    fur(color, middle, Point(width / 2, length / 2), markings: { legMarkings(middle, length) }) {
      canvas.blob([
        Point(top.x - width * 0.6, top.y), Point(top.x + width * 0.6, top.y),
        Point(top.x + width * 0.42, top.y + length), Point(top.x - width * 0.42, top.y + length),
      ])
    }
    paw(Point(top.x - width * 0.12, top.y + length), width * 0.6)
  }

  private func legMarkings(_ middle: Point, _ length: Double) {
    guard animal.pattern == .striped else { return }
    for step in 0..<3 {
      let y = middle.y - length * 0.3 + Double(step) * length * 0.25
      canvas.move(Point(middle.x - 0.3, y))
      canvas.line(Point(middle.x + 0.3, y + 0.04))
      canvas.stroke(animal.dark.opacity(0.7), width: 0.07)
    }
  }

  /// Cats have a long thin tail that curls at its end; dogs a shorter one that tapers, held up.
  private func tail(at root: Point, side: Double) {
    let swing = chance.within(0.6...1.3)
    if isCat {
      let hook = chance.within(-0.5...0.5)
      tail(
        (
          root, Point(root.x + side * 1.1, root.y + 0.1),
          Point(root.x + side * 0.5, root.y - 1.3 * swing),
          Point(root.x + side * (1 + hook), root.y - 1.7 * swing)
        ), from: 0.3, to: 0.2, color: animal.fur, tip: tip)
    } else {
      tail(
        (
          root, Point(root.x + side * 0.35, root.y - 0.1),
          Point(root.x + side * 0.75, root.y - 0.4 * swing),
          Point(root.x + side * 0.7, root.y - 0.95 * swing)
        ), from: 0.42, to: chance.within(0.1...0.34), color: animal.fur, tip: tip)
    }
  }

  private func chest(_ center: Point, _ radius: Point) {
    guard animal.pattern != .plain else { return }
    canvas.ellipse(center, radius.x, radius.y)
    canvas.fill(animal.light.opacity(0.8))
  }

  // MARK: - Poses

  private func sitting() {
    let hips = (isCat ? 1.1 : 0.98) * animal.stout
    let shoulders = (isCat ? 0.62 : 0.76) * animal.stout
    let floor = 2.5 + 0.3 * (animal.tall - 1)
    shadow(Point(0, floor + 0.2), 1.9, 0.4)
    let side = chance.sign()
    tail(at: Point(side * hips * 0.8, floor - 0.1), side: side)
    fur(
      animal.fur, Point(0, 1.5), Point(hips, 1.3),
      markings: {
        markings(Point(0, 1.5), Point(hips, 1.2))
        chest(Point(0, 1.35), Point(0.38, 0.7))
      }
    ) {
      canvas.blob([
        Point(0, 0.3), Point(shoulders, 0.8), Point(hips * 0.9, 1.6), Point(hips, floor - 0.2),
        Point(0, floor + 0.1), Point(-hips, floor - 0.2), Point(-hips * 0.9, 1.6),
        Point(-shoulders, 0.8),
      ])
    }
    for side in [-1.0, 1] {
      paw(Point(side * hips * 0.85, floor + 0.05), 0.36)
      leg(
        Point(side * 0.33, 1.35), length: floor - 1.25, width: isCat ? 0.42 : 0.5,
        color: animal.fur)
    }
  }

  private func standing() {
    let length = (isCat ? 2.9 : 2.7) * animal.stout
    let depth = isCat ? 0.62 : 0.78
    let legs = (isCat ? 1.05 : 1.35) * animal.tall
    let floor = 1.25 + depth * 0.5 + legs
    let stride = chance.within(-0.25...0.25)
    shadow(Point(length / 2 + 0.3, floor + 0.1), length * 0.75, 0.35)
    tail(at: Point(length + 0.3, 1.0), side: 1)
    let far = animal.fur.darker(0.3)
    let width = isCat ? 0.36 : 0.42
    leg(Point(0.75 + stride, 1.4), length: legs, width: width, color: far)
    leg(Point(length - 0.25 - stride, 1.4), length: legs, width: width, color: far)
    fur(
      animal.fur, Point(length / 2 + 0.25, 1.15), Point(length / 2 + 0.3, depth),
      markings: { markings(Point(length / 2 + 0.25, 1.15), Point(length / 2, depth)) }
    ) {
      canvas.blob([
        Point(-0.1, 0.1), Point(0.7, 0.5), Point(length * 0.6, 0.62), Point(length + 0.3, 0.7),
        Point(length + 0.5, 1.3), Point(length * 0.6, 1.15 + depth * (isCat ? 0.75 : 0.6)),
        Point(0.5, 1.2 + depth), Point(0, 0.9),
      ])
    }
    leg(Point(0.45 - stride, 1.45), length: legs, width: width * 1.1, color: animal.fur)
    leg(Point(length + 0.05 + stride, 1.4), length: legs, width: width * 1.1, color: animal.fur)
  }

  private func lying() {
    let length = 2.8 * animal.stout
    shadow(Point(length / 2 + 0.3, 1.5), length * 0.8, 0.4)
    if isCat {
      tail(
        (
          Point(length + 0.3, 1.2), Point(length + 1.2, 1.5), Point(length + 0.4, 1.75),
          Point(length - 1, 1.5)
        ), from: 0.3, to: 0.2, color: animal.fur, tip: tip)
    } else {
      tail(at: Point(length + 0.3, 1.1), side: 1)
    }
    fur(
      animal.fur, Point(length / 2 + 0.2, 0.9), Point(length / 2 + 0.4, 0.75),
      markings: { markings(Point(length / 2 + 0.2, 0.9), Point(length / 2, 0.7)) }
    ) {
      canvas.blob([
        Point(-0.2, 0.3), Point(0.7, 0.3), Point(length * 0.6, isCat ? 0.1 : 0.3),
        Point(length + 0.3, 0.6), Point(length + 0.4, 1.3), Point(length * 0.5, 1.55),
        Point(0.1, 1.45), Point(-0.3, 0.9),
      ])
    }
    let haunch = Point(length - 0.35, 1.1)
    fur(animal.fur, haunch, Point(0.62, 0.5)) { canvas.ellipse(haunch, 0.62, 0.5) }
    paw(Point(length - 0.8, 1.5), 0.34)
    for (x, y) in [(-0.15, 1.35), (0.1, 1.52)] {
      fur(animal.fur, Point(x, y), Point(0.75, 0.2)) {
        canvas.ellipse(Point(x, y), 0.75, 0.2)
      }
      paw(Point(x - 0.7, y), 0.28)
    }
  }

  private func portrait() {
    let width = (isCat ? 1.1 : 1.3) * animal.stout
    fur(
      animal.fur, Point(0, 1.9), Point(width, 1.3),
      markings: {
        markings(Point(0, 1.9), Point(width, 1.1))
        chest(Point(0, 1.6), Point(0.45, 0.8))
      }
    ) {
      canvas.blob([
        Point(0, 0.2), Point(width * 0.6, 0.7), Point(width, 1.5), Point(width * 1.1, 3),
        Point(0, 3.4), Point(-width * 1.1, 3), Point(-width, 1.5), Point(-width * 0.6, 0.7),
      ])
    }
  }
}
