internal import CKernels

/// The sizes of one pooling over `[n, height, width, channels]`.
struct PoolingGeometry {
  let n: Int
  let height: Int
  let width: Int
  let channels: Int
  let window: (Int, Int)
  let strides: (Int, Int)
  let rows: WindowAxis
  let columns: WindowAxis

  init(input: [Int], window: (Int, Int), strides: (Int, Int), padding: Padding) {
    precondition(input.count == 4, "pooling needs [n, height, width, channels] but got \(input)")
    (n, height, width, channels) = (input[0], input[1], input[2], input[3])
    self.window = window
    self.strides = strides
    rows = WindowAxis(input: height, window: window.0, stride: strides.0, padding: padding)
    columns = WindowAxis(input: width, window: window.1, stride: strides.1, padding: padding)
  }

  var outputShape: [Int] { [n, rows.outputSize, columns.outputSize, channels] }

  /// The input rows and columns under output position `(y, x)`, clipped to the picture.
  func inside(_ y: Int, _ x: Int) -> (Range<Int>, Range<Int>) {
    let top = y * strides.0 - rows.paddingBefore
    let left = x * strides.1 - columns.paddingBefore
    return (
      max(0, top)..<min(height, top + window.0), max(0, left)..<min(width, left + window.1)
    )
  }

  /// Calls `body(photo, y, x, rows, columns)` for every output position, photos in parallel.
  func forEachWindow(_ body: (Int, Int, Int, Range<Int>, Range<Int>) -> Void) {
    parallel(n) { photos in
      for photo in photos {
        for y in 0..<rows.outputSize {
          for x in 0..<columns.outputSize {
            let (insideRows, insideColumns) = inside(y, x)
            body(photo, y, x, insideRows, insideColumns)
          }
        }
      }
    }
  }
}

/// Max or average pooling as Keras does it: padding never counts, neither as value nor in the mean.
package func pooling(
  _ x: Tensor, kind: PoolingKind, window: (Int, Int), strides: (Int, Int), padding: Padding
) -> Tensor {
  let g = PoolingGeometry(input: x.shape, window: window, strides: strides, padding: padding)
  let channels = g.channels
  return Tensor(shape: g.outputShape) { output in
    x.scalars.withUnsafeBufferPointer { x in
      nonisolated(unsafe) let (x, output) = (x, output)
      g.forEachWindow { photo, y, column, insideRows, insideColumns in
        let target =
          output
          + ((photo * g.rows.outputSize + y) * g.columns.outputSize + column) * channels
        target.update(repeating: kind == .max ? -.infinity : 0, count: channels)
        for row in insideRows {
          for inputColumn in insideColumns {
            let source = ((photo * g.height + row) * g.width + inputColumn) * channels
            if kind == .max {
              for c in 0..<channels { target[c] = max(target[c], x[source + c]) }
            } else {
              for c in 0..<channels { target[c] += x[source + c] }
            }
          }
        }
        if kind == .average {
          let share = 1 / Float(insideRows.count * insideColumns.count)
          for c in 0..<channels { target[c] *= share }
        }
      }
    }
  }
}

/// The gradient of `pooling` for its input; among equal maxima the first in row order gets it all.
package func poolingGradient(
  _ dy: Tensor, x: Tensor, output: Tensor, kind: PoolingKind, window: (Int, Int),
  strides: (Int, Int), padding: Padding, kernels: KernelTable = .current
) -> Tensor {
  let g = PoolingGeometry(input: x.shape, window: window, strides: strides, padding: padding)
  precondition(dy.shape == g.outputShape, "gradient \(dy.shape) must be \(g.outputShape)")
  return Tensor(shape: x.shape) { dx in
    dx.update(repeating: 0, count: x.count)
    x.scalars.withUnsafeBufferPointer { x in
      dy.scalars.withUnsafeBufferPointer { dy in
        output.scalars.withUnsafeBufferPointer { output in
          guard let x = x.baseAddress, let dy = dy.baseAddress, let output = output.baseAddress
          else { return }
          switch kind {
          case .max: maximumGradient(g, dy, x: x, output: output, into: dx, kernels)
          case .average: meanGradient(g, dy, into: dx)
          }
        }
      }
    }
  }
}

private func maximumGradient(
  _ g: PoolingGeometry, _ dy: UnsafePointer<Float>, x: UnsafePointer<Float>,
  output: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>, _ kernels: KernelTable
) {
  let table = kernels.training
  nonisolated(unsafe) let (x, dy, output, dx) = (x, dy, output, dx)
  g.forEachWindow { photo, y, column, rows, columns in
    let at = ((photo * g.rows.outputSize + y) * g.columns.outputSize + column) * g.channels
    let first = ((photo * g.height + rows.lowerBound) * g.width + columns.lowerBound) * g.channels
    var call = ck_max_pooling_gradient()
    call.y = output + at
    call.dy = dy + at
    call.x = x + first
    call.dx = dx + first
    call.rows = rows.count
    call.columns = columns.count
    call.row = g.width * g.channels
    call.channels = g.channels
    table.f32_max_pooling_gradient(&call)
  }
}

private func meanGradient(
  _ g: PoolingGeometry, _ dy: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>
) {
  nonisolated(unsafe) let (dy, dx) = (dy, dx)
  g.forEachWindow { photo, y, column, rows, columns in
    let from =
      dy + ((photo * g.rows.outputSize + y) * g.columns.outputSize + column) * g.channels
    let share = 1 / Float(rows.count * columns.count)
    for row in rows {
      for inputColumn in columns {
        let to = dx + ((photo * g.height + row) * g.width + inputColumn) * g.channels
        for c in 0..<g.channels { to[c] += from[c] * share }
      }
    }
  }
}

/// Max or mean over height and width: `[n, h, w, c]` to `[n, c]`.
package func globalPooling(_ x: Tensor, kind: PoolingKind) -> Tensor {
  pooling(
    x, kind: kind, window: (x.shape[1], x.shape[2]), strides: (x.shape[1], x.shape[2]),
    padding: .valid
  ).reshaped([x.shape[0], x.shape[3]])
}

/// The gradient of `globalPooling` for its input; equal maxima share it, as TensorFlow's do.
package func globalPoolingGradient(
  _ dy: Tensor, x: Tensor, output: Tensor, kind: PoolingKind
) -> Tensor {
  if kind == .average {
    return poolingGradient(
      dy.reshaped([x.shape[0], 1, 1, x.shape[3]]), x: x, output: output, kind: kind,
      window: (x.shape[1], x.shape[2]), strides: (x.shape[1], x.shape[2]), padding: .valid)
  }
  let (n, positions, channels) = (x.shape[0], x.shape[1] * x.shape[2], x.shape[3])
  var gradient = Tensor(zeros: x.shape)
  for photo in 0..<n {
    for c in 0..<channels {
      let at = photo * channels + c
      let column = (0..<positions).map { (photo * positions + $0) * channels + c }
      let sharing = column.filter { x.scalars[$0] == output.scalars[at] }
      for index in sharing { gradient.scalars[index] = dy.scalars[at] / Float(sharing.count) }
    }
  }
  return gradient
}
