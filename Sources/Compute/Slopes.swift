/// `x` above zero, else `x` times its slope.
struct PlanSlopes: UnaryPlanOperation {
  /// One for each number of a photo.
  let slopes: [Float]

  var algorithm: String { "pointwise" }

  func run(
    photos: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    parallelItems(photos, workers: scratch.workerCount) { _, photo in
      let (x, y) = (input + photo * slopes.count, output + photo * slopes.count)
      slopes.withUnsafeBufferPointer { slopes in
        for i in 0..<slopes.count { y[i] = x[i] > 0 ? x[i] : x[i] * slopes[i] }
      }
    }
  }
}

/// `values` where `x` is above zero, else `values * alpha`.
///
/// - Parameters:
///   - values: `[n, ...]`, as `x`: `x` itself, or a gradient on its way back.
///   - alpha: `[1, ...]`
package func negativeSlopes(_ values: Tensor, x: Tensor, alpha: Tensor) -> Tensor {
  let size = alpha.count
  precondition(
    values.shape == x.shape && x.shape.dropFirst() == alpha.shape.dropFirst(),
    "shapes \(values.shape), \(x.shape) and \(alpha.shape) do not go together")
  return Tensor(shape: x.shape) { y in
    for i in 0..<x.count {
      y[i] = x.scalars[i] > 0 ? values.scalars[i] : values.scalars[i] * alpha.scalars[i % size]
    }
  }
}

/// Every number, or 0 where that is less.
package func negativePart(_ x: Tensor) -> Tensor {
  Tensor(shape: x.shape, scalars: x.scalars.map { min($0, 0) })
}
