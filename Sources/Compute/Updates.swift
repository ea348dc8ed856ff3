internal import CKernels

/// One optimizer step on one tensor, in place; formulas and defaults are those of Keras 3.
///
/// All tensors of a call have one shape.
package enum ParameterUpdate {
  /// `m = momentum * m - rate * g; p += m`, or with Nesterov's look-ahead `p += momentum * m - rate * g`.
  package static func momentum(
    _ p: inout Tensor, gradient: ParameterGradient, velocity: inout Tensor, rate: Float,
    momentum: Float, nesterov: Bool, kernels: KernelTable = .current
  ) {
    requireEqual(p.shape, gradient.shape, velocity.shape)
    var unused = Tensor(zeros: [0])
    update(&p, gradient, &velocity, &unused) { call in
      kernels.training.f32_momentum(&call, rate, momentum, nesterov)
    }
  }

  /// `v = rho * v + (1 - rho) * g^2; p -= rate * g / sqrt(v + epsilon)` (Hinton, lecture 6e).
  package static func rmsprop(
    _ p: inout Tensor, gradient: ParameterGradient, meanSquare: inout Tensor, rate: Float,
    rho: Float, epsilon: Float, kernels: KernelTable = .current
  ) {
    requireEqual(p.shape, gradient.shape, meanSquare.shape)
    var unused = Tensor(zeros: [0])
    update(&p, gradient, &unused, &meanSquare) { call in
      kernels.training.f32_rmsprop(&call, rate, rho, epsilon)
    }
  }

  /// Adam (Kingma and Ba 2014); `rate` already holds the correction for bias of this step.
  package static func adam(
    _ p: inout Tensor, gradient: ParameterGradient, mean: inout Tensor, meanSquare: inout Tensor,
    rate: Float, beta1: Float, beta2: Float, epsilon: Float, kernels: KernelTable = .current
  ) {
    requireEqual(p.shape, gradient.shape, mean.shape)
    requireEqual(p.shape, gradient.shape, meanSquare.shape)
    update(&p, gradient, &mean, &meanSquare) { call in
      kernels.training.f32_adam(&call, rate, beta1, beta2, epsilon)
    }
  }

  /// `p = p - p * decay * rate`, in Keras's order: weight decay apart from the rule.
  package static func decay(_ p: inout Tensor, by decay: Float, rate: Float) {
    p.scalars.withUnsafeMutableBufferPointer { p in
      for i in p.indices { p[i] -= p[i] * decay * rate }
    }
  }

  /// `average = keep * average + (1 - keep) * p`.
  package static func average(_ average: inout Tensor, with p: Tensor, keep: Float) {
    requireEqual(p.shape, average.shape, p.shape)
    let rest = 1 - keep
    average.scalars.withUnsafeMutableBufferPointer { average in
      p.scalars.withUnsafeBufferPointer { p in
        for i in p.indices { average[i] = keep * average[i] + rest * p[i] }
      }
    }
  }

  /// `gradient + 2 * factor * p`: that of `factor` times the sum of the squares besides.
  package static func adding(
    squaresOf p: Tensor, times factor: Float, to gradient: ParameterGradient
  ) -> Tensor {
    requireEqual(p.shape, gradient.shape, p.shape)
    let double = 2 * factor
    return Tensor(
      shape: p.shape, scalars: zip(gradient.scalars, p.scalars).map { $0 + double * $1 })
  }

  private static func requireEqual(_ value: [Int], _ gradient: [Int], _ state: [Int]) {
    precondition(
      value == gradient && value == state,
      "shapes \(value), \(gradient) and \(state) must be equal")
  }

  /// Calls `body` for every piece of the update; an empty state is one that the rule does not have.
  private static func update(
    _ p: inout Tensor, _ gradient: ParameterGradient, _ first: inout Tensor,
    _ second: inout Tensor, _ body: (inout ck_update) -> Void
  ) {
    p.scalars.withUnsafeMutableBufferPointer { p in
      first.scalars.withUnsafeMutableBufferPointer { first in
        second.scalars.withUnsafeMutableBufferPointer { second in
          guard let values = p.baseAddress, !p.isEmpty else { return }
          let state = (
            first.isEmpty ? nil : first.baseAddress, second.isEmpty ? nil : second.baseAddress
          )
          nonisolated(unsafe) let (p, first, second) = (values, state.0, state.1)
          gradient.forEachPiece { range, call in
            call.values = p + range.lowerBound
            call.first = first.map { $0 + range.lowerBound }
            call.second = second.map { $0 + range.lowerBound }
            body(&call)
          }
        }
      }
    }
  }
}
