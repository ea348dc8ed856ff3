internal import CKernels

/// A matrix in row-major order, or the transpose of one.
package struct MatrixView: @unchecked Sendable {
  package let base: UnsafePointer<Float>
  /// Floats between rows as stored.
  package let stride: Int
  package let isTransposed: Bool

  /// - Parameters:
  ///   - stride: floats between two rows as stored.
  ///   - transposed: whether what is stored is the transpose of what is meant.
  package init(_ base: UnsafePointer<Float>, stride: Int, transposed: Bool = false) {
    (self.base, self.stride, isTransposed) = (base, stride, transposed)
  }
}

/// C = A * B, or C += A * B, with the micro-kernels of the inference plan.
///
/// Results do not depend on the number of threads, to the bit.
package enum PackedProduct {
  /// Floats of the inner side that are summed in registers before C is touched.
  private static let depth = 512
  /// Rows of A that a worker keeps in its cache: 168 x 512 floats are a third of 1 MB.
  private static let rows = 168
  /// Columns of B that are packed at once.
  private static let columns = 4096

  /// Multiplies A `[m, k]` by B `[k, n]` into C `[m, n]`, whose rows are `cStride` floats apart.
  package static func multiply(
    _ a: MatrixView, _ b: MatrixView, into c: UnsafeMutablePointer<Float>, cStride: Int,
    m: Int, n: Int, k: Int, accumulate: Bool = false, kernels table: KernelTable = .current
  ) {
    guard m > 0, n > 0 else { return }
    if k == 0 {
      if !accumulate { for row in 0..<m { (c + row * cStride).update(repeating: 0, count: n) } }
      return
    }
    let kernels = table.functions
    let panel = Int(kernels.panel)
    let packedColumns = (min(n, columns) + panel - 1) / panel * panel
    let packed = PackedBuffer(count: packedColumns * min(k, depth))
    let workers = Threads.count
    let scratch = PackedBuffer(count: workers * rows * (min(k, depth) + 16))
    for columnBlock in blocks(of: n, size: columns) {
      for depthBlock in blocks(of: k, size: depth) {
        let right = PackedColumns(
          buffer: packed, columns: columnBlock, depth: depthBlock, panel: panel)
        right.pack(b, kernels: kernels, workers: workers)
        let task = ProductTask(
          a: a, right: right, c: c, cStride: cStride, kernels: kernels,
          accumulate: accumulate || depthBlock.lowerBound > 0)
        task.run(rowBlocks: blocks(of: m, size: rows), scratch: scratch, workers: workers)
      }
    }
  }

  private static func blocks(of count: Int, size: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }
}

/// Some columns and rows of B in panels `[depth, panel]`.
private struct PackedColumns: Sendable {
  let buffer: PackedBuffer
  let columns: Range<Int>
  let depth: Range<Int>
  let panel: Int

  var panelCount: Int { (columns.count + panel - 1) / panel }

  func start(of index: Int) -> UnsafeMutablePointer<Float> {
    buffer.floats + index * panel * depth.count
  }

  /// Columns of B that panel `index` holds.
  func width(of index: Int) -> Int { min(panel, columns.count - index * panel) }

  func pack(_ b: MatrixView, kernels: ck_table, workers: Int) {
    parallelItems(panelCount, workers: workers) { _, index in
      let (target, width) = (start(of: index), width(of: index))
      let column = columns.lowerBound + index * panel
      if b.isTransposed {
        kernels.f32_pack_transposed(
          b.base + column * b.stride + depth.lowerBound, b.stride, width, depth.count, target)
        return
      }
      for row in 0..<depth.count {
        (target + row * panel).update(
          from: b.base + (depth.lowerBound + row) * b.stride + column, count: width)
        (target + row * panel + width).update(repeating: 0, count: panel - width)
      }
    }
  }
}

/// Every row of A times some packed columns of B.
private struct ProductTask: @unchecked Sendable {
  let a: MatrixView
  let right: PackedColumns
  let c: UnsafeMutablePointer<Float>
  let cStride: Int
  let kernels: ck_table
  let accumulate: Bool

  func run(rowBlocks: [Range<Int>], scratch: PackedBuffer, workers: Int) {
    // Few rows: the workers share the columns instead, and each packs the rows again.
    let wanted = workers == 1 ? 1 : max(1, (4 * workers + rowBlocks.count - 1) / rowBlocks.count)
    let groups = PlanProgram.chunks(
      of: right.panelCount, atMost: (right.panelCount + wanted - 1) / wanted)
    let stride = scratch.count / workers
    parallelItems(rowBlocks.count * groups.count, workers: workers) { worker, item in
      multiply(
        rowBlocks[item / groups.count], groups[item % groups.count],
        scratch.floats + worker * stride)
    }
  }

  private func multiply(
    _ rows: Range<Int>, _ panels: Range<Int>, _ scratch: UnsafeMutablePointer<Float>
  ) {
    var call = ck_product()
    (call.a_row, call.a_column) = pack(rows, into: scratch)
    call.a = UnsafePointer(scratch)
    call.segments = 1
    call.depth = right.depth.count
    call.c_row = cStride
    call.rows = rows.count
    call.accumulate = accumulate
    for panel in panels {
      call.b = UnsafePointer(right.start(of: panel))
      call.columns = right.width(of: panel)
      call.c = c + rows.lowerBound * cStride + right.columns.lowerBound + panel * right.panel
      kernels.f32_product(&call)
    }
  }

  /// Copies a block of A; tells how far apart its rows and its columns then are.
  private func pack(
    _ rows: Range<Int>, into scratch: UnsafeMutablePointer<Float>
  ) -> (row: Int, column: Int) {
    let depth = right.depth
    if a.isTransposed {
      for k in 0..<depth.count {
        (scratch + k * rows.count).update(
          from: a.base + (depth.lowerBound + k) * a.stride + rows.lowerBound, count: rows.count)
      }
      return (1, rows.count)
    }
    // A line between rows, so that rows of a power of two do not share cache sets.
    let stride = depth.count + 16
    for row in 0..<rows.count {
      (scratch + row * stride).update(
        from: a.base + (rows.lowerBound + row) * a.stride + depth.lowerBound, count: depth.count)
    }
    return (stride, 1)
  }
}
