import Drawing
import Foundation

/// What is behind and around the animal, drawn in units of the picture's shorter side.
struct Background {
  enum Kind: CaseIterable { case meadow, room, sofa, carpet, beach, snow }

  let canvas: Canvas
  let chance: Chance
  /// The picture's sides.
  let width: Double
  let height: Double
  /// How far down the ground begins.
  let horizon: Double

  init(_ canvas: Canvas, _ chance: Chance, width: Double, height: Double) {
    (self.canvas, self.chance, self.width, self.height) = (canvas, chance, width, height)
    horizon = height * chance.within(0.42...0.66)
  }

  func draw() -> Kind {
    let kind = chance.pick(Kind.allCases)
    switch kind {
    case .meadow: meadow()
    case .room: room()
    case .sofa: sofa()
    case .carpet: carpet()
    case .beach: beach()
    case .snow: snow()
    }
    return kind
  }

  private func soft() -> Color { chance.near(Color(hex: chance.pick(Palette.soft)), by: 0.08) }
  private func bright() -> Color { chance.near(Color(hex: chance.pick(Palette.bright)), by: 0.08) }
  private func somewhere(_ top: Double, _ bottom: Double) -> Point {
    Point(chance.within(0...width), chance.within(min(top, bottom)...max(top, bottom)))
  }

  // MARK: - Outdoors

  private func sky() {
    let day = chance.pick([0x8FC3EA, 0xB9CFE0, 0xE9B98A, 0x6F8FB8, 0xC7C9D6] as [UInt32])
    canvas.rectangle(Point(0, 0), width, horizon + 0.01)
    canvas.fill(
      from: Point(0, 0), to: Point(0, horizon),
      [chance.near(Color(hex: day)), Color(hex: day).lighter(0.5)])
    if chance.happens(0.4) {
      let sun = somewhere(0.05, horizon * 0.5)
      canvas.ellipse(sun, 0.3, 0.3)
      canvas.fill(around: sun, radius: 0.3, [.white.opacity(0.95), .white.opacity(0)])
    }
    for _ in 0..<chance.pick([0, 1, 2, 3]) {
      let place = somewhere(0.02, horizon * 0.7)
      for _ in 0..<5 {
        canvas.ellipse(
          Point(place.x + chance.within(-0.12...0.12), place.y + chance.within(-0.02...0.02)),
          chance.within(0.05...0.1), chance.within(0.02...0.045))
        canvas.fill(.white.opacity(0.6))
      }
    }
  }

  private func ground(_ near: Color, _ far: Color) {
    canvas.rectangle(Point(0, horizon), width, height - horizon)
    canvas.fill(from: Point(0, horizon), to: Point(0, height), [far, near])
  }

  private func hills(_ color: Color) {
    let first = chance.within(0...6)
    canvas.move(Point(0, horizon + 0.01))
    for step in 0...24 {
      let x = width * Double(step) / 24
      canvas.line(Point(x, horizon - 0.05 - 0.05 * sin(first + x * 4) - 0.02 * sin(x * 11)))
    }
    canvas.line(Point(width, horizon + 0.01))
    canvas.close()
    canvas.fill(color)
  }

  private func meadow() {
    sky()
    let grass = chance.near(
      Color(hex: chance.pick([0x5E8C3A, 0x7BA05B, 0x8E9A4E, 0x4F7045, 0xA79A58])), by: 0.08)
    if chance.happens(0.6) { hills(grass.mixed(Color(hex: 0x7F97A8), 0.5)) }
    if chance.happens(0.4) { trees(grass) }
    ground(grass, grass.lighter(0.25))
    blades(grass, from: horizon, count: 420)
    guard chance.happens(0.5) else { return }
    let petals = bright()
    for _ in 0..<24 {
      let place = somewhere(horizon, height)
      canvas.ellipse(place, 0.012, 0.012)
      canvas.fill(petals)
      canvas.ellipse(place, 0.004, 0.004)
      canvas.fill(.white)
    }
  }

  private func trees(_ grass: Color) {
    for _ in 0..<3 {
      let x = chance.within(0...width)
      let top = horizon - chance.within(0.15...0.35)
      canvas.rectangle(Point(x - 0.015, top), 0.03, horizon - top)
      canvas.fill(Color(hex: 0x5B4632))
      for _ in 0..<6 {
        canvas.ellipse(
          Point(x + chance.within(-0.08...0.08), top + chance.within(-0.06...0.08)), 0.08, 0.07)
        canvas.fill(chance.near(grass.darker(0.35)))
      }
    }
  }

  /// Grass, higher in front; also drawn before the animal's feet.
  func blades(_ color: Color, from top: Double, count: Int) {
    for _ in 0..<count {
      let place = somewhere(top, height)
      let length = 0.03 + 0.05 * (place.y - horizon) / max(height - horizon, 0.01)
      canvas.move(place)
      canvas.line(Point(place.x + chance.within(-0.4...0.4) * length, place.y - length))
      canvas.stroke(
        (chance.happens(0.5) ? color.darker(0.25) : color.lighter(0.2)).opacity(0.7), width: 0.006)
    }
  }

  private func beach() {
    sky()
    let sea = chance.near(Color(hex: chance.pick([0x3F7F9F, 0x5FA3A8, 0x4A6A8A])))
    canvas.rectangle(Point(0, horizon - 0.12), width, 0.2)
    canvas.fill(from: Point(0, horizon - 0.12), to: Point(0, horizon), [sea.darker(0.1), sea])
    for _ in 0..<14 {
      let place = somewhere(horizon - 0.11, horizon)
      canvas.move(place)
      canvas.line(Point(place.x + 0.08, place.y))
      canvas.stroke(.white.opacity(0.4), width: 0.006)
    }
    let sand = chance.near(Color(hex: chance.pick([0xDCC79A, 0xC9AE84, 0xE6D8B8])))
    ground(sand.darker(0.08), sand.lighter(0.1))
    speckles(sand, count: 300)
  }

  private func snow() {
    sky()
    let white = chance.near(Color(hex: chance.pick([0xF2F5F8, 0xDDE6EE, 0xC9D3DF])), by: 0.03)
    if chance.happens(0.6) { hills(white.darker(0.15)) }
    if chance.happens(0.5) { trees(Color(hex: 0x5D7A6A)) }
    ground(white, white.darker(0.06))
    for _ in 0..<chance.pick([0, 120]) {
      let place = somewhere(0, height)
      canvas.ellipse(place, 0.007, 0.007)
      canvas.fill(.white.opacity(0.8))
    }
  }

  private func speckles(_ color: Color, count: Int) {
    for number in 0..<count {
      canvas.ellipse(somewhere(horizon, height), 0.005, 0.004)
      canvas.fill((number % 2 == 0 ? color.darker(0.3) : color.lighter(0.4)).opacity(0.5))
    }
  }

  // MARK: - Indoors

  private func wall() {
    let color = soft()
    canvas.rectangle(Point(0, 0), width, horizon + 0.01)
    canvas.fill(from: Point(0, 0), to: Point(width, 0), [color.lighter(0.15), color.darker(0.15)])
    let pattern = chance.pick([0, 1, 2])
    let ink = chance.happens(0.5) ? color.darker(0.18) : color.lighter(0.25)
    let step = chance.within(0.06...0.14)
    if pattern == 1 {
      for x in stride(from: 0.0, to: width, by: step) {
        canvas.rectangle(Point(x, 0), step / 2, horizon)
        canvas.fill(ink.opacity(0.5))
      }
    } else if pattern == 2 {
      for (row, y) in stride(from: 0.04, to: horizon, by: step).enumerated() {
        for x in stride(from: row % 2 == 0 ? 0.0 : step / 2, to: width, by: step) {
          canvas.ellipse(Point(x, y), 0.015, 0.015)
          canvas.fill(ink.opacity(0.7))
        }
      }
    }
    if chance.happens(0.5) { frame() }
  }

  /// A window or a picture on the wall.
  private func frame() {
    let size = Point(chance.within(0.2...0.4), chance.within(0.18...0.32))
    let corner = Point(chance.within(0...max(width - size.x, 0.01)), chance.within(0.02...0.12))
    canvas.rectangle(corner, size.x, size.y)
    canvas.fill(
      from: corner, to: Point(corner.x, corner.y + size.y), [soft(), bright()], keeping: true)
    canvas.stroke(chance.pick([.white, Color(hex: 0x4A3626)]), width: 0.02)
    guard chance.happens(0.5) else { return }
    canvas.move(Point(corner.x + size.x / 2, corner.y))
    canvas.line(Point(corner.x + size.x / 2, corner.y + size.y))
    canvas.stroke(.white, width: 0.012)
  }

  private func floor() {
    let wood = chance.near(Color(hex: chance.pick([0xA87B4F, 0x7D5A3C, 0xC7A57A, 0x8C8580])))
    ground(wood.darker(0.1), wood.lighter(0.1))
    for _ in 0..<10 {
      let x = chance.within(-0.3...width + 0.3)
      canvas.move(Point(x, horizon))
      canvas.line(Point(x + (x - width / 2) * 0.8, height))
      canvas.stroke(wood.darker(0.4).opacity(0.5), width: 0.006)
    }
    canvas.rectangle(Point(0, horizon - 0.03), width, 0.03)
    canvas.fill(soft().lighter(0.5))
  }

  private func room() {
    wall()
    floor()
    guard chance.happens(0.6) else { return }
    rug(Point(width / 2, (horizon + height) / 2 + 0.08), width * 0.5, (height - horizon) * 0.42)
  }

  private func rug(_ center: Point, _ radiusX: Double, _ radiusY: Double) {
    let (first, second) = (bright(), soft())
    for ring in 0..<5 {
      let share = 1 - Double(ring) * 0.19
      canvas.ellipse(center, radiusX * share, radiusY * share)
      canvas.fill(ring % 2 == 0 ? first : second)
    }
  }

  private func sofa() {
    wall()
    let cloth = chance.happens(0.5) ? bright().mixed(soft(), 0.4) : soft()
    let top = horizon - chance.within(0.15...0.3)
    canvas.rectangle(Point(-0.05, top), width + 0.1, height)
    canvas.fill(
      from: Point(0, top), to: Point(0, horizon), [cloth.lighter(0.15), cloth.darker(0.2)])
    let cushions = chance.pick([2, 3])
    for number in 0..<cushions {
      let size = width / Double(cushions)
      canvas.blob([
        Point(size * Double(number) + 0.02, top + 0.03),
        Point(size * Double(number + 1) - 0.02, top + 0.03),
        Point(size * Double(number + 1) - 0.01, horizon),
        Point(size * Double(number) + 0.01, horizon),
      ])
      canvas.fill(cloth.lighter(0.1), keeping: true)
      canvas.stroke(cloth.darker(0.35).opacity(0.6), width: 0.012)
    }
    canvas.rectangle(Point(-0.05, horizon), width + 0.1, height)
    canvas.fill(
      from: Point(0, horizon), to: Point(0, height), [cloth.lighter(0.2), cloth.darker(0.1)])
    weave(cloth, from: top)
    guard chance.happens(0.6) else { return }
    let place = Point(chance.pick([0.1, width - 0.1]), horizon - 0.02)
    canvas.placed(place, angle: chance.within(-0.5...0.5)) {
      canvas.rectangle(Point(-0.13, -0.13), 0.26, 0.26)
      canvas.fill(bright(), keeping: true)
      canvas.stroke(.black.opacity(0.25), width: 0.01)
    }
  }

  private func weave(_ color: Color, from top: Double) {
    for number in 0..<500 {
      let place = somewhere(top, height)
      canvas.move(place)
      canvas.line(
        Point(place.x + (number % 2 == 0 ? 0.02 : 0), place.y + (number % 2 == 0 ? 0 : 0.02)))
      canvas.stroke(
        (number % 3 == 0 ? color.lighter(0.35) : color.darker(0.3)).opacity(0.3), width: 0.005)
    }
  }

  /// Seen from above: floor everywhere, a carpet with a pattern.
  private func carpet() {
    let color = chance.happens(0.5) ? bright().mixed(.black, 0.2) : soft()
    canvas.cover(color)
    let ink = chance.happens(0.5) ? soft() : bright()
    let step = chance.within(0.12...0.25)
    let style = chance.pick([0, 1, 2])
    let angle = chance.within(-0.6...0.6)
    canvas.placed(Point(width / 2, height / 2), angle: angle) {
      for x in stride(from: -2.0, to: 2, by: step) {
        if style == 0 {
          canvas.rectangle(Point(x, -2), step * 0.4, 4)
          canvas.fill(ink.opacity(0.6))
          continue
        }
        for y in stride(from: -2.0, to: 2, by: step) {
          if style == 1 {
            canvas.polygon([
              Point(x, y - step * 0.3), Point(x + step * 0.3, y), Point(x, y + step * 0.3),
              Point(x - step * 0.3, y),
            ])
          } else {
            canvas.ellipse(Point(x, y), step * 0.25, step * 0.25)
          }
          canvas.fill(ink.opacity(0.6))
        }
      }
    }
    weave(color, from: 0)
  }
}
