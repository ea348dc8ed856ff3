import Compute
import Foundation

/// The plan's operations by their definition, one photo `[h, w, c]` at a time, in Double.
enum NaivePlan {
  struct Picture {
    var height: Int
    var width: Int
    var channels: Int
    var values: [Double]

    subscript(y: Int, x: Int, c: Int) -> Double { values[(y * width + x) * channels + c] }
  }

  static func picture(_ batch: Tensor, photo: Int) -> Picture {
    let count = batch.shape.dropFirst().reduce(1, *)
    return Picture(
      height: batch.shape[1], width: batch.shape[2], channels: batch.shape[3],
      values: batch.scalars[photo * count..<(photo + 1) * count].map(Double.init))
  }

  static func convolution(
    _ x: Picture, kernel: Tensor, bias: [Float]?, strides: (Int, Int), padding: Padding
  ) -> Picture {
    let (kh, kw, cout) = (kernel.shape[0], kernel.shape[1], kernel.shape[3])
    let rows = WindowAxis(input: x.height, window: kh, stride: strides.0, padding: padding)
    let columns = WindowAxis(input: x.width, window: kw, stride: strides.1, padding: padding)
    var result = Picture(
      height: rows.outputSize, width: columns.outputSize, channels: cout, values: [])
    for y in 0..<rows.outputSize {
      for column in 0..<columns.outputSize {
        var sums = bias?.map(Double.init) ?? [Double](repeating: 0, count: cout)
        for ky in 0..<kh {
          for kx in 0..<kw {
            let row = y * strides.0 + ky - rows.paddingBefore
            let col = column * strides.1 + kx - columns.paddingBefore
            guard row >= 0, col >= 0, row < x.height, col < x.width else { continue }
            for c in 0..<x.channels {
              let value = x[row, col, c]
              let start = ((ky * kw + kx) * x.channels + c) * cout
              for o in 0..<cout { sums[o] += value * Double(kernel.scalars[start + o]) }
            }
          }
        }
        result.values += sums
      }
    }
    return result
  }

  static func pooling(
    _ x: Picture, kind: PoolingKind, window: (Int, Int), strides: (Int, Int), padding: Padding
  ) -> Picture {
    let rows = WindowAxis(input: x.height, window: window.0, stride: strides.0, padding: padding)
    let columns = WindowAxis(input: x.width, window: window.1, stride: strides.1, padding: padding)
    var result = Picture(
      height: rows.outputSize, width: columns.outputSize, channels: x.channels, values: [])
    for y in 0..<rows.outputSize {
      for column in 0..<columns.outputSize {
        for c in 0..<x.channels {
          var inside: [Double] = []
          for ky in 0..<window.0 {
            for kx in 0..<window.1 {
              let (row, col) = (
                y * strides.0 + ky - rows.paddingBefore,
                column * strides.1 + kx - columns.paddingBefore
              )
              if row >= 0, row < x.height, col >= 0, col < x.width { inside.append(x[row, col, c]) }
            }
          }
          result.values.append(
            kind == .max ? inside.max()! : inside.reduce(0, +) / Double(inside.count))
        }
      }
    }
    return result
  }

  static func padded(_ x: Picture, _ border: PictureBorder) -> Picture {
    let (height, width) = (
      x.height + border.top + border.bottom, x.width + border.left + border.right
    )
    var result = Picture(height: height, width: width, channels: x.channels, values: [])
    for y in -border.top..<x.height + border.bottom {
      for column in -border.left..<x.width + border.right {
        let isInside = y >= 0 && y < x.height && column >= 0 && column < x.width
        result.values += (0..<x.channels).map { isInside ? x[y, column, $0] : 0 }
      }
    }
    return result
  }

  static func pointwise(_ x: [Double], _ function: PointwiseFunction, rowLength: Int) -> [Double] {
    switch function {
    case .linear: return x
    case .relu: return x.map { max($0, 0) }
    case .sigmoid: return x.map { 1 / (1 + exp(-$0)) }
    case .tanh: return x.map { tanh($0) }
    case .softmax:
      var result: [Double] = []
      for start in stride(from: 0, to: x.count, by: rowLength) {
        let row = x[start..<start + rowLength].map { exp($0) }
        let sum = row.reduce(0, +)
        result += row.map { $0 / sum }
      }
      return result
    default:
      // The others are compared with Keras.
      let ceiling = Double(function.ceiling ?? .nan)
      return x.map { min(max($0, 0), ceiling) }
    }
  }
}

extension Tensor {
  /// Normal random numbers scaled by `deviation`.
  static func random(_ shape: [Int], seed: UInt64, deviation: Float = 1) -> Tensor {
    var random = SeededRandom(seed: seed)
    return Tensor(
      shape: shape,
      scalars: (0..<shape.reduce(1, *)).map { _ in random.normal() * deviation })
  }
}
