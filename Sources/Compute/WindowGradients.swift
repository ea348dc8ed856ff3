internal import CKernels

/// The gradients of any convolution, tap by tap of the window, read and added where they lie.
///
/// Tap `(u, v)` of a window sees one pixel for each output: a row of outputs and the pixels that
/// it sees through one tap are the two sides of a product, and nothing has to be laid out.
struct WindowGradients: @unchecked Sendable {
  let g: ConvolutionGeometry
  let kernels: KernelTable

  /// Whether windows are the pixels themselves, so that the batch is one matrix.
  private var isMatrix: Bool {
    g.kernelHeight == 1 && g.kernelWidth == 1 && g.strides == (1, 1)
  }

  /// `dW[u, v] = sum over outputs of x[seen through (u, v)]^T * dy`; `result` need not be cleared.
  func kernelGradient(
    _ dy: UnsafePointer<Float>, x: UnsafePointer<Float>,
    into result: UnsafeMutablePointer<Float>
  ) {
    if isMatrix {
      return PackedProduct.multiply(
        MatrixView(x, stride: g.inputs, transposed: true), MatrixView(dy, stride: g.outputs),
        into: result, cStride: g.outputs, m: g.inputs, n: g.outputs, k: g.n * g.positions,
        kernels: kernels)
    }
    result.update(repeating: 0, count: g.windowSize * g.outputs)
    let table = kernels.training
    // Inputs whose sums stay in the cache while all photos go by.
    let blocks = PlanProgram.chunks(of: g.inputs, atMost: max(12, 24_576 / max(g.outputs, 1)))
    let sums = UncheckedPointer(result)
    parallelItems(g.kernelHeight * g.kernelWidth * blocks.count, workers: Threads.count) {
      _, item in
      let (tap, inputs) = (item / blocks.count, blocks[item % blocks.count])
      var call = ck_small_product()
      call.a_row = 1
      call.a_column = g.strides.1 * g.inputs
      call.b_row = g.outputs
      call.c = sums.base + (tap * g.inputs + inputs.lowerBound) * g.outputs
      call.c_row = g.outputs
      call.rows = inputs.count
      call.columns = g.outputs
      call.accumulate = true
      for photo in 0..<g.n {
        forEachRow(of: tap, photo) { output, pixel, count in
          call.a = x + pixel * g.inputs + inputs.lowerBound
          call.b = dy + output * g.outputs
          call.depth = count
          table.f32_small_product(&call)
        }
      }
    }
  }

  /// `dx[seen through (u, v)] += dy * W[u, v]^T`; `dx` need not be cleared.
  func inputGradient(
    _ dy: UnsafePointer<Float>, kernel: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>
  ) {
    if isMatrix {
      return PackedProduct.multiply(
        MatrixView(dy, stride: g.outputs),
        MatrixView(kernel, stride: g.outputs, transposed: true), into: dx, cStride: g.inputs,
        m: g.n * g.positions, n: g.inputs, k: g.outputs, kernels: kernels)
    }
    dx.update(repeating: 0, count: g.n * g.height * g.width * g.inputs)
    let table = kernels.functions
    let panel = Int(table.panel)
    let panels = (g.inputs + panel - 1) / panel
    let taps = g.kernelHeight * g.kernelWidth
    nonisolated(unsafe) let (source, sums) = (kernel, dx)
    WorkingMemory.borrow(panels * taps * g.outputs * panel) { memory in
      let packed = UncheckedPointer(memory)
      parallelItems(panels * taps, workers: Threads.count) { _, item in
        let first = item / taps * panel
        table.f32_pack_transposed(
          source + (item % taps * g.inputs + first) * g.outputs, g.outputs,
          min(panel, g.inputs - first), g.outputs, packed.base + item * g.outputs * panel)
      }
      // Photos and panels of inputs are written by one worker each.
      parallelItems(g.n * panels, workers: Threads.count) { _, item in
        let (photo, index) = (item / panels, item % panels)
        var call = ck_product()
        call.a_row = g.outputs
        call.a_column = 1
        call.segments = 1
        call.depth = g.outputs
        call.c_row = g.strides.1 * g.inputs
        call.columns = min(panel, g.inputs - index * panel)
        call.accumulate = true
        for tap in 0..<taps {
          call.b = UnsafePointer(packed.base + (index * taps + tap) * g.outputs * panel)
          forEachRow(of: tap, photo) { output, pixel, count in
            call.a = dy + output * g.outputs
            call.c = sums + pixel * g.inputs + index * panel
            call.rows = count
            table.f32_product(&call)
          }
        }
      }
    }
  }

  /// Calls `body` with the first of some outputs side by side, the first pixel that they see
  /// through a tap, and how many see one inside of the picture.
  private func forEachRow(
    of tap: Int, _ photo: Int, _ body: (_ output: Int, _ pixel: Int, _ count: Int) -> Void
  ) {
    let top = tap / g.kernelWidth - g.rows.paddingBefore
    let left = tap % g.kernelWidth - g.columns.paddingBefore
    let first = max(0, (g.strides.1 - 1 - left) / g.strides.1)
    let end = min(g.columns.outputSize, (g.width - 1 - left + g.strides.1) / g.strides.1)
    guard first < end, left < g.width else { return }
    for y in 0..<g.rows.outputSize {
      let row = y * g.strides.0 + top
      guard row >= 0, row < g.height else { continue }
      body(
        (photo * g.rows.outputSize + y) * g.columns.outputSize + first,
        (photo * g.height + row) * g.width + first * g.strides.1 + left, end - first)
    }
  }
}

/// Where several threads write, each its own part.
struct UncheckedPointer: @unchecked Sendable {
  let base: UnsafeMutablePointer<Float>
  init(_ base: UnsafeMutablePointer<Float>) { self.base = base }
}
