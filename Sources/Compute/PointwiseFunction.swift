import Foundation

/// A function of each number by itself, or `softmax` over the last axis.
package enum PointwiseFunction: Hashable, Sendable {
  case linear, relu, sigmoid, tanh, softmax
  /// `x * sigmoid(x)`, also called swish.
  case silu
  /// `log(1 + exp(x))`
  case softplus
  /// `x / (1 + |x|)`
  case softsign
  case exponential
  /// `x` above 0, else `alpha * (exp(x) - 1)`.
  case elu(alpha: Float)
  /// `elu` with a scale and an `alpha` that keep mean and variance (Klambauer and others 2017).
  case selu
  /// `x * P(X <= x)` for a normal `X` (Hendrycks and Gimpel 2016), or the approximation by `tanh`.
  case gelu(isApproximate: Bool)
  /// `slope * x + 1/2` brought into `0...1`: slope 1/5 in Keras 1 and 2, 1/6 in Keras 3.
  case hardSigmoid(slope: Float)
  /// `x` times `hardSigmoid` with slope 1/6.
  case hardSilu
  case rectifier(Rectifier)

  /// Numbers brought into `0...6`.
  package static let relu6 = PointwiseFunction.rectifier(Rectifier(ceiling: 6))

  /// The line of slope 1 above a threshold, of another below it, and flat from a ceiling on.
  package struct Rectifier: Hashable, Sendable {
    /// Below `threshold` the function is `slope * (x - threshold)`.
    package let slope: Float
    package let threshold: Float
    /// The largest result; infinity for no limit.
    package let ceiling: Float

    package init(slope: Float = 0, threshold: Float = 0, ceiling: Float = .infinity) {
      (self.slope, self.threshold, self.ceiling) = (slope, threshold, ceiling)
    }
  }

  /// The limit of a function that brings numbers into `0...ceiling` and does nothing else.
  ///
  /// Convolutions do that while they store; nil for other functions.
  package var ceiling: Float? {
    switch self {
    case .relu: .infinity
    case .rectifier(let line) where line.slope == 0 && line.threshold == 0: line.ceiling
    default: nil
    }
  }

  /// Whether the gradient cannot be told from the function's result.
  package var needsInput: Bool {
    switch self {
    case .linear, .relu, .sigmoid, .tanh, .softmax, .exponential: false
    default: ceiling == nil
    }
  }
}

/// Scale and alpha of `selu`.
private let (seluScale, seluAlpha): (Float, Float) = (1.050_700_987, 1.673_263_242)

extension PointwiseFunction {
  /// Computes `count` numbers, from and to the same memory or not.
  ///
  /// `softmax` works on rows of `width`.
  func apply(
    _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, count: Int, width: Int
  ) {
    @inline(__always) func each(_ function: (Float) -> Float) {
      for i in 0..<count { y[i] = function(x[i]) }
    }
    switch self {
    case .linear: if UnsafePointer(y) != x { y.update(from: x, count: count) }
    case .relu: each { max($0, 0) }
    case .sigmoid: each(logistic)
    case .tanh: each { tanhf($0) }
    case .softmax:
      if UnsafePointer(y) != x { y.update(from: x, count: count) }
      softmaxRows(y, rows: width == 0 ? 0 : count / width, width: width)
    case .silu: each { $0 * logistic($0) }
    case .softplus: each { max($0, 0) + log1pf(expf(-abs($0))) }
    case .softsign: each { $0 / (1 + abs($0)) }
    case .exponential: each { expf($0) }
    case .elu(let alpha): each { $0 > 0 ? $0 : alpha * expm1f($0) }
    case .selu: each { seluScale * ($0 > 0 ? $0 : seluAlpha * expm1f($0)) }
    case .gelu(isApproximate: true): each { $0 / 2 * (1 + tanhf(geluArgument($0))) }
    case .gelu(isApproximate: false): each { $0 / 2 * erfcf(-$0 * Float(0.5).squareRoot()) }
    case .hardSigmoid(let slope): each { min(max(slope * $0 + 0.5, 0), 1) }
    case .hardSilu: each { $0 * min(max($0 / 6 + 0.5, 0), 1) }
    case .rectifier(let line):
      let (slope, threshold, ceiling) = (line.slope, line.threshold, line.ceiling)
      each { min($0 < threshold ? slope * ($0 - threshold) : $0, ceiling) }
    }
  }

  /// Writes `dx` for the gradient `dy` of the results `y` of `x`; `x` is looked at only where
  /// `needsInput`.
  func gradient(
    _ dy: UnsafePointer<Float>, y: UnsafePointer<Float>, x: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>, count: Int, width: Int
  ) {
    /// The derivative, from the result or from the input.
    @inline(__always) func each(
      _ numbers: UnsafePointer<Float>, _ derivative: (Float) -> Float
    ) {
      for i in 0..<count { dx[i] = dy[i] * derivative(numbers[i]) }
    }
    switch self {
    case .linear: dx.update(from: dy, count: count)
    case .relu: each(y) { $0 > 0 ? 1 : 0 }
    case .sigmoid: each(y) { $0 * (1 - $0) }
    case .tanh: each(y) { 1 - $0 * $0 }
    case .softmax: softmaxGradient(dy, y, into: dx, count: count, width: width)
    case .silu: each(x) { logistic($0) * (1 + $0 * (1 - logistic($0))) }
    case .softplus: each(x, logistic)
    case .softsign: each(x) { 1 / ((1 + abs($0)) * (1 + abs($0))) }
    case .exponential: each(y) { $0 }
    case .elu(let alpha): each(x) { $0 > 0 ? 1 : alpha * expf($0) }
    case .selu: each(x) { seluScale * ($0 > 0 ? 1 : seluAlpha * expf($0)) }
    case .gelu(isApproximate: true): each(x, approximateGeluDerivative)
    case .gelu(isApproximate: false):
      each(x) { erfcf(-$0 * Float(0.5).squareRoot()) / 2 + $0 * normalDensity($0) }
    case .hardSigmoid(let slope): each(x) { abs(slope * $0) < 0.5 ? slope : 0 }
    case .hardSilu: each(x) { $0 <= -3 ? 0 : $0 >= 3 ? 1 : $0 / 3 + 0.5 }
    case .rectifier(let line):
      if let ceiling { return each(y) { $0 > 0 && $0 < ceiling ? 1 : 0 } }
      let (slope, threshold, ceiling) = (line.slope, line.threshold, line.ceiling)
      each(x) { $0 >= ceiling ? 0 : $0 > threshold ? 1 : slope }
    }
  }
}

private func logistic(_ x: Float) -> Float { 1 / (1 + expf(-x)) }

/// The density of the normal distribution.
private func normalDensity(_ x: Float) -> Float { 0.398_942_280 * expf(-x * x / 2) }

private func geluArgument(_ x: Float) -> Float { 0.797_884_561 * (x + 0.044_715 * x * x * x) }

private func approximateGeluDerivative(_ x: Float) -> Float {
  let t = tanhf(geluArgument(x))
  return (1 + t) / 2 + x / 2 * (1 - t * t) * 0.797_884_561 * (1 + 0.134_145 * x * x)
}

private func softmaxGradient(
  _ dy: UnsafePointer<Float>, _ y: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>,
  count: Int, width: Int
) {
  for start in stride(from: 0, to: count, by: max(width, 1)) {
    var dot: Float = 0
    for i in start..<start + width { dot += dy[i] * y[i] }
    for i in start..<start + width { dx[i] = y[i] * (dy[i] - dot) }
  }
}

/// Softmax of each row, in place, shifted by the row's maximum.
func softmaxRows(_ x: UnsafeMutablePointer<Float>, rows: Int, width: Int) {
  for row in 0..<rows {
    let x = x + row * width
    var largest = -Float.infinity
    for i in 0..<width { largest = max(largest, x[i]) }
    var sum: Float = 0
    for i in 0..<width {
      x[i] = expf(x[i] - largest)
      sum += x[i]
    }
    for i in 0..<width { x[i] /= sum }
  }
}
