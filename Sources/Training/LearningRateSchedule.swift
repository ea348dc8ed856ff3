import Foundation

/// How the learning rate goes from step to step, as a share of the rate that was asked for.
///
/// With a warm-up the rate first rises evenly from zero. Then it goes on as its shape says.
package struct LearningRateSchedule: Sendable, Equatable, Codable {
  package enum Shape: String, Sendable, CaseIterable, Codable {
    case constant
    /// Times `factor` after every `every` epochs, at once: Keras's `ExponentialDecay` with
    /// `staircase`.
    case step
    /// Times `factor` in the course of every `every` epochs: Keras's `ExponentialDecay`.
    case exponential
    /// Along half a cosine to zero at the last step (Loshchilov and Hutter 2016), as Keras's
    /// `CosineDecay` has it.
    case cosine
    /// From a 25th of the rate up to it and down to nearly nothing, along cosines (Smith 2018), as
    /// PyTorch's `OneCycleLR` has it; it rises for the warm-up, or for 30 % of the run without one.
    case oneCycle = "one-cycle"
  }

  package var shape: Shape
  /// How many epochs the rate rises for; parts of an epoch count.
  package var warmUpEpochs: Double
  /// Of `step` and `exponential`; nil stands for 0.1.
  package var factor: Double?
  /// In epochs, of `step` and `exponential`; nil stands for 10.
  package var every: Double?

  package init(
    _ shape: Shape = .constant, warmUpEpochs: Double = 0, factor: Double? = nil,
    every: Double? = nil
  ) {
    precondition(warmUpEpochs >= 0, "a warm-up must be 0 or more but is \(warmUpEpochs)")
    precondition(every ?? 1 > 0 && factor ?? 1 > 0, "a decay needs a factor and a time above 0")
    self.shape = shape
    self.warmUpEpochs = warmUpEpochs
    self.factor = factor
    self.every = every
  }

  /// The share of the full rate, 0 to 1, for a step counted from 0.
  package func share(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double {
    let total = Double(stepsPerEpoch * epochs)
    let warmUp = (warmUpEpochs * Double(stepsPerEpoch)).rounded()
    let step = Double(step)
    if shape == .oneCycle {
      return cycle(step, rise: warmUp > 0 ? warmUp : 0.3 * total, total: total)
    }
    if step < warmUp { return step / warmUp }
    switch shape {
    case .constant, .oneCycle: return 1
    case .step, .exponential:
      let times = (step - warmUp) / ((every ?? 10) * Double(stepsPerEpoch))
      return pow(factor ?? 0.1, shape == .step ? times.rounded(.down) : times)
    case .cosine:
      let length = total - warmUp
      guard length > 0 else { return 1 }
      return 0.5 * (1 + cos(.pi * min((step - warmUp) / length, 1)))
    }
  }

  private func cycle(_ step: Double, rise: Double, total: Double) -> Double {
    let (start, end) = (1 / 25.0, 1 / 25.0 / 1e4)
    let top = max(rise - 1, 0)
    func between(_ from: Double, _ to: Double, _ share: Double) -> Double {
      to + (from - to) / 2 * (1 + cos(.pi * min(max(share, 0), 1)))
    }
    if step <= top { return top == 0 ? 1 : between(start, 1, step / top) }
    let length = total - 1 - top
    return length > 0 ? between(1, end, (step - top) / length) : 1
  }
}
