import Compute
import Drawing

/// Everything about a picture that is left to chance; the same seed gives the same choices.
final class Chance {
  private var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// Uniform in a range.
  func within(_ range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * Double(random.uniform())
  }

  /// Normal with mean 0 and deviation 1.
  func normal() -> Double { Double(random.normal()) }

  /// True in that share of cases.
  func happens(_ share: Double) -> Bool { Double(random.uniform()) < share }

  func pick<T>(_ list: [T]) -> T {
    list[min(Int(Float(list.count) * random.uniform()), list.count - 1)]
  }

  /// -1 or 1.
  func sign() -> Double { happens(0.5) ? 1 : -1 }

  /// A colour near the given one.
  func near(_ color: Color, by amount: Double = 0.06) -> Color {
    func part(_ value: Double) -> Double {
      min(max(value + within(-amount...amount), 0), 1)
    }
    return Color(part(color.red), part(color.green), part(color.blue), alpha: color.alpha)
  }
}
