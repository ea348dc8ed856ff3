import Foundation

/// How the learning rate goes from step to step, as a share of the rate that was asked for.
///
/// With a warm-up the rate first rises evenly from zero. Then it stays, or falls along half a
/// cosine to zero at the last step (Loshchilov and Hutter 2016), as Keras's `CosineDecay` has it.
package struct LearningRateSchedule: Sendable, Equatable, Codable {
  package enum Shape: String, Sendable, CaseIterable, Codable {
    case constant, cosine
  }

  package var shape: Shape
  /// How many epochs the rate rises for; parts of an epoch count.
  package var warmUpEpochs: Double

  package init(_ shape: Shape = .constant, warmUpEpochs: Double = 0) {
    precondition(warmUpEpochs >= 0, "a warm-up must be 0 or more but is \(warmUpEpochs)")
    self.shape = shape
    self.warmUpEpochs = warmUpEpochs
  }

  /// The share of the full rate, 0 to 1, for a step counted from 0.
  package func share(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double {
    let warmUp = (warmUpEpochs * Double(stepsPerEpoch)).rounded()
    let step = Double(step)
    if step < warmUp { return step / warmUp }
    switch shape {
    case .constant: return 1
    case .cosine:
      let length = Double(stepsPerEpoch * epochs) - warmUp
      guard length > 0 else { return 1 }
      return 0.5 * (1 + cos(.pi * min((step - warmUp) / length, 1)))
    }
  }
}
