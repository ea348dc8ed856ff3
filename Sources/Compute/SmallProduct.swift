internal import CKernels

/// `y = x * w` for few rows of `x`: reading `w` once is most of the work, so it is not packed.
///
/// Blocks of `w` are multiplied apart and their sums added in order, so that results depend on
/// the shape alone, to the bit.
struct SmallProduct: @unchecked Sendable {
  /// Rows up to which this wins over packing `w`; measured for 8192 x 256.
  static let mostRows = 64
  /// Rows of `w` that one worker takes.
  private static let block = 1024
  let x: UnsafePointer<Float>
  let w: UnsafePointer<Float>
  let rows: Int
  let inputs: Int
  let outputs: Int
  var kernels = KernelTable.current

  /// Adds the product to `y [rows, outputs]`.
  func add(to y: UnsafeMutablePointer<Float>) {
    let blocks = PlanProgram.chunks(of: inputs, atMost: SmallProduct.block)
    let size = rows * outputs
    let sums = PackedBuffer(count: blocks.count * size)
    let table = kernels.training
    parallelItems(blocks.count, workers: Threads.count) { _, item in
      multiply(blocks[item], into: sums.floats + item * size, table)
    }
    for item in blocks.indices { kernels.functions.f32_add(sums.floats + item * size, y, size) }
  }

  private func multiply(
    _ block: Range<Int>, into sums: UnsafeMutablePointer<Float>, _ table: ck_training_table
  ) {
    // So many rows that few sums are loaded and stored again, while w stays in the second-level
    // cache for the next rows of x.
    let depth = max(8, min(32768 / max(outputs, 1), 512))
    var call = ck_small_product()
    call.b_row = outputs
    call.c = sums
    call.c_row = outputs
    call.rows = rows
    call.columns = outputs
    call.a_column = 1
    withScratch(rows * depth) { scratch in
      for first in stride(from: block.lowerBound, to: block.upperBound, by: depth) {
        call.depth = min(depth, block.upperBound - first)
        // Rows of a power of two floats would share cache sets.
        for row in 0..<rows {
          (scratch + row * call.depth).update(from: x + row * inputs + first, count: call.depth)
        }
        call.a = UnsafePointer(scratch)
        call.a_row = call.depth
        call.b = w + first * outputs
        table.f32_small_product(&call)
        call.accumulate = true
      }
    }
  }
}

/// `x^T * dy`, some rows at a time.
struct OuterProduct: @unchecked Sendable {
  let x: UnsafePointer<Float>
  let dy: UnsafePointer<Float>
  /// Rows of `x [rows, inputs]` and `dy [rows, outputs]`.
  let rows: Int
  let inputs: Int
  let outputs: Int

  /// Calls `body` with every range of elements and the product that they are, several at once.
  func forEachPiece(_ body: (Range<Int>, inout ck_small_product) -> Void) {
    guard inputs > 0, outputs > 0 else { return }
    // Enough work for a thread, in whole tiles, which have 4, 6 or 12 rows; what it needs of x
    // stays in the cache.
    let block = 96 * max(1, min(256 / outputs, 40))
    parallelItems((inputs + block - 1) / block, workers: Threads.count) { _, item in
      let range = item * block..<min((item + 1) * block, inputs)
      withScratch(rows * range.count) { columns in
        // Rows of a power of two floats would share cache sets.
        for row in 0..<rows {
          (columns + row * range.count).update(
            from: x + row * inputs + range.lowerBound, count: range.count)
        }
        var call = ck_small_product()
        call.a = UnsafePointer(columns)
        call.a_row = 1
        call.a_column = range.count
        call.b = dy
        call.b_row = outputs
        call.c_row = outputs
        call.rows = range.count
        call.columns = outputs
        call.depth = rows
        body(range.lowerBound * outputs..<range.upperBound * outputs, &call)
      }
    }
  }
}

/// Calls `body` with room for `count` floats that starts a cache line.
func withScratch(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
  withUnsafeTemporaryAllocation(
    byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 64
  ) { memory in
    guard let base = memory.baseAddress else { return }
    body(base.bindMemory(to: Float.self, capacity: max(count, 1)))
  }
}
