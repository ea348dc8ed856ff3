internal import CKernels

/// One kernel on small made-up data, to compare instruction sets with each other.
package struct KernelCase: Sendable {
  package let name: String
  /// Multiplications and additions of one call; for transforms what the formulas spell out, for
  /// packing the numbers moved.
  package let operations: Int
  private let inputCount: Int
  private let outputCount: Int
  private let prepare: @Sendable (ck_table) -> Call

  /// Computes the output from the input.
  private typealias Call = (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void

  /// Calls the kernel `repetitions` times on the same data.
  ///
  /// - Returns: the seconds that all calls took, and what the last one left. The result has the
  ///   same order on every instruction set.
  package func run(
    on table: KernelTable, repetitions: Int = 1
  ) -> (seconds: Double, result: [Float]) {
    var random = SeededRandom(seed: 1)
    let input = PackedBuffer(
      (0..<inputCount).map { _ in 2 * random.uniform() - 1 }, paddedTo: inputCount)
    let output = PackedBuffer([], paddedTo: outputCount)
    let call = prepare(table.functions)
    let elapsed = ContinuousClock().measure {
      for _ in 0..<repetitions { call(UnsafePointer(input.floats), output.floats) }
    }.components
    return (
      Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18,
      Array(UnsafeBufferPointer(start: output.floats, count: outputCount))
    )
  }

  /// Every kernel of the table.
  package static let all: [KernelCase] =
    [(48, 64, 64), (48, 64, 256), (47, 40, 512), (1, 64, 512)].map(product)
    + [4, 3, 5, 6].flatMap { [input(tile: $0), output(tile: $0), kernel(tile: $0)] }
    + [24, 64].map(depthwise)
    + [transposedPacking, largest, sum, roundedProduct, rounding]
    + [4, 3].map { input(tile: $0, precision: .bf16) }

  /// A product whose operands stay in the first cache.
  static let smallProduct = product(rows: 48, columns: 32, depth: 64)

  private static func product(rows: Int, columns: Int, depth: Int) -> KernelCase {
    KernelCase(
      name: "f32_product \(rows)x\(columns)x\(depth)", operations: 2 * rows * columns * depth,
      inputCount: rows * depth, outputCount: rows * columns
    ) { kernels in
      var random = SeededRandom(seed: 2)
      let weights = PackedWeights(
        kernel: Tensor(
          shape: [depth, columns],
          scalars: (0..<depth * columns).map { _ in 2 * random.uniform() - 1 }),
        kernels: kernels)
      return { input, output in
        var call = ck_product()
        (call.a, call.a_row, call.a_column) = (input, depth, 1)
        (call.segments, call.depth, call.rows, call.c_row) = (1, depth, rows, columns)
        for panel in 0..<weights.panelCount {
          call.b = weights.panel(panel, scratch: output)
          call.c = output + panel * weights.panel
          call.columns = min(weights.panel, columns - panel * weights.panel)
          kernels.f32_product(&call)
        }
      }
    }
  }

  private static let channels = 64

  private static func input(tile: Int, precision: Precision = .f32) -> KernelCase {
    let side = tile + 2
    return KernelCase(
      name: "\(precision)_winograd_input \(tile)x\(tile)",
      operations: 2 * side * [20, 24, 38, 44][tile - 3] * channels,
      inputCount: side * side * channels, outputCount: side * side * channels
    ) { kernels in
      { input, output in
        var call = ck_winograd_input()
        (call.tile, call.bottom, call.right) = (Int32(tile), Int32(side), Int32(side))
        (call.patch, call.pixel, call.row) = (input, channels, side * channels)
        (call.matrices, call.matrix, call.channels) = (output, channels, channels)
        if precision == .f32 { return kernels.f32_winograd_input(&call) }
        call.matrix = channels / 2
        kernels.bf16_winograd_input(&call)
        widen(output, count: side * side * channels)
      }
    }
  }

  /// Turns bf16 numbers into floats, from the last to the first: they lie in the same place.
  private static func widen(_ numbers: UnsafeMutablePointer<Float>, count: Int) {
    UnsafeRawPointer(numbers).withMemoryRebound(to: UInt16.self, capacity: count) { halves in
      for i in (0..<count).reversed() {
        numbers[i] = Float(bitPattern: UInt32(halves[i]) << 16)
      }
    }
  }

  /// Random floats become slots, which are multiplied.
  private static let roundedProduct = KernelCase(
    name: "bf16_product 47x40x512", operations: 2 * 47 * 40 * 512, inputCount: 47 * 512,
    outputCount: 47 * 40
  ) { kernels in
    var random = SeededRandom(seed: 2)
    let weights = PackedWeights(
      kernel: Tensor(
        shape: [512, 40], scalars: (0..<512 * 40).map { _ in 2 * random.uniform() - 1 }),
      precision: .bf16, kernels: kernels)
    let slots = PackedBuffer(count: 47 * 256)
    return { input, output in
      kernels.bf16_round(input, slots.floats, 47 * 512)
      var call = ck_product()
      (call.a, call.a_row, call.a_column) = (UnsafePointer(slots.floats), 256, 1)
      (call.segments, call.depth, call.rows, call.c_row) = (1, 256, 47, 40)
      for panel in 0..<weights.panelCount {
        call.b = weights.panel(panel, scratch: output)
        call.c = output + panel * weights.panel
        call.columns = min(weights.panel, 40 - panel * weights.panel)
        kernels.bf16_product(&call)
      }
    }
  }

  private static let rounding = KernelCase(
    name: "bf16_round 1001", operations: 1001, inputCount: 1001, outputCount: 1001
  ) { kernels in
    { input, output in
      kernels.bf16_round(input, output, 1001)
      widen(output, count: 1001)
    }
  }

  private static func output(tile: Int) -> KernelCase {
    let side = tile + 2
    return KernelCase(
      name: "f32_winograd_output \(tile)x\(tile)",
      operations: (side + tile) * [13, 18, 30, 38][tile - 3] * channels,
      inputCount: (side * side + 1) * channels, outputCount: tile * tile * channels
    ) { kernels in
      { input, output in
        var call = ck_winograd_output()
        (call.tile, call.rows, call.columns) = (Int32(tile), Int32(tile), Int32(tile))
        (call.matrices, call.matrix, call.channels) = (input, channels, channels)
        (call.pixels, call.pixel, call.row) = (output, channels, tile * channels)
        (call.bias, call.relu) = (input + side * side * channels, true)
        kernels.f32_winograd_output(&call)
      }
    }
  }

  private static func kernel(tile: Int) -> KernelCase {
    let side = tile + 2
    return KernelCase(
      name: "f32_winograd_kernel \(tile)x\(tile)", operations: (3 + side) * 14 * channels,
      inputCount: 9 * channels, outputCount: side * side * channels
    ) { kernels in
      { input, output in
        for column in stride(from: 0, to: channels, by: Int(kernels.panel)) {
          kernels.f32_winograd_kernel(
            Int32(tile), input + column, channels, Int(kernels.panel), output + column, channels)
        }
      }
    }
  }

  /// A row of 3x3 windows with stride 1.
  private static func depthwise(channels: Int) -> KernelCase {
    let outputs = 21
    let row = (outputs + 2) * channels
    return KernelCase(
      name: "f32_depthwise \(channels)", operations: 18 * outputs * channels,
      inputCount: 3 * row + 10 * channels, outputCount: outputs * channels
    ) { kernels in
      { input, output in
        var call = ck_depthwise()
        (call.x, call.step, call.tap_row, call.tap) = (input, channels, row, channels)
        (call.tap_rows, call.tap_columns, call.kernel_row) = (3, 3, 3 * channels)
        (call.kernel, call.bias) = (input + 3 * row, input + 3 * row + 9 * channels)
        (call.y, call.count, call.channels) = (output, outputs, channels)
        (call.floor, call.ceiling) = (0, 6)
        kernels.f32_depthwise(&call)
      }
    }
  }

  private static let transposedPacking = KernelCase(
    name: "f32_pack_transposed 64x100", operations: 6400, inputCount: 6400, outputCount: 6400
  ) { kernels in
    // Panels differ between instruction sets: unpacked again, so that results compare.
    let packed = PackedBuffer(count: 6400)
    let panel = Int(kernels.panel)
    return { input, output in
      for start in stride(from: 0, to: 64, by: panel) {
        kernels.f32_pack_transposed(input + start * 100, 100, panel, 100, packed.floats)
        for row in 0..<100 {
          (output + row * 64 + start).update(from: packed.floats + row * panel, count: panel)
        }
      }
    }
  }

  private static let largest = KernelCase(
    name: "f32_max 1001", operations: 1001, inputCount: 1001, outputCount: 1001
  ) { kernels in { kernels.f32_max($0, $1, 1001) } }

  private static let sum = KernelCase(
    name: "f32_add 1001", operations: 1001, inputCount: 1001, outputCount: 1001
  ) { kernels in { kernels.f32_add($0, $1, 1001) } }
}
