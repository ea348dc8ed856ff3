package import Compute
import Foundation

/// An optimizer with Keras 3's formulas and defaults, and its state for every tensor it has seen.
package struct Optimizer: Sendable {
  /// Which tensor of which layer.
  package struct Key: Hashable, Sendable {
    package let node: Int
    package let parameter: Int

    package init(node: Int, parameter: Int) {
      self.node = node
      self.parameter = parameter
    }
  }

  /// What is remembered of one tensor.
  package struct Memory: Sendable, Equatable {
    /// How many steps the tensor has had, which may be fewer than the optimizer's: a tensor that is
    /// unfrozen later starts with the correction for bias that a first step needs.
    package var steps: Int
    /// In the order of the rule's `slotNames`.
    package var slots: [Tensor]

    package init(steps: Int, slots: [Tensor]) {
      self.steps = steps
      self.slots = slots
    }
  }

  package let rule: Rule
  package var learningRate: Float
  /// By how much of the learning rate each tensor shrinks before its step, as Keras's
  /// `weight_decay` has it.
  package let weightDecay: Float
  package private(set) var step = 0
  package private(set) var memories: [Key: Memory] = [:]

  /// - Parameter weightDecay: nil for the rule's own.
  package init(_ rule: Rule, learningRate: Float, weightDecay: Float? = nil) {
    precondition(learningRate > 0, "a learning rate must be positive but is \(learningRate)")
    self.rule = rule
    self.learningRate = learningRate
    self.weightDecay = weightDecay ?? rule.weightDecay
  }

  /// Goes on from what another optimizer of the same rule remembered.
  package mutating func resume(step: Int, memories: [Key: Memory]) {
    precondition(
      memories.values.allSatisfy { $0.slots.count == rule.slotNames.count },
      "\(rule.name) remembers \(rule.slotNames.count) tensors of each")
    self.step = step
    self.memories = memories
  }

  /// Starts the next step; call it once before the updates of a batch.
  package mutating func beginStep() { step += 1 }

  /// Changes one tensor by its gradient.
  package mutating func update(_ key: Key, _ value: inout Tensor, gradient: Tensor) {
    update(key, &value, gradient: .stored(gradient))
  }

  /// Changes one tensor by its gradient, which may be given as a product.
  ///
  /// - Parameter factor: of the learning rate, for this tensor.
  package mutating func update(
    _ key: Key, _ value: inout Tensor, gradient: ParameterGradient, factor: Float = 1
  ) {
    precondition(step > 0, "beginStep() must come before the first update")
    // Taken out, so that the tensors are not copied when they change.
    var memory = memories.removeValue(forKey: key) ?? fresh(value.shape)
    memory.steps += 1
    var slots = memory.slots
    memory.slots = []
    let rate = learningRate * factor
    if weightDecay > 0 { ParameterUpdate.decay(&value, by: weightDecay, rate: rate) }
    apply(&value, gradient, &slots, rate: rate, steps: memory.steps)
    memory.slots = slots
    memories[key] = memory
  }

  private func fresh(_ shape: [Int]) -> Memory {
    let slots = rule.slotNames.map { _ in Tensor(repeating: rule.initialSlotValue, shape: shape) }
    return Memory(steps: 0, slots: slots)
  }

  private func apply(
    _ value: inout Tensor, _ gradient: ParameterGradient, _ slots: inout [Tensor],
    rate: Float, steps: Int
  ) {
    switch rule {
    case .sgd(let momentum, let nesterov):
      ParameterUpdate.momentum(
        &value, gradient: gradient, velocity: &slots[0], rate: rate, momentum: momentum,
        nesterov: nesterov)
    case .rmsprop(let rho, let epsilon, 0, false):
      ParameterUpdate.rmsprop(
        &value, gradient: gradient, meanSquare: &slots[0], rate: rate, rho: rho,
        epsilon: epsilon)
    case .rmsprop(let rho, let epsilon, let momentum, let centered):
      ParameterUpdate.rmspropVariant(
        &value, gradient: gradient, slots: &slots, rate: rate, rho: rho, epsilon: epsilon,
        momentum: momentum, isCentered: centered)
    case .adagrad(_, let epsilon):
      ParameterUpdate.adagrad(
        &value, gradient: gradient, accumulator: &slots[0], rate: rate, epsilon: epsilon)
    case .adadelta(let rho, let epsilon):
      ParameterUpdate.adadelta(
        &value, gradient: gradient, slots: &slots, rate: rate, rho: rho, epsilon: epsilon)
    case .adam(let beta1, let beta2, let epsilon), .adamW(let beta1, let beta2, let epsilon):
      let corrected =
        rate * (1 - power(beta2, steps)).squareRoot() / (1 - power(beta1, steps))
      var (mean, meanSquare) = (slots[0], slots[1])
      slots = []
      ParameterUpdate.adam(
        &value, gradient: gradient, mean: &mean, meanSquare: &meanSquare, rate: corrected,
        beta1: beta1, beta2: beta2, epsilon: epsilon)
      slots = [mean, meanSquare]
    }
  }

  private func power(_ base: Float, _ exponent: Int) -> Float { pow(base, Float(exponent)) }
}
