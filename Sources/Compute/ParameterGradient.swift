internal import CKernels

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
    case .product(let x, let dy):
      Tensor(shape: shape) { result in
        nonisolated(unsafe) let result = result
        let table = KernelTable.current.training
        withProduct(x, dy) { product in
          product.forEachPiece { range, call in
            call.c = result + range.lowerBound
            table.f32_small_product(&call)
          }
        }
      }.scalars
    }
  }

  /// Calls `body` with parts of an update that have their gradients and nothing else, several at
  /// once, and the elements that each is of.
  func forEachPiece(_ body: (Range<Int>, inout ck_update) -> Void) {
    switch self {
    case .stored(let tensor):
      tensor.scalars.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        nonisolated(unsafe) let gradient = base
        parallel(tensor.count, grain: 16_384) { range in
          var call = ck_update()
          call.gradient = gradient + range.lowerBound
          call.count = range.count
          body(range, &call)
        }
      }
    case .product(let x, let dy):
      withProduct(x, dy) { product in
        product.forEachPiece { range, factors in
          withUnsafePointer(to: factors) { factors in
            var call = ck_update()
            call.product = factors
            call.count = range.count
            body(range, &call)
          }
        }
      }
    }
  }

  private func withProduct(_ x: Tensor, _ dy: Tensor, _ body: (OuterProduct) -> Void) {
    x.scalars.withUnsafeBufferPointer { x in
      dy.scalars.withUnsafeBufferPointer { dy in
        guard let base = x.baseAddress, let other = dy.baseAddress else { return }
        body(
          OuterProduct(
            x: base, dy: other, rows: x.count / shape[0], inputs: shape[0], outputs: shape[1]))
      }
    }
  }
}
