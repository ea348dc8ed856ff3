/// What becomes of two numbers.
package enum MergeKind: String, Sendable {
  case sum, difference, product, maximum, minimum

  @inline(__always) fileprivate func each(
    _ count: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    to c: UnsafeMutablePointer<Float>
  ) {
    switch self {
    case .sum: for i in 0..<count { c[i] = a[i] + b[i] }
    case .difference: for i in 0..<count { c[i] = a[i] - b[i] }
    case .product: for i in 0..<count { c[i] = a[i] * b[i] }
    case .maximum: for i in 0..<count { c[i] = a[i] >= b[i] ? a[i] : b[i] }
    case .minimum: for i in 0..<count { c[i] = a[i] <= b[i] ? a[i] : b[i] }
    }
  }
}

/// Two tensors of one shape made one, number by number.
package func merged(_ a: Tensor, _ b: Tensor, _ kind: MergeKind) -> Tensor {
  precondition(a.shape == b.shape, "shapes \(a.shape) and \(b.shape) must be equal")
  return Tensor(shape: a.shape) { c in
    a.scalars.withUnsafeBufferPointer { a in
      b.scalars.withUnsafeBufferPointer { b in
        guard let left = a.baseAddress, let right = b.baseAddress else { return }
        kind.each(a.count, left, right, to: c)
      }
    }
  }
}

/// The gradients of `merged` for both tensors; of equal numbers the first counts as the larger and
/// the smaller one, as in TensorFlow.
package func mergeGradients(
  _ dy: Tensor, _ a: Tensor, _ b: Tensor, _ kind: MergeKind
) -> (Tensor, Tensor) {
  /// The gradient where `isFirst`, else 0.
  func chosen(_ isFirst: (Float, Float) -> Bool) -> Tensor {
    Tensor(shape: dy.shape) { d in
      for i in 0..<dy.count { d[i] = isFirst(a.scalars[i], b.scalars[i]) ? dy.scalars[i] : 0 }
    }
  }
  switch kind {
  case .sum: return (dy, dy)
  case .difference: return (dy, Tensor(shape: dy.shape, scalars: dy.scalars.map { -$0 }))
  case .product: return (product(dy, b), product(dy, a))
  case .maximum: return (chosen { $0 >= $1 }, chosen { !($0 >= $1) })
  case .minimum: return (chosen { $0 <= $1 }, chosen { !($0 <= $1) })
  }
}

/// Two values made one; the second may be a row that repeats through the first.
struct PlanMerge: PlanOperation {
  let kind: MergeKind
  /// Floats per photo of the first value and the result.
  let count: Int
  /// Floats per photo of the second value, which divide `count`.
  let period: Int

  var algorithm: String { "pointwise" }

  func run(
    photos: Int, inputs: [UnsafePointer<Float>], output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    guard period > 0 else { return }
    let (left, right) = (inputs[0], inputs[1])
    parallelItems(photos, workers: scratch.workerCount) { _, photo in
      for start in stride(from: photo * count, to: (photo + 1) * count, by: period) {
        kind.each(period, left + start, right + photo * period, to: output + start)
      }
    }
  }
}
