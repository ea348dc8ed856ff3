/// The sizes of one two-dimensional convolution over a batch.
///
/// Input `[n, height, width, inputs]`, kernel `[kh, kw, inputs, outputs]`,
/// output `[n, rows.outputSize, columns.outputSize, outputs]`.
package struct ConvolutionGeometry: Sendable {
  package let n: Int
  package let height: Int
  package let width: Int
  package let inputs: Int
  package let outputs: Int
  package let kernelHeight: Int
  package let kernelWidth: Int
  package let strides: (Int, Int)
  package let rows: WindowAxis
  package let columns: WindowAxis

  package init(input: [Int], kernel: [Int], strides: (Int, Int), padding: Padding) {
    precondition(
      input.count == 4 && kernel.count == 4 && input[3] == kernel[2],
      "a kernel \(kernel) does not fit an input \(input)")
    (n, height, width, inputs) = (input[0], input[1], input[2], input[3])
    (kernelHeight, kernelWidth, outputs) = (kernel[0], kernel[1], kernel[3])
    self.strides = strides
    rows = WindowAxis(input: height, window: kernelHeight, stride: strides.0, padding: padding)
    columns = WindowAxis(input: width, window: kernelWidth, stride: strides.1, padding: padding)
  }

  package var outputShape: [Int] { [n, rows.outputSize, columns.outputSize, outputs] }
  /// Output positions of one photo.
  var positions: Int { rows.outputSize * columns.outputSize }
  /// Numbers under one window.
  var windowSize: Int { kernelHeight * kernelWidth * inputs }
  /// Photos whose windows are laid out at once: about 8 MB of them.
  var photosAtOnce: Int { max(1, min(n, 2_000_000 / max(positions * windowSize, 1))) }
}

/// The convolution of `x` with `kernel` plus `bias`, as Keras's Conv2D computes it.
package func convolution(
  _ x: Tensor, kernel: Tensor, bias: [Float]?, strides: (Int, Int), padding: Padding,
  kernels: KernelTable = .current
) -> Tensor {
  let g = ConvolutionGeometry(
    input: x.shape, kernel: kernel.shape, strides: strides, padding: padding)
  if WinogradTraining.suits(g) {
    return Tensor(shape: g.outputShape) { y in
      withPointers(x, kernel) { x, kernel in
        WinogradTraining(g, kernels: kernels).forward(x, kernel: kernel, bias: bias, into: y)
      }
    }
  }
  return Tensor(shape: g.outputShape) { y in
    fillRows(y, count: g.n * g.positions, with: bias, width: g.outputs)
    kernel.scalars.withUnsafeBufferPointer { kernel in
      guard let kernel = kernel.baseAddress else { return }
      forEachLayout(of: x, g) { photos, windows in
        matrixProduct(
          photos.count * g.positions, g.outputs, g.windowSize, windows, leadingA: g.windowSize,
          kernel, leadingB: g.outputs, y + photos.lowerBound * g.positions * g.outputs,
          leadingC: g.outputs, beta: 1)
      }
    }
  }
}

/// The gradients of `convolution` for the gradient `dy` of its result.
///
/// `input` is nil unless `wantsInput`; `kernel` and `bias` are nil unless `wantsParameters`.
package func convolutionGradients(
  _ dy: Tensor, x: Tensor, kernel: Tensor, strides: (Int, Int), padding: Padding,
  wantsInput: Bool, wantsParameters: Bool, kernels: KernelTable = .current
) -> (input: Tensor?, kernel: ParameterGradient?, bias: Tensor?) {
  let g = ConvolutionGeometry(
    input: x.shape, kernel: kernel.shape, strides: strides, padding: padding)
  precondition(dy.shape == g.outputShape, "gradient \(dy.shape) must be \(g.outputShape)")
  let input = wantsInput ? inputGradient(dy, kernel: kernel, g, kernels) : nil
  guard wantsParameters else { return (input, nil, nil) }
  return (
    input, .stored(kernelGradient(dy, x: x, shape: kernel.shape, g, kernels)),
    sumOverRows(dy, width: g.outputs)
  )
}

private func kernelGradient(
  _ dy: Tensor, x: Tensor, shape: [Int], _ g: ConvolutionGeometry, _ kernels: KernelTable
) -> Tensor {
  Tensor(shape: shape) { gradient in
    if WinogradTraining.suits(g) {
      withPointers(dy, x) { dy, x in
        WinogradTraining(g, kernels: kernels).kernelGradient(dy, x: x, into: gradient)
      }
      return
    }
    gradient.update(repeating: 0, count: g.windowSize * g.outputs)
    dy.scalars.withUnsafeBufferPointer { dy in
      guard let dy = dy.baseAddress else { return }
      forEachLayout(of: x, g) { photos, windows in
        matrixProduct(
          g.windowSize, g.outputs, photos.count * g.positions, windows, .transposed,
          leadingA: g.windowSize, dy + photos.lowerBound * g.positions * g.outputs,
          leadingB: g.outputs, gradient, leadingC: g.outputs, beta: 1)
      }
    }
  }
}

/// Calls `body` with where two tensors lie, unless one is empty.
private func withPointers(
  _ a: Tensor, _ b: Tensor, _ body: (UnsafePointer<Float>, UnsafePointer<Float>) -> Void
) {
  a.scalars.withUnsafeBufferPointer { a in
    b.scalars.withUnsafeBufferPointer { b in
      guard let a = a.baseAddress, let b = b.baseAddress else { return }
      body(a, b)
    }
  }
}

/// `dy * kernel^T` gives each window's gradient; the windows are then added up where they overlap.
private func inputGradient(
  _ dy: Tensor, kernel: Tensor, _ g: ConvolutionGeometry, _ kernels: KernelTable
) -> Tensor {
  let photoSize = g.height * g.width * g.inputs
  return Tensor(shape: [g.n, g.height, g.width, g.inputs]) { dx in
    if WinogradTraining.suits(g) {
      withPointers(dy, kernel) { dy, kernel in
        WinogradTraining(g, kernels: kernels).inputGradient(dy, kernel: kernel, into: dx)
      }
      return
    }
    dx.update(repeating: 0, count: g.n * photoSize)
    let batch = g.photosAtOnce
    let windows = UnsafeMutablePointer<Float>.allocate(
      capacity: batch * g.positions * g.windowSize)
    defer { windows.deallocate() }
    dy.scalars.withUnsafeBufferPointer { dy in
      kernel.scalars.withUnsafeBufferPointer { kernel in
        guard let dy = dy.baseAddress, let kernel = kernel.baseAddress else { return }
        for first in stride(from: 0, to: g.n, by: batch) {
          let count = min(batch, g.n - first)
          matrixProduct(
            count * g.positions, g.windowSize, g.outputs, dy + first * g.positions * g.outputs,
            leadingA: g.outputs, kernel, .transposed, leadingB: g.outputs, windows,
            leadingC: g.windowSize)
          nonisolated(unsafe) let (dx, windows) = (dx, windows)
          parallel(count) { photos in
            for photo in photos {
              addWindows(
                windows + photo * g.positions * g.windowSize, to: dx + (first + photo) * photoSize,
                g)
            }
          }
        }
      }
    }
  }
}

/// Calls `body` with the windows of some photos at a time laid out as rows
/// `[photos x positions, kh x kw x inputs]`, zero where a window leaves the picture.
private func forEachLayout(
  of x: Tensor, _ g: ConvolutionGeometry,
  _ body: (Range<Int>, UnsafePointer<Float>) -> Void
) {
  x.scalars.withUnsafeBufferPointer { buffer in
    guard let base = buffer.baseAddress, g.positions > 0 else { return }
    // A 1x1 window that moves by one is the picture itself.
    if g.kernelHeight == 1, g.kernelWidth == 1, g.strides == (1, 1) {
      return body(0..<g.n, base)
    }
    let batch = g.photosAtOnce
    let windows = UnsafeMutablePointer<Float>.allocate(capacity: batch * g.positions * g.windowSize)
    defer { windows.deallocate() }
    let photoSize = g.height * g.width * g.inputs
    for first in stride(from: 0, to: g.n, by: batch) {
      let count = min(batch, g.n - first)
      nonisolated(unsafe) let (windows, base) = (windows, base)
      parallel(count * g.rows.outputSize) { rows in
        for row in rows {
          let (photo, y) = row.quotientAndRemainder(dividingBy: g.rows.outputSize)
          layOutRow(
            base + (first + photo) * photoSize, y,
            into: windows + row * g.columns.outputSize * g.windowSize, g)
        }
      }
      body(first..<first + count, windows)
    }
  }
}

/// The windows of output row `y` of one photo.
private func layOutRow(
  _ photo: UnsafePointer<Float>, _ y: Int, into windows: UnsafeMutablePointer<Float>,
  _ g: ConvolutionGeometry
) {
  let rowSize = g.kernelWidth * g.inputs
  for x in 0..<g.columns.outputSize {
    let window = windows + x * g.windowSize
    let (left, inside) = columnsInside(x, g)
    for ky in 0..<g.kernelHeight {
      let target = window + ky * rowSize
      let sourceRow = y * g.strides.0 + ky - g.rows.paddingBefore
      guard sourceRow >= 0, sourceRow < g.height, !inside.isEmpty else {
        target.update(repeating: 0, count: rowSize)
        continue
      }
      target.update(repeating: 0, count: inside.lowerBound * g.inputs)
      (target + inside.lowerBound * g.inputs).update(
        from: photo + (sourceRow * g.width + left + inside.lowerBound) * g.inputs,
        count: inside.count * g.inputs)
      (target + inside.upperBound * g.inputs).update(
        repeating: 0, count: (g.kernelWidth - inside.upperBound) * g.inputs)
    }
  }
}

/// The reverse of `layOutRow` for all rows of one photo: adds where windows overlap.
private func addWindows(
  _ windows: UnsafePointer<Float>, to photo: UnsafeMutablePointer<Float>, _ g: ConvolutionGeometry
) {
  let rowSize = g.kernelWidth * g.inputs
  for y in 0..<g.rows.outputSize {
    for x in 0..<g.columns.outputSize {
      let window = windows + (y * g.columns.outputSize + x) * g.windowSize
      let (left, inside) = columnsInside(x, g)
      guard !inside.isEmpty else { continue }
      for ky in 0..<g.kernelHeight {
        let row = y * g.strides.0 + ky - g.rows.paddingBefore
        guard row >= 0, row < g.height else { continue }
        let source = window + ky * rowSize + inside.lowerBound * g.inputs
        let target = photo + (row * g.width + left + inside.lowerBound) * g.inputs
        for index in 0..<inside.count * g.inputs { target[index] += source[index] }
      }
    }
  }
}

/// Where the window of output column `x` starts, and which of its columns lie in the picture.
private func columnsInside(_ x: Int, _ g: ConvolutionGeometry) -> (left: Int, inside: Range<Int>) {
  let left = x * g.strides.1 - g.columns.paddingBefore
  let lower = min(max(0, -left), g.kernelWidth)
  return (left, lower..<max(lower, min(g.kernelWidth, g.width - left)))
}
