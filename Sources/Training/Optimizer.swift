package import Compute
import Foundation

/// An optimizer with Keras 3's formulas and defaults, and its state for every tensor it has seen.
package struct Optimizer: Sendable {
  /// The rule of one step.
  package enum Rule: Sendable, Equatable {
    case sgd(momentum: Float = 0, nesterov: Bool = false)
    case rmsprop(rho: Float = 0.9, epsilon: Float = 1e-7)
    case adam(beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-7)

    package static let names = ["sgd", "rmsprop", "adam"]

    /// The rule of that name with Keras's defaults, or nil.
    package init?(name: String) {
      switch name {
      case "sgd": self = .sgd()
      case "rmsprop": self = .rmsprop()
      case "adam": self = .adam()
      default: return nil
      }
    }

    package var name: String {
      switch self {
      case .sgd: "sgd"
      case .rmsprop: "rmsprop"
      case .adam: "adam"
      }
    }
  }

  /// Which tensor of which layer.
  package struct Key: Hashable, Sendable {
    package let node: Int
    package let parameter: Int

    package init(node: Int, parameter: Int) {
      self.node = node
      self.parameter = parameter
    }
  }

  package let rule: Rule
  package var learningRate: Float
  package private(set) var step = 0
  private var first: [Key: Tensor] = [:]
  private var second: [Key: Tensor] = [:]

  package init(_ rule: Rule, learningRate: Float) {
    precondition(learningRate > 0, "a learning rate must be positive but is \(learningRate)")
    self.rule = rule
    self.learningRate = learningRate
  }

  /// Starts the next step; call it once before the updates of a batch.
  package mutating func beginStep() { step += 1 }

  /// Changes one tensor by its gradient.
  package mutating func update(_ key: Key, _ value: inout Tensor, gradient: Tensor) {
    update(key, &value, gradient: .stored(gradient))
  }

  /// Changes one tensor by its gradient, which may be given as a product.
  package mutating func update(_ key: Key, _ value: inout Tensor, gradient: ParameterGradient) {
    precondition(step > 0, "beginStep() must come before the first update")
    switch rule {
    case .sgd(let momentum, let nesterov):
      var velocity = first.removeValue(forKey: key) ?? Tensor(zeros: value.shape)
      ParameterUpdate.momentum(
        &value, gradient: gradient, velocity: &velocity, rate: learningRate, momentum: momentum,
        nesterov: nesterov)
      first[key] = velocity
    case .rmsprop(let rho, let epsilon):
      var meanSquare = second.removeValue(forKey: key) ?? Tensor(zeros: value.shape)
      ParameterUpdate.rmsprop(
        &value, gradient: gradient, meanSquare: &meanSquare, rate: learningRate, rho: rho,
        epsilon: epsilon)
      second[key] = meanSquare
    case .adam(let beta1, let beta2, let epsilon):
      var mean = first.removeValue(forKey: key) ?? Tensor(zeros: value.shape)
      var meanSquare = second.removeValue(forKey: key) ?? Tensor(zeros: value.shape)
      let rate =
        learningRate * (1 - power(beta2, step)).squareRoot() / (1 - power(beta1, step))
      ParameterUpdate.adam(
        &value, gradient: gradient, mean: &mean, meanSquare: &meanSquare, rate: rate, beta1: beta1,
        beta2: beta2, epsilon: epsilon)
      first[key] = mean
      second[key] = meanSquare
    }
  }

  private func power(_ base: Float, _ exponent: Int) -> Float { pow(base, Float(exponent)) }
}
