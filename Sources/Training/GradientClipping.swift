package import Compute

/// How large gradients are kept from making large steps, by Keras's names and formulas.
package enum GradientClipping: Sendable, Equatable {
  /// Each tensor's gradient shrinks to this Euclidean norm (`clipnorm`).
  case norm(Float)
  /// All gradients together shrink to this norm (`global_clipnorm`).
  case globalNorm(Float)
  /// Each number is brought to within this distance of 0 (`clipvalue`).
  case value(Float)

  /// The gradients as they are to be used; sums run in one order whatever the number of threads.
  package func applied(to gradients: [Tensor]) -> [Tensor] {
    switch self {
    case .norm(let limit):
      return gradients.map { $0.scaled(by: limit / max($0.norm, limit)) }
    case .globalNorm(let limit):
      let squares = gradients.reduce(0.0) { $0 + $1.sumOfSquares }
      let norm = Float(squares.squareRoot())
      return gradients.map { $0.scaled(by: limit * min(1 / norm, 1 / limit)) }
    case .value(let limit):
      return gradients.map {
        Tensor(shape: $0.shape, scalars: $0.scalars.map { min(max($0, -limit), limit) })
      }
    }
  }
}

extension Tensor {
  /// The sum of the squares of all numbers.
  var sumOfSquares: Double { scalars.reduce(0) { $0 + Double($1) * Double($1) } }
  fileprivate var norm: Float { Float(sumOfSquares.squareRoot()) }

  fileprivate func scaled(by factor: Float) -> Tensor {
    Tensor(shape: shape, scalars: scalars.map { $0 * factor })
  }
}
