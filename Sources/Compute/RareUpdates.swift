// The optimizer steps that are wanted less often, as plain loops.
extension ParameterUpdate {
  /// RMSprop with momentum, or with the gradients' variance in place of their mean square:
  /// `v = rho * v + (1 - rho) * g^2`, `a = rho * a + (1 - rho) * g`,
  /// `m = momentum * m + rate * g / sqrt(v - a^2 + epsilon)`, `p -= m`.
  ///
  /// - Parameter slots: `v`, then `m` where there is momentum, then `a` where centered.
  package static func rmspropVariant(
    _ p: inout Tensor, gradient: ParameterGradient, slots: inout [Tensor], rate: Float,
    rho: Float, epsilon: Float, momentum: Float, isCentered: Bool
  ) {
    let hasMomentum = momentum > 0
    let g = gradient.scalars
    var v = taken(&slots[0], g)
    var m = hasMomentum ? taken(&slots[1], g) : []
    var a = isCentered ? taken(&slots[hasMomentum ? 2 : 1], g) : []
    for i in g.indices {
      v[i] = rho * v[i] + (1 - rho) * (g[i] * g[i])
      var variance = v[i]
      if isCentered {
        a[i] = rho * a[i] + (1 - rho) * g[i]
        variance -= a[i] * a[i]
      }
      var change = rate * g[i] / (variance + epsilon).squareRoot()
      if hasMomentum {
        change += momentum * m[i]
        m[i] = change
      }
      p.scalars[i] -= change
    }
    slots[0].scalars = v
    if hasMomentum { slots[1].scalars = m }
    if isCentered { slots[hasMomentum ? 2 : 1].scalars = a }
  }

  /// `s += g^2; p -= rate * g / sqrt(s + epsilon)`.
  package static func adagrad(
    _ p: inout Tensor, gradient: ParameterGradient, accumulator: inout Tensor, rate: Float,
    epsilon: Float
  ) {
    let g = gradient.scalars
    var s = taken(&accumulator, g)
    for i in g.indices {
      s[i] += g[i] * g[i]
      p.scalars[i] -= rate * g[i] / (s[i] + epsilon).squareRoot()
    }
    accumulator.scalars = s
  }

  /// `s = rho * s + (1 - rho) * g^2`, `c = -g * sqrt(d + epsilon) / sqrt(s + epsilon)`,
  /// `d = rho * d + (1 - rho) * c^2`, `p += rate * c`.
  ///
  /// - Parameter slots: `s` and `d`.
  package static func adadelta(
    _ p: inout Tensor, gradient: ParameterGradient, slots: inout [Tensor], rate: Float, rho: Float,
    epsilon: Float
  ) {
    let g = gradient.scalars
    var (s, d) = (taken(&slots[0], g), taken(&slots[1], g))
    for i in g.indices {
      s[i] = rho * s[i] + (1 - rho) * (g[i] * g[i])
      let change = -(d[i] + epsilon).squareRoot() * g[i] / (s[i] + epsilon).squareRoot()
      d[i] = rho * d[i] + (1 - rho) * (change * change)
      p.scalars[i] += rate * change
    }
    (slots[0].scalars, slots[1].scalars) = (s, d)
  }

  /// A state's elements, taken out of it so that they can change in place.
  private static func taken(_ state: inout Tensor, _ gradient: [Float]) -> [Float] {
    precondition(
      state.count == gradient.count,
      "a state of \(state.count) numbers does not fit a gradient of \(gradient.count)")
    let scalars = state.scalars
    state.scalars = []
    return scalars
  }
}
