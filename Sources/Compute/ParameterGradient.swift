/// The gradient of one parameter: its numbers, or the product that they come from.
///
/// A Dense layer's gradient is as large as its kernel and used once. As a product it can be
/// computed piece by piece just where an optimizer's step wants it, and never goes to memory.
package enum ParameterGradient: Sendable {
  case stored(Tensor)
  /// `x^T * dy` for `x [n, inputs]` and `dy [n, outputs]`.
  case product(x: Tensor, dy: Tensor)

  package var shape: [Int] {
    switch self {
    case .stored(let tensor): tensor.shape
    case .product(let x, let dy): [x.shape[1], dy.shape[1]]
    }
  }

  /// The gradient of a parameter that is used twice.
  package static func + (left: ParameterGradient, right: ParameterGradient) -> ParameterGradient {
    var sum = Tensor(shape: left.shape, scalars: left.scalars)
    sum.add(Tensor(shape: right.shape, scalars: right.scalars))
    return .stored(sum)
  }

  /// All numbers of the gradient.
  package var scalars: [Float] {
    switch self {
    case .stored(let tensor): tensor.scalars
    case .product:
      Tensor(shape: shape) { result in
        nonisolated(unsafe) let result = result
        forEachPiece(beside: nil) { range, piece in
          (result + range.lowerBound).update(from: piece, count: range.count)
        }
      }.scalars
    }
  }

  /// Calls `body` with every range of elements and their gradients, several at once.
  ///
  /// - Parameter beside: what `body` will read and write at the same elements, if anything.
  func forEachPiece(
    beside: (UnsafePointer<Float>, UnsafePointer<Float>)?,
    _ body: (Range<Int>, UnsafePointer<Float>) -> Void
  ) {
    switch self {
    case .stored(let tensor):
      tensor.scalars.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        nonisolated(unsafe) let gradient = base
        parallel(tensor.count, grain: 16_384) { body($0, gradient + $0.lowerBound) }
      }
    case .product(let x, let dy):
      let (rows, shape) = (x.shape[0], shape)
      x.scalars.withUnsafeBufferPointer { x in
        dy.scalars.withUnsafeBufferPointer { dy in
          guard let x = x.baseAddress, let dy = dy.baseAddress else { return }
          OuterProduct(x: x, dy: dy, rows: rows, inputs: shape[0], outputs: shape[1])
            .forEachPiece(beside: beside, body)
        }
      }
    }
  }
}
