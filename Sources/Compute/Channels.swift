/// `x * scale + shift`, channel by channel; channels are the last axis.
package func channelAffine(_ x: Tensor, scale: [Float], shift: [Float]) -> Tensor {
  let width = scale.count
  precondition(
    x.shape.last == width && shift.count == width,
    "\(x.shape) needs as many scales and shifts but got \(width) and \(shift.count)")
  return Tensor(shape: x.shape) { y in
    x.scalars.withUnsafeBufferPointer { x in
      scale.withUnsafeBufferPointer { scale in
        shift.withUnsafeBufferPointer { shift in
          nonisolated(unsafe) let (x, y, scale, shift) = (x, y, scale, shift)
          parallel(width == 0 ? 0 : x.count / width, grain: 16_384 / max(width, 1) + 1) { rows in
            for row in rows {
              let at = row * width
              for c in 0..<width { y[at + c] = x[at + c] * scale[c] + shift[c] }
            }
          }
        }
      }
    }
  }
}

/// The mean and the variance (divided by the count) of each channel; channels are the last axis.
package func channelMoments(_ x: Tensor) -> (mean: Tensor, variance: Tensor) {
  let width = x.shape.last ?? 1
  let count = Double(max(width == 0 ? 0 : x.count / width, 1))
  let zeros = [Float](repeating: 0, count: width)
  let ones = Tensor(shape: x.shape) { $0.update(repeating: 1, count: x.count) }
  let (_, sums) = channelSums(ones, x: x, mean: zeros)
  let mean = sums.map { Float(Double($0) / count) }
  let centred = channelAffine(
    x, scale: zeros.map { _ in 1 }, shift: mean.map { -$0 })
  let (_, squares) = channelSums(centred, x: x, mean: mean)
  return (
    Tensor(shape: [width], scalars: mean),
    Tensor(shape: [width], scalars: squares.map { Float(Double($0) / count) })
  )
}

/// For each channel the sum of `dy`, and the sum of `dy * (x - mean)`.
///
/// These are the gradients of a normalisation's shift and, but for a factor, of its scale.
package func channelSums(
  _ dy: Tensor, x: Tensor, mean: [Float]
) -> (sums: [Float], products: [Float]) {
  let width = mean.count
  precondition(
    dy.shape == x.shape && x.shape.last == width,
    "shapes \(dy.shape) and \(x.shape) must be equal and end with \(width)")
  // In Double: a channel of a large picture sums a hundred thousand numbers.
  var results = [Double](repeating: 0, count: 2 * width)
  results.withUnsafeMutableBufferPointer { results in
    dy.scalars.withUnsafeBufferPointer { dy in
      x.scalars.withUnsafeBufferPointer { x in
        nonisolated(unsafe) let (x, dy, results) = (x, dy, results)
        parallel(width, grain: 16) { channels in
          for at in stride(from: 0, to: x.count, by: width) {
            for c in channels {
              let gradient = Double(dy[at + c])
              results[c] += gradient
              results[width + c] += gradient * Double(x[at + c] - mean[c])
            }
          }
        }
      }
    }
  }
  return (results[..<width].map { Float($0) }, results[width...].map { Float($0) })
}

/// The tensors side by side along the last axis.
package func concatenated(_ tensors: [Tensor]) -> Tensor {
  let leading = tensors.first?.shape.dropLast() ?? []
  precondition(
    tensors.allSatisfy { $0.shape.dropLast() == leading && !$0.shape.isEmpty },
    "cannot join \(tensors.map(\.shape))")
  let widths = tensors.map { $0.shape.last ?? 0 }
  let width = widths.reduce(0, +)
  return Tensor(shape: leading + [width]) { result in
    var start = 0
    for (tensor, part) in zip(tensors, widths) {
      tensor.scalars.withUnsafeBufferPointer { source in
        guard let source = source.baseAddress else { return }
        copyColumns(
          source, width: part, to: result + start, stride: width, rows: leading.reduce(1, *))
      }
      start += part
    }
  }
}

/// The gradients of `concatenated` for its tensors, whose last axes are `widths`.
package func split(_ x: Tensor, widths: [Int]) -> [Tensor] {
  let (leading, width) = (x.shape.dropLast(), x.shape.last ?? 0)
  precondition(widths.reduce(0, +) == width, "cannot cut \(x.shape) into \(widths)")
  let rows = leading.reduce(1, *)
  var start = 0
  return widths.map { part in
    defer { start += part }
    return Tensor(shape: leading + [part]) { result in
      x.scalars.withUnsafeBufferPointer { x in
        for row in 0..<(part == 0 ? 0 : rows) {
          for c in 0..<part { result[row * part + c] = x[row * width + start + c] }
        }
      }
    }
  }
}

/// Writes rows of `width` floats `stride` floats apart.
func copyColumns(
  _ source: UnsafePointer<Float>, width: Int, to target: UnsafeMutablePointer<Float>, stride: Int,
  rows: Int
) {
  for row in 0..<rows {
    (target + row * stride).update(from: source + row * width, count: width)
  }
}
