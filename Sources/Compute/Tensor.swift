// Compute holds the numbers and the loops over them: tensors, matrix products, convolution,
// pooling, threads, random numbers. It knows nothing of files, images or layer names.

/// A dense array of Float32 in row-major order; pictures are `[n, height, width, channels]`.
package struct Tensor: Sendable, Equatable {
  package var shape: [Int]
  @usableFromInline var owned: [Float]
  @usableFromInline var lent: LentNumbers?

  /// The elements, last axis fastest; those that are lent are copied each time.
  @inlinable package var scalars: [Float] {
    get { lent?.copied ?? owned }
    _modify {
      if let numbers = lent { (owned, lent) = (numbers.copied, nil) }
      yield &owned
    }
  }

  package init(shape: [Int], scalars: [Float]) {
    precondition(
      shape.reduce(1, *) == scalars.count,
      "shape \(shape) needs \(shape.reduce(1, *)) scalars but got \(scalars.count)")
    self.shape = shape
    owned = scalars
  }

  /// A tensor whose elements stay where they are.
  package init(shape: [Int], lent: LentNumbers) {
    precondition(
      shape.reduce(1, *) == lent.numbers.count,
      "shape \(shape) needs \(shape.reduce(1, *)) scalars but got \(lent.numbers.count)")
    self.shape = shape
    self.lent = lent
    owned = []
  }

  package init(zeros shape: [Int]) { self.init(repeating: 0, shape: shape) }

  package init(repeating value: Float, shape: [Int]) {
    self.init(shape: shape) { $0.update(repeating: value, count: shape.reduce(1, *)) }
  }

  /// The shape alone, for numbers that follow: there is nothing to read until they are set.
  package init(placeholder shape: [Int]) {
    self.shape = shape
    owned = []
  }

  /// Whether the numbers have not been set yet.
  package var isPlaceholder: Bool { count == 0 && !shape.contains(0) }

  /// A tensor whose elements `fill` writes, all of them; nothing is cleared before.
  package init(shape: [Int], filledBy fill: (UnsafeMutablePointer<Float>) -> Void) {
    let count = shape.reduce(1, *)
    self.shape = shape
    owned = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let base = buffer.baseAddress {
        LargePages.advise(base, bytes: count * MemoryLayout<Float>.stride)
        fill(base)
      }
      initialized = count
    }
  }

  package var count: Int { lent?.numbers.count ?? owned.count }

  /// Calls `body` with the elements where they lie.
  func withNumbers<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R {
    if let lent { return try body(lent.numbers) }
    return try owned.withUnsafeBufferPointer(body)
  }

  /// The same elements under another shape of the same count.
  package func reshaped(_ newShape: [Int]) -> Tensor {
    if let lent { return Tensor(shape: newShape, lent: lent) }
    return Tensor(shape: newShape, scalars: owned)
  }

  /// The same for whoever keeps it: a long run must not depend on what others do to their memory.
  var inOwnMemory: Tensor { lent == nil ? self : Tensor(shape: shape, scalars: scalars) }

  /// Says that the elements have been used for the last time, as far as anybody can know.
  func letGo() { lent?.letGo() }

  package static func == (left: Tensor, right: Tensor) -> Bool {
    left.shape == right.shape && left.scalars == right.scalars
  }

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
