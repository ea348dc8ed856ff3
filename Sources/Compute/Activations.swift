internal import CKernels

/// Element-wise functions of whole tensors, and their gradients.
extension PointwiseFunction {
  /// Applies the function in place; `softmax` works on rows of `width` numbers.
  package func apply(
    to x: inout Tensor, width: Int, kernels: KernelTable = .current
  ) {
    let size = x.count
    guard self != .linear else { return }
    x.scalars.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      nonisolated(unsafe) let x = base
      if self == .relu {
        let table = kernels.training
        return parallel(size, grain: 65_536) { table.f32_relu(x + $0.lowerBound, $0.count) }
      }
      forEachRows(size, width) { range in
        let x = x + range.lowerBound
        apply(UnsafePointer(x), to: x, count: range.count, width: width)
      }
    }
  }

  /// The gradient for the input `x`, given the gradient `dy` for the output `y`.
  ///
  /// - Parameter input: what the function was applied to, where `needsInput`.
  package func gradient(
    _ dy: Tensor, output y: Tensor, input: Tensor? = nil, width: Int,
    kernels: KernelTable = .current
  ) -> Tensor {
    guard self != .linear else { return dy }
    precondition(input != nil || !needsInput, "the gradient of \(self) needs its input")
    let size = dy.count
    return Tensor(shape: dy.shape) { dx in
      dy.scalars.withUnsafeBufferPointer { dy in
        y.scalars.withUnsafeBufferPointer { y in
          (input?.scalars ?? []).withUnsafeBufferPointer { x in
            if self == .relu { return reluGradient(dy, y, into: dx, kernels) }
            guard let dyBase = dy.baseAddress, let yBase = y.baseAddress else { return }
            nonisolated(unsafe) let (dy, y, dx) = (dyBase, yBase, dx)
            nonisolated(unsafe) let x = x.baseAddress ?? yBase
            forEachRows(size, width) { range in
              let start = range.lowerBound
              gradient(
                dy + start, y: y + start, x: x + start, into: dx + start, count: range.count,
                width: width)
            }
          }
        }
      }
    }
  }
}

/// Splits `count` numbers between the threads, rows of `width` whole.
private func forEachRows(_ count: Int, _ width: Int, _ body: (Range<Int>) -> Void) {
  let width = max(width, 1)
  parallel(count / width, grain: 16_384 / width + 1) {
    body($0.lowerBound * width..<$0.upperBound * width)
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

/// Inverted dropout's factors: zero with probability `rate`, else `1 / (1 - rate)`.
package func dropoutFactors(
  _ shape: [Int], rate: Float, random: inout SeededRandom
) -> Tensor {
  precondition(rate >= 0 && rate < 1, "a dropout rate must be in 0..<1 but is \(rate)")
  let kept = 1 / (1 - rate)
  // As `uniform() < rate`, but without a branch, which no CPU could foretell.
  let limit = Int64((Double(rate) * 0x1p24).rounded(.up))
  // A copy that stays in registers.
  var drawn = random
  let factors = Tensor(shape: shape) { factors in
    for index in 0..<shape.reduce(1, *) {
      let isDropped = (Int64(drawn.next() >> 40) - limit) >> 63
      factors[index] = Float(bitPattern: kept.bitPattern & ~UInt32(truncatingIfNeeded: isDropped))
    }
  }
  random = drawn
  return factors
}

/// Numbers of a normal distribution.
package func normalNumbers(
  _ shape: [Int], mean: Float, deviation: Float, random: inout SeededRandom
) -> Tensor {
  var result = Tensor(zeros: shape)
  for index in result.scalars.indices {
    result.scalars[index] = mean + deviation * random.normal()
  }
  return result
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
