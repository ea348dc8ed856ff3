import Foundation

/// A seeded generator (xoshiro256**, Blackman and Vigna 2018; seeded through SplitMix64).
///
/// The same seed gives the same numbers on every machine.
package struct SeededRandom: RandomNumberGenerator, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  package init(seed: UInt64) {
    var mixer = seed
    func next() -> UInt64 {
      mixer &+= 0x9E37_79B9_7F4A_7C15
      var z = mixer
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
    state = (next(), next(), next(), next())
  }

  /// The generator that goes on from four words of an earlier one.
  package init(words: [UInt64]) {
    precondition(
      words.count == 4 && words.contains { $0 != 0 },
      "a generator has four words that are not all 0, but got \(words)")
    state = (words[0], words[1], words[2], words[3])
  }

  /// The four words that the next numbers depend on, and nothing else.
  package var words: [UInt64] { [state.0, state.1, state.2, state.3] }

  package mutating func next() -> UInt64 {
    let rotated = state.1 &* 5
    let result = ((rotated << 7) | (rotated >> 57)) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = (state.3 << 45) | (state.3 >> 19)
    return result
  }

  /// Uniform in `0..<1`, 24 bits.
  package mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// Normal with mean 0 and deviation 1 (Box and Muller).
  package mutating func normal() -> Float {
    let radius = (-2 * log(1 - Double(next() >> 11) * 0x1p-53)).squareRoot()
    return Float(radius * cos(2 * .pi * Double(next() >> 11) * 0x1p-53))
  }
}
