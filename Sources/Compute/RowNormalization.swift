/// Rows brought to mean 0 and variance 1, then scaled and shifted number by number (Ba, Kiros and
/// Hinton 2016, arXiv:1607.06450).
///
/// `y = (x - mean) / sqrt(variance + epsilon) * scale + shift` for rows as long as `scale`.
package struct RowNormalization: Sendable {
  package let scale: [Float]
  package let shift: [Float]
  package let epsilon: Float

  package init(scale: [Float], shift: [Float], epsilon: Float) {
    precondition(scale.count == shift.count, "\(scale.count) scales but \(shift.count) shifts")
    (self.scale, self.shift, self.epsilon) = (scale, shift, epsilon)
  }

  package func callAsFunction(_ x: Tensor) -> Tensor {
    Tensor(shape: x.shape) { y in
      x.scalars.withUnsafeBufferPointer { x in
        guard let from = x.baseAddress else { return }
        run(rows: scale.isEmpty ? 0 : x.count / scale.count, from, to: y)
      }
    }
  }

  func run(
    rows: Int, _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>,
    workers: Int = Threads.count
  ) {
    let width = scale.count
    nonisolated(unsafe) let (x, y) = (x, y)
    parallel(rows, grain: 16_384 / max(width, 1) + 1, workers: workers) { rows in
      for row in rows {
        let (from, to) = (x + row * width, y + row * width)
        let (mean, factor) = statistics(from)
        for i in 0..<width { to[i] = (from[i] - mean) * factor * scale[i] + shift[i] }
      }
    }
  }

  /// The mean and `1 / sqrt(variance + epsilon)` of a row.
  private func statistics(_ row: UnsafePointer<Float>) -> (mean: Float, factor: Float) {
    let width = scale.count
    var (sum, squares) = (0.0, 0.0)
    for i in 0..<width { sum += Double(row[i]) }
    let mean = sum / Double(width)
    for i in 0..<width { squares += (Double(row[i]) - mean) * (Double(row[i]) - mean) }
    return (Float(mean), Float(1 / (squares / Double(width) + Double(epsilon)).squareRoot()))
  }

  /// The gradients for the input, the scale and the shift, given that of the result.
  package func gradients(
    _ dy: Tensor, x: Tensor
  ) -> (input: Tensor, scale: [Float], shift: [Float]) {
    let width = scale.count
    var scales = [Double](repeating: 0, count: width)
    var shifts = scales
    let input = Tensor(shape: x.shape) { dx in
      x.scalars.withUnsafeBufferPointer { x in
        dy.scalars.withUnsafeBufferPointer { dy in
          for start in stride(from: 0, to: x.count, by: max(width, 1)) {
            let (mean, factor) = statistics(x.baseAddress! + start)
            var (sum, products) = (0.0, 0.0)
            for i in 0..<width {
              let normal = (x[start + i] - mean) * factor
              scales[i] += Double(dy[start + i] * normal)
              shifts[i] += Double(dy[start + i])
              sum += Double(dy[start + i] * scale[i])
              products += Double(dy[start + i] * scale[i] * normal)
            }
            let (share, tilt) = (Float(sum / Double(width)), Float(products / Double(width)))
            for i in 0..<width {
              let normal = (x[start + i] - mean) * factor
              dx[start + i] = factor * (dy[start + i] * scale[i] - share - normal * tilt)
            }
          }
        }
      }
    }
    return (input, scales.map { Float($0) }, shifts.map { Float($0) })
  }
}

struct PlanRowNormalization: UnaryPlanOperation {
  let normalization: RowNormalization
  /// Rows per photo.
  let rows: Int

  var algorithm: String { "pointwise" }

  func run(
    photos: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    normalization.run(rows: photos * rows, input, to: output, workers: scratch.workerCount)
  }
}
