import Compute
import Drawing
package import Images

/// Draws single pictures.
package enum DemoPicture {
  /// A picture of a cat or a dog; the same arguments give the same pixels.
  ///
  /// - Parameters:
  ///   - size: the longer side in pixels at most; pictures are up to a third smaller.
  ///   - seed: chooses everything in the picture.
  package static func draw(_ species: Species, size: Int, seed: UInt64) -> RGBImage {
    let chance = Chance(seed: seed)
    let long = Double(size) * chance.within(0.67...1)
    let short = long * chance.within(0.7...1)
    let isWide = chance.happens(0.6)
    let width = max(Int(isWide ? long : short), 16)
    let height = max(Int(isWide ? short : long), 16)
    let canvas = Canvas(width: width, height: height)
    let unit = Double(min(width, height))
    canvas.placed(Point(0, 0), scale: Point(unit, unit)) {
      scene(species, canvas, chance, width: Double(width) / unit, height: Double(height) / unit)
    }
    return Development(chance).develop(canvas.image)
  }

  /// Background, animal and toys, in units of the picture's shorter side.
  private static func scene(
    _ species: Species, _ canvas: Canvas, _ chance: Chance, width: Double, height: Double
  ) {
    let background = Background(canvas, chance, width: width, height: height)
    let kind = background.draw()
    let animal = Animal(species, chance)
    let frame = animal.frame
    let (wide, high) = (frame.right - frame.left, frame.bottom - frame.top)
    // Some animals fill the picture and a little more, others are far away.
    let scale = min(width / wide, height / high) * chance.within(0.55...1.12)
    let isMirrored = chance.happens(0.5)
    let left = chance.within(-0.05...1.05) * (width - wide * scale)
    let floor =
      animal.pose == .portrait
      ? height : height - chance.within(0...1) * max(0, height - high * scale) * 0.8
    // Where the middle of the head comes to be.
    let x = isMirrored ? left + frame.right * scale : left - frame.left * scale
    let toys = Toys(canvas: canvas, chance: chance)
    if chance.happens(0.3) {
      toys.draw(
        at: Point(chance.within(0.1...width - 0.1), background.horizon + 0.1), size: 0.14)
    }
    canvas.placed(
      Point(x, floor - frame.bottom * scale), angle: chance.within(-0.06...0.06),
      scale: Point(isMirrored ? -scale : scale, scale)
    ) { Painter(canvas, chance, animal).draw() }
    if chance.happens(0.3) {
      toys.draw(
        at: Point(chance.within(0...width), height - 0.06), size: chance.within(0.14...0.24))
    }
    if kind == .meadow {
      background.blades(
        Color(hex: 0x5F8A3F), from: max(floor - 0.04, background.horizon), count: 90)
    }
  }
}
