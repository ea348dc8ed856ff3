import Drawing

// Demo draws pictures of cats and dogs, so that everything can be tried without photos. What tells
// the two apart is their shape: ears, snout, eyes, whiskers, build and tail. Colour, pose, place,
// size, background and light are drawn from the same lots for both.

/// What a picture shows.
package enum Species: String, Sendable, CaseIterable {
  case cat
  case dog

  /// The class folder, as in the book.
  package var folder: String { rawValue + "s" }
}

/// How an animal is drawn in one picture.
struct Animal {
  enum Pose: CaseIterable { case sitting, standing, lying, portrait }
  enum Pattern: CaseIterable { case plain, striped, patched, bib, dark }
  enum Ears { case pointed, floppy, folded, upright }

  let species: Species
  let pose: Pose
  let pattern: Pattern
  let ears: Ears
  /// The fur, its light parts (muzzle, chest, paws) and its dark ones (stripes, patches).
  let fur: Color
  let light: Color
  let dark: Color
  let eyes: Color
  let isAsleep: Bool
  let collar: Color?
  /// How the head is turned, in radians.
  let tilt: Double
  /// How far the snout is moved sideways, as if the animal looked past the camera.
  let glance: Double
  /// Factors of width and length by which individuals differ.
  let stout: Double
  let tall: Double

  private static let furs: [UInt32] = [
    0x2B2624, 0x4A4440, 0x6E6A68, 0x8F8A86, 0x6B4A32, 0x8A5A34, 0xB9772F, 0xD08A45, 0xC9A27A,
    0xDCC3A0, 0xECE3D6, 0xF4F1EC,
  ]
  private static let eyeColors: [UInt32] = [0x7FA650, 0xC9A227, 0x5E8FB5, 0x6B4423, 0x3F2A1A]

  init(_ species: Species, _ chance: Chance) {
    self.species = species
    pose = chance.pick(Pose.allCases)
    pattern = chance.pick(Pattern.allCases)
    ears = species == .cat ? .pointed : chance.pick([.floppy, .floppy, .folded, .upright])
    fur = chance.near(Color(hex: chance.pick(Self.furs)))
    light = fur.lighter(chance.within(0.35...0.85))
    dark = fur.darker(chance.within(0.35...0.7))
    eyes = chance.near(Color(hex: chance.pick(Self.eyeColors)))
    isAsleep = chance.happens(0.1)
    collar = chance.happens(0.35) ? chance.near(Color(hex: chance.pick(Palette.bright))) : nil
    tilt = chance.within(-0.32...0.32)
    glance = chance.within(-0.2...0.2)
    stout = chance.within(0.88...1.14)
    tall = chance.within(0.9...1.12)
  }

  /// What the drawing covers, in units of half a head: left, top, right and bottom.
  var frame: (left: Double, top: Double, right: Double, bottom: Double) {
    switch pose {
    case .sitting: (-1.9, -1.5, 1.9, 3.1)
    case .standing: (-1.4, -1.5, 4.4, 3.2)
    case .lying: (-1.5, -1.5, 3.9, 1.9)
    case .portrait: (-1.6, -1.5, 1.6, 1.9)
    }
  }
}

/// Colours for things around the animals.
enum Palette {
  static let bright: [UInt32] = [
    0xC8413A, 0x2F6FB0, 0x3C9A5F, 0xE0B12E, 0x8A4FA3, 0xE27BA0, 0x2AA3A3, 0xE8792B,
  ]
  static let soft: [UInt32] = [
    0xD9C7B0, 0xB8C4BB, 0xC9B6C4, 0xA9B9CC, 0xD8B4A0, 0xE3DCC8, 0x9FB3A1, 0x8C9BB0, 0xB79A86,
    0x6F7F8C, 0x93735A, 0x7A8F6A,
  ]
}
