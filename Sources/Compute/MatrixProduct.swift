/// `y = x * kernel + bias` for `x [n, inputs]`, `kernel [inputs, outputs]`, `bias [outputs]`.
package func affine(_ x: Tensor, kernel: Tensor, bias: [Float]?) -> Tensor {
  let (n, inputs, outputs) = (x.shape[0], kernel.shape[0], kernel.shape[1])
  precondition(x.count == n * inputs, "\(x.shape) does not fit a kernel \(kernel.shape)")
  return Tensor(shape: [n, outputs]) { y in
    fillRows(y, count: n, with: bias, width: outputs)
    x.scalars.withUnsafeBufferPointer { x in
      kernel.scalars.withUnsafeBufferPointer { kernel in
        guard let x = x.baseAddress, let kernel = kernel.baseAddress else { return }
        if n <= SmallProduct.mostRows {
          SmallProduct(x: x, w: kernel, rows: n, inputs: inputs, outputs: outputs).add(to: y)
        } else {
          PackedProduct.multiply(
            MatrixView(x, stride: inputs), MatrixView(kernel, stride: outputs), into: y,
            cStride: outputs, m: n, n: outputs, k: inputs, accumulate: true)
        }
      }
    }
  }
}

/// The gradients of `affine` for the gradient `dy [n, outputs]` of its result.
///
/// `input` is nil unless `wantsInput`; `kernel` and `bias` are nil unless `wantsParameters`.
package func affineGradients(
  _ dy: Tensor, x: Tensor, kernel: Tensor, wantsInput: Bool, wantsParameters: Bool
) -> (input: Tensor?, kernel: ParameterGradient?, bias: Tensor?) {
  let input = wantsInput ? inputGradient(dy, shape: x.shape, kernel: kernel) : nil
  guard wantsParameters else { return (input, nil, nil) }
  return (input, .product(x: x, dy: dy), sumOverRows(dy, width: kernel.shape[1]))
}

/// `dy * kernel^T`.
private func inputGradient(_ dy: Tensor, shape: [Int], kernel: Tensor) -> Tensor {
  let (n, inputs, outputs) = (dy.shape[0], kernel.shape[0], kernel.shape[1])
  return Tensor(shape: shape) { dx in
    dy.scalars.withUnsafeBufferPointer { dy in
      kernel.scalars.withUnsafeBufferPointer { kernel in
        guard let dy = dy.baseAddress, let kernel = kernel.baseAddress else { return }
        PackedProduct.multiply(
          MatrixView(dy, stride: outputs), MatrixView(kernel, stride: outputs, transposed: true),
          into: dx, cStride: inputs, m: n, n: inputs, k: outputs)
      }
    }
  }
}

/// The sum over all but the last axis, `[width]`.
func sumOverRows(_ x: Tensor, width: Int) -> Tensor {
  Tensor(shape: [width]) { sums in
    sums.update(repeating: 0, count: width)
    x.scalars.withUnsafeBufferPointer { x in
      for row in 0..<(width == 0 ? 0 : x.count / width) {
        for column in 0..<width { sums[column] += x[row * width + column] }
      }
    }
  }
}

/// Sets `count` rows to `values`, or to zero.
func fillRows(
  _ y: UnsafeMutablePointer<Float>, count: Int, with values: [Float]?, width: Int
) {
  guard let values else { return y.update(repeating: 0, count: count * width) }
  values.withUnsafeBufferPointer { values in
    guard let base = values.baseAddress else { return }
    for row in 0..<count { (y + row * width).update(from: base, count: width) }
  }
}
