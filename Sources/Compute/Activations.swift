internal import CKernels
import Foundation

/// Element-wise functions applied in place, and their gradients from the result alone.
extension PointwiseFunction {
  /// Applies the function; `softmax` works on rows of `width` numbers.
  package func apply(
    to x: inout Tensor, width: Int, kernels: KernelTable = .current
  ) {
    let size = x.count
    x.scalars.withUnsafeMutableBufferPointer { buffer in
      guard let x = buffer.baseAddress else { return }
      switch self {
      case .linear: break
      case .relu:
        nonisolated(unsafe) let x = x
        let table = kernels.training
        parallel(size, grain: 65_536) {
          table.f32_relu(x + $0.lowerBound, $0.count)
        }
      case .sigmoid: for i in 0..<size { x[i] = 1 / (1 + expf(-x[i])) }
      case .tanh: for i in 0..<size { x[i] = tanhf(x[i]) }
      case .softmax: softmaxRows(x, rows: width == 0 ? 0 : size / width, width: width)
      }
    }
  }

  /// The gradient for the input, given the gradient `dy` for the output `y`.
  package func gradient(
    _ dy: Tensor, output y: Tensor, width: Int, kernels: KernelTable = .current
  ) -> Tensor {
    guard self != .linear else { return dy }
    let size = dy.count
    return Tensor(shape: dy.shape) { dx in
      dy.scalars.withUnsafeBufferPointer { dy in
        y.scalars.withUnsafeBufferPointer { y in
          switch self {
          case .linear: break
          case .relu: reluGradient(dy, y, into: dx, kernels)
          case .sigmoid: for i in 0..<size { dx[i] = dy[i] * y[i] * (1 - y[i]) }
          case .tanh: for i in 0..<size { dx[i] = dy[i] * (1 - y[i] * y[i]) }
          case .softmax:
            for start in stride(from: 0, to: size, by: max(width, 1)) {
              var dot: Float = 0
              for i in start..<start + width { dot += dy[i] * y[i] }
              for i in start..<start + width { dx[i] = y[i] * (dy[i] - dot) }
            }
          }
        }
      }
    }
  }
}

private func reluGradient(
  _ dy: UnsafeBufferPointer<Float>, _ y: UnsafeBufferPointer<Float>,
  into dx: UnsafeMutablePointer<Float>, _ kernels: KernelTable
) {
  guard let dyBase = dy.baseAddress, let yBase = y.baseAddress else { return }
  nonisolated(unsafe) let (from, output, dx) = (dyBase, yBase, dx)
  let table = kernels.training
  parallel(dy.count, grain: 65_536) { range in
    let start = range.lowerBound
    table.f32_relu_gradient(from + start, output + start, dx + start, range.count)
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

/// Inverted dropout: zero with probability `rate`, else divided by `1 - rate`.
///
/// Returns the result and the factors, which are also what the gradient is multiplied by.
package func dropout(
  _ x: Tensor, rate: Float, random: inout SeededRandom
) -> (output: Tensor, factors: Tensor) {
  precondition(rate >= 0 && rate < 1, "a dropout rate must be in 0..<1 but is \(rate)")
  let kept = 1 / (1 - rate)
  var factors = Tensor(zeros: x.shape)
  for index in factors.scalars.indices {
    factors.scalars[index] = random.uniform() < rate ? 0 : kept
  }
  return (product(x, factors), factors)
}

/// The element-wise product of two tensors of one shape.
package func product(_ a: Tensor, _ b: Tensor) -> Tensor {
  precondition(a.shape == b.shape, "shapes \(a.shape) and \(b.shape) must be equal")
  return Tensor(shape: a.shape) { c in
    a.scalars.withUnsafeBufferPointer { a in
      b.scalars.withUnsafeBufferPointer { b in
        for i in 0..<a.count { c[i] = a[i] * b[i] }
      }
    }
  }
}

extension Tensor {
  /// Adds another tensor of the same shape, element by element.
  package mutating func add(_ other: Tensor) {
    precondition(shape == other.shape, "shapes \(shape) and \(other.shape) must be equal")
    scalars.withUnsafeMutableBufferPointer { a in
      other.scalars.withUnsafeBufferPointer { b in
        for i in 0..<a.count { a[i] += b[i] }
      }
    }
  }
}
