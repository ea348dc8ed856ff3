import Foundation

/// One optimizer step on one tensor, in place; formulas and defaults are those of Keras 3.
///
/// All tensors of a call have one shape.
package enum ParameterUpdate {
  /// `m = momentum * m - rate * g; p += m`, or with Nesterov's look-ahead `p += momentum * m - rate * g`.
  package static func momentum(
    _ p: inout Tensor, gradient: Tensor, velocity: inout Tensor, rate: Float, momentum: Float,
    nesterov: Bool
  ) {
    update(&p, gradient, &velocity) { p, g, m, range in
      for i in range {
        m[i] = momentum * m[i] - rate * g[i]
        p[i] += nesterov ? momentum * m[i] - rate * g[i] : m[i]
      }
    }
  }

  /// `v = rho * v + (1 - rho) * g^2; p -= rate * g / sqrt(v + epsilon)` (Hinton, lecture 6e).
  package static func rmsprop(
    _ p: inout Tensor, gradient: Tensor, meanSquare: inout Tensor, rate: Float, rho: Float,
    epsilon: Float
  ) {
    update(&p, gradient, &meanSquare) { p, g, v, range in
      for i in range {
        v[i] = rho * v[i] + (1 - rho) * g[i] * g[i]
        p[i] -= rate * g[i] / (v[i] + epsilon).squareRoot()
      }
    }
  }

  /// Adam (Kingma and Ba 2014); `rate` already holds the correction for bias of this step.
  package static func adam(
    _ p: inout Tensor, gradient: Tensor, mean: inout Tensor, meanSquare: inout Tensor, rate: Float,
    beta1: Float, beta2: Float, epsilon: Float
  ) {
    mean.scalars.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let m = buffer
      update(&p, gradient, &meanSquare) { p, g, v, range in
        for i in range {
          m[i] += (g[i] - m[i]) * (1 - beta1)
          v[i] += (g[i] * g[i] - v[i]) * (1 - beta2)
          p[i] -= m[i] * rate / (v[i].squareRoot() + epsilon)
        }
      }
    }
  }

  /// Multiplies by a constant, as decoupled weight decay does.
  package static func scale(_ p: inout Tensor, by factor: Float) {
    p.scalars.withUnsafeMutableBufferPointer { p in
      for i in p.indices { p[i] *= factor }
    }
  }

  private static func update(
    _ p: inout Tensor, _ gradient: Tensor, _ state: inout Tensor,
    _ body: (
      UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Range<Int>
    ) -> Void
  ) {
    precondition(
      p.shape == gradient.shape && p.shape == state.shape,
      "shapes \(p.shape), \(gradient.shape) and \(state.shape) must be equal")
    let count = p.count
    p.scalars.withUnsafeMutableBufferPointer { p in
      gradient.scalars.withUnsafeBufferPointer { g in
        state.scalars.withUnsafeMutableBufferPointer { s in
          guard let p = p.baseAddress, let g = g.baseAddress, let s = s.baseAddress else { return }
          nonisolated(unsafe) let pointers = (p, g, s)
          parallel(count, grain: 16_384) { range in
            body(pointers.0, pointers.1, pointers.2, range)
          }
        }
      }
    }
  }
}
