extension Optimizer {
  /// The rule of one step, with Keras 3's formulas and defaults.
  package enum Rule: Sendable, Equatable {
    case sgd(momentum: Float = 0, nesterov: Bool = false)
    case rmsprop(
      rho: Float = 0.9, epsilon: Float = 1e-7, momentum: Float = 0, centered: Bool = false)
    /// Duchi and others 2011.
    case adagrad(initialAccumulator: Float = 0.1, epsilon: Float = 1e-7)
    /// Zeiler 2012.
    case adadelta(rho: Float = 0.95, epsilon: Float = 1e-7)
    case adam(beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-7)
    /// Adam whose weights decay by themselves (Loshchilov and Hutter 2019).
    case adamW(beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-7)

    package static let names = ["sgd", "rmsprop", "adagrad", "adadelta", "adam", "adamw"]

    /// The rule of that name with Keras's defaults, or nil.
    package init?(name: String) {
      switch name {
      case "sgd": self = .sgd()
      case "rmsprop": self = .rmsprop()
      case "adagrad": self = .adagrad()
      case "adadelta": self = .adadelta()
      case "adam": self = .adam()
      case "adamw": self = .adamW()
      default: return nil
      }
    }

    package var name: String {
      switch self {
      case .sgd: "sgd"
      case .rmsprop: "rmsprop"
      case .adagrad: "adagrad"
      case .adadelta: "adadelta"
      case .adam: "adam"
      case .adamW: "adamw"
      }
    }

    /// By how much weights decay unless something else is asked for.
    package var weightDecay: Float { name == "adamw" ? 0.004 : 0 }

    /// What the rule remembers of each tensor, by Keras's names and in its order.
    package var slotNames: [String] {
      switch self {
      case .sgd: ["momentum"]
      case .rmsprop(_, _, let momentum, let centered):
        ["velocity"] + (momentum > 0 ? ["momentum"] : []) + (centered ? ["average_gradient"] : [])
      case .adagrad: ["accumulator"]
      case .adadelta: ["accumulated_grad", "accumulated_delta_var"]
      case .adam, .adamW: ["momentum", "velocity"]
      }
    }

    /// What a slot holds before a tensor's first step.
    var initialSlotValue: Float {
      if case .adagrad(let initial, _) = self { initial } else { 0 }
    }
  }
}
