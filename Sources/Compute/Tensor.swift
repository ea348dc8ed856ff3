// Compute holds the numbers and the loops over them: tensors, matrix products, convolution,
// pooling, threads, random numbers. It knows nothing of files, images or layer names.

/// A dense array of Float32 in row-major order; pictures are `[n, height, width, channels]`.
package struct Tensor: Sendable, Equatable {
  package var shape: [Int]
  /// The elements, last axis fastest.
  package var scalars: [Float]

  package init(shape: [Int], scalars: [Float]) {
    precondition(
      shape.reduce(1, *) == scalars.count,
      "shape \(shape) needs \(shape.reduce(1, *)) scalars but got \(scalars.count)")
    self.shape = shape
    self.scalars = scalars
  }

  package init(zeros shape: [Int]) { self.init(repeating: 0, shape: shape) }

  package init(repeating value: Float, shape: [Int]) {
    self.init(shape: shape) { $0.update(repeating: value, count: shape.reduce(1, *)) }
  }

  /// The shape alone, for numbers that follow: there is nothing to read until they are set.
  package init(placeholder shape: [Int]) {
    self.shape = shape
    scalars = []
  }

  /// Whether the numbers have not been set yet.
  package var isPlaceholder: Bool { scalars.isEmpty && !shape.contains(0) }

  /// A tensor whose elements `fill` writes, all of them; nothing is cleared before.
  package init(shape: [Int], filledBy fill: (UnsafeMutablePointer<Float>) -> Void) {
    let count = shape.reduce(1, *)
    self.shape = shape
    scalars = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let base = buffer.baseAddress {
        LargePages.advise(base, bytes: count * MemoryLayout<Float>.stride)
        fill(base)
      }
      initialized = count
    }
  }

  package var count: Int { scalars.count }

  /// The same elements under another shape of the same count.
  package func reshaped(_ newShape: [Int]) -> Tensor { Tensor(shape: newShape, scalars: scalars) }

  /// Rows `range` of the first axis.
  package func rows(_ range: Range<Int>) -> Tensor {
    precondition(
      !shape.isEmpty && range.lowerBound >= 0 && range.upperBound <= shape[0],
      "rows \(range) must lie within 0..<\(shape.first ?? 0)")
    let stride = shape.dropFirst().reduce(1, *)
    return Tensor(
      shape: [range.count] + shape.dropFirst(),
      scalars: Array(scalars[range.lowerBound * stride..<range.upperBound * stride]))
  }

  /// The given rows of the first axis, in the given order.
  package func gatheringRows(_ indices: some Collection<Int>) -> Tensor {
    let stride = shape.dropFirst().reduce(1, *)
    let indices = Array(indices)
    return Tensor(shape: [indices.count] + shape.dropFirst()) { result in
      nonisolated(unsafe) let result = result
      scalars.withUnsafeBufferPointer { scalars in
        parallel(indices.count, grain: max(1, (1 << 16) / max(stride, 1))) { range in
          for row in range {
            let start = indices[row] * stride
            precondition(
              start >= 0 && start + stride <= scalars.count,
              "row \(indices[row]) must lie within the tensor's \(shape)")
            guard stride > 0, let base = scalars.baseAddress else { return }
            (result + row * stride).update(from: base + start, count: stride)
          }
        }
      }
    }
  }
}
