import Foundation

/// Which channels weaken each other, and how much.
package struct ResponseWindow: Sendable, Equatable {
  /// Channels `j` with `|j - c| <= radius` weaken channel `c`.
  package let radius: Int
  package let bias: Double
  package let alpha: Double
  package let beta: Double

  package init(radius: Int, bias: Double, alpha: Double, beta: Double) {
    precondition(radius >= 0 && bias > 0, "radius and bias are \(radius) and \(bias)")
    (self.radius, self.bias, self.alpha, self.beta) = (radius, bias, alpha, beta)
  }

  /// `bias + alpha * sum x[j]^2` for each of `width` channels.
  fileprivate func sums(
    _ x: UnsafePointer<Float>, _ width: Int, to sums: UnsafeMutablePointer<Float>
  ) {
    let (bias, alpha) = (Float(self.bias), Float(self.alpha))
    for c in 0..<width {
      var sum: Float = 0
      for j in max(c - radius, 0)...min(c + radius, width - 1) { sum += x[j] * x[j] }
      sums[c] = bias + alpha * sum
    }
  }

  /// `sum^-beta`; the usual 0.75 takes two square roots.
  fileprivate func factor(_ sum: Float) -> Float {
    if beta == 0.75 {
      let root = sum.squareRoot()
      return 1 / (root * root.squareRoot())
    }
    return pow(sum, -Float(beta))
  }

  fileprivate func normalize(
    _ x: UnsafePointer<Float>, _ width: Int, to y: UnsafeMutablePointer<Float>
  ) {
    sums(x, width, to: y)
    for c in 0..<width { y[c] = x[c] * factor(y[c]) }
  }
}

/// `x[c] / (bias + alpha * sum x[j]^2)^beta` over the last axis of `[n, ..., c]`.
package func responseNormalized(_ x: Tensor, _ window: ResponseWindow) -> Tensor {
  let width = max(x.shape.last ?? 1, 1)
  let count = x.count / width
  return Tensor(shape: x.shape) { result in
    x.scalars.withUnsafeBufferPointer { x in
      guard let x = x.baseAddress else { return }
      nonisolated(unsafe) let (from, result) = (x, result)
      parallel(count, grain: 64) { rows in
        for row in rows { window.normalize(from + row * width, width, to: result + row * width) }
      }
    }
  }
}

/// The gradient with respect to `x`, given that of the result.
///
/// With `s` the sums: `dx[c] = g[c] s[c]^-beta - 2 alpha beta x[c] sum g[j] x[j] s[j]^(-beta - 1)`.
package func responseGradient(_ gradient: Tensor, x: Tensor, _ window: ResponseWindow) -> Tensor {
  let width = max(x.shape.last ?? 1, 1)
  let count = x.count / width
  let scale = Float(2 * window.alpha * window.beta)
  return Tensor(shape: x.shape) { result in
    x.scalars.withUnsafeBufferPointer { x in
      gradient.scalars.withUnsafeBufferPointer { g in
        guard let x = x.baseAddress, let g = g.baseAddress else { return }
        nonisolated(unsafe) let (inputs, gradients, results) = (x, g, result)
        parallel(count, grain: 64) { rows in
          var sums = [Float](repeating: 0, count: width)
          var products = sums
          for row in rows {
            let at = row * width
            let (x, g, result) = (inputs + at, gradients + at, results + at)
            sums.withUnsafeMutableBufferPointer { sums in
              if let sums = sums.baseAddress { window.sums(x, width, to: sums) }
            }
            for c in 0..<width {
              result[c] = g[c] * window.factor(sums[c])
              products[c] = result[c] * x[c] / sums[c]
            }
            for c in 0..<width {
              var sum: Float = 0
              for j in max(c - window.radius, 0)...min(c + window.radius, width - 1) {
                sum += products[j]
              }
              result[c] -= scale * x[c] * sum
            }
          }
        }
      }
    }
  }
}

/// Response normalisation in a plan.
struct PlanResponseNormalization: UnaryPlanOperation {
  let window: ResponseWindow
  let width: Int
  /// Rows of channels per photo.
  let rows: Int

  var algorithm: String { "pointwise" }

  func run(
    photos: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    let (all, part) = (photos * rows, 64)
    parallelItems((all + part - 1) / part, workers: scratch.workerCount) { _, item in
      for row in item * part..<min((item + 1) * part, all) {
        window.normalize(input + row * width, width, to: output + row * width)
      }
    }
  }
}
