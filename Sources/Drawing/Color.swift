/// A colour with opacity; each part from 0 to 1.
package struct Color: Sendable, Equatable {
  package var red: Double
  package var green: Double
  package var blue: Double
  package var alpha: Double

  package init(_ red: Double, _ green: Double, _ blue: Double, alpha: Double = 1) {
    (self.red, self.green, self.blue, self.alpha) = (red, green, blue, alpha)
  }

  /// A colour as web pages write it, such as `0xD98E4A`.
  package init(hex: UInt32, alpha: Double = 1) {
    func part(_ shift: UInt32) -> Double { Double(hex >> shift & 0xFF) / 255 }
    self.init(part(16), part(8), part(0), alpha: alpha)
  }

  package static let black = Color(0, 0, 0)
  package static let white = Color(1, 1, 1)

  /// The same colour with another opacity.
  package func opacity(_ alpha: Double) -> Color { Color(red, green, blue, alpha: alpha) }

  /// This colour with a share of another, opacity kept.
  package func mixed(_ other: Color, _ share: Double) -> Color {
    func part(_ own: Double, _ foreign: Double) -> Double { own + (foreign - own) * share }
    return Color(
      part(red, other.red), part(green, other.green), part(blue, other.blue), alpha: alpha)
  }

  package func lighter(_ share: Double) -> Color { mixed(.white, share) }
  package func darker(_ share: Double) -> Color { mixed(.black, share) }
}
