internal import CKernels

/// 3x3 convolution with stride 1 and its gradients by Winograd's F(4x4, 3x3) or F(3x3, 3x3), for
/// kernels that change with every step.
///
/// What forward does is linear: patches of the picture become 36 (25) matrices, which are
/// multiplied by as many matrices of the kernels, and the products become pixels. The gradient for the kernels is
/// the transpose of those steps. The gradient for the input is itself such a convolution, of the
/// output's gradient with the kernels turned and transposed. Kernels are transformed for a few
/// outputs at a time, just before a worker multiplies by them: they never go to memory.
struct WinogradTraining: @unchecked Sendable {
  /// Tiles whose patches are transformed at once: 36 x 256 x 528 floats are 19 MB.
  private static let mostTiles = 256
  private let g: ConvolutionGeometry
  private let kernels: ck_table
  private let training: ck_training_table
  private let panel: Int
  /// The side of a tile: 4 or 3.
  private let tile: Int
  private let matrixCount: Int

  /// The side of the tiles that need the fewest multiplications, nil where windows are better.
  ///
  /// The tiles must be well used, and enough of them to pay for the transformation of the kernels.
  private static func tile(for g: ConvolutionGeometry) -> Int? {
    guard g.kernelHeight == 3, g.kernelWidth == 3, g.strides == (1, 1), g.inputs % 16 == 0,
      g.outputs % 16 == 0, min(g.inputs, g.outputs) >= 32, min(g.height, g.width) >= 3
    else { return nil }
    func tiles(_ side: Int) -> Int {
      (g.rows.outputSize + side - 1) / side * ((g.columns.outputSize + side - 1) / side)
    }
    let best = tiles(4) * 36 < tiles(3) * 25 ? 4 : 3
    let products = tiles(best) * (best + 2) * (best + 2)
    return products * 3 <= g.positions * 9 * 2 && g.n * tiles(best) >= 48 ? best : nil
  }

  /// Nil where multiplying windows is better.
  init?(_ g: ConvolutionGeometry, kernels table: KernelTable) {
    guard let tile = WinogradTraining.tile(for: g) else { return nil }
    self.tile = tile
    matrixCount = (tile + 2) * (tile + 2)
    self.g = g
    kernels = table.functions
    training = table.training
    panel = Int(kernels.panel)
  }

  /// `y = x * kernel + bias` as the layer defines it; `y` need not be cleared before.
  func forward(
    _ x: UnsafePointer<Float>, kernel: UnsafePointer<Float>, bias: [Float]?,
    into y: UnsafeMutablePointer<Float>
  ) {
    let picture = WinogradPictures(
      base: x, height: g.height, width: g.width, channels: g.inputs,
      top: g.rows.paddingBefore, left: g.columns.paddingBefore,
      tile: tile, outputHeight: g.rows.outputSize, outputWidth: g.columns.outputSize)
    convolve(
      picture, kernel, isTurned: false, bias: bias, into: y,
      height: g.rows.outputSize, width: g.columns.outputSize, channels: g.outputs)
  }

  /// The gradient for `x`, given that of `y`; `dx` need not be cleared before.
  func inputGradient(
    _ dy: UnsafePointer<Float>, kernel: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>
  ) {
    let picture = WinogradPictures(
      base: dy, height: g.rows.outputSize, width: g.columns.outputSize, channels: g.outputs,
      top: 2 - g.rows.paddingBefore, left: 2 - g.columns.paddingBefore,
      tile: tile, outputHeight: g.height, outputWidth: g.width)
    convolve(
      picture, kernel, isTurned: true, bias: nil, into: dx,
      height: g.height, width: g.width, channels: g.inputs)
  }

  private func convolve(
    _ pictures: WinogradPictures, _ kernel: UnsafePointer<Float>, isTurned: Bool, bias: [Float]?,
    into output: UnsafeMutablePointer<Float>, height: Int, width: Int, channels: Int
  ) {
    let padded = (channels + panel - 1) / panel * panel
    let start = PackedBuffer(bias ?? [], paddedTo: padded)
    let groups = self.groups(of: padded)
    let target = WinogradTarget(
      base: output, height: height, width: width, channels: channels, bias: start)
    forEachBlock(of: pictures) { block, patches in
      let layout = WinogradLayout(
        matrixCount: matrixCount, tiles: block.count, inputs: pictures.channels,
        outputs: groups[0].count)
      let workers = Threads.count
      WorkingMemory.borrow(workers * layout.size(isTurned: isTurned)) { scratch in
        nonisolated(unsafe) let scratch = scratch
        parallelItems(groups.count, workers: workers) { worker, item in
          let mine = scratch + worker * layout.size(isTurned: isTurned)
          transform(kernel, groups[item], isTurned: isTurned, layout, into: mine)
          multiply(patches, by: mine, groups[item].count, layout)
          store(block, of: pictures, groups[item], mine + layout.products, layout, target)
        }
      }
    }
  }

  /// Transforms the kernels of some outputs into panels: matrices `[inputs, panel]`.
  private func transform(
    _ kernel: UnsafePointer<Float>, _ outputs: Range<Int>, isTurned: Bool,
    _ layout: WinogradLayout, into scratch: UnsafeMutablePointer<Float>
  ) {
    let tap = g.inputs * g.outputs
    let inputs = layout.inputs
    for first in stride(from: outputs.lowerBound, to: outputs.upperBound, by: panel) {
      let result = scratch + (first - outputs.lowerBound) * inputs
      let columns = min(panel, (isTurned ? g.inputs : g.outputs) - first)
      if isTurned {
        let turned = scratch + layout.turned
        for i in 0..<9 {
          kernels.f32_pack_transposed(
            kernel + i * tap + first * g.outputs, g.outputs, columns, inputs,
            turned + i * inputs * panel)
        }
        // Turned by half a circle: the last tap comes first.
        for input in 0..<inputs {
          kernels.f32_winograd_kernel(
            Int32(tile), turned + 8 * inputs * panel + input * panel, -inputs * panel, panel,
            result + input * panel, layout.kernelStride)
        }
      } else {
        for input in 0..<inputs {
          kernels.f32_winograd_kernel(
            Int32(tile), kernel + input * g.outputs + first, tap, columns, result + input * panel,
            layout.kernelStride)
        }
      }
    }
  }

  private func multiply(
    _ patches: UnsafePointer<Float>, by scratch: UnsafeMutablePointer<Float>, _ outputs: Int,
    _ layout: WinogradLayout
  ) {
    var call = ck_product()
    call.a_row = layout.patchRow
    call.a_column = 1
    call.segments = 1
    call.depth = layout.inputs
    call.c_row = layout.outputs
    call.rows = layout.tiles
    call.columns = panel
    for matrix in 0..<matrixCount {
      call.a = patches + matrix * layout.patchStride
      for first in stride(from: 0, to: outputs, by: panel) {
        call.b = UnsafePointer(scratch + matrix * layout.kernelStride + first * layout.inputs)
        let isLast = first + panel >= outputs
        call.next_a = isLast ? call.a + layout.patchStride : call.a
        call.next_b =
          isLast
          ? UnsafePointer(scratch + (matrix + 1) * layout.kernelStride)
          : call.b + panel * layout.inputs
        call.c = scratch + layout.products + matrix * layout.productStride + first
        kernels.f32_product(&call)
      }
    }
  }

  private func store(
    _ block: Range<Int>, of pictures: WinogradPictures, _ outputs: Range<Int>,
    _ products: UnsafeMutablePointer<Float>, _ layout: WinogradLayout, _ target: WinogradTarget
  ) {
    var call = ck_winograd_output()
    call.tile = Int32(tile)
    call.matrix = layout.productStride
    call.row = target.width * target.channels
    call.pixel = target.channels
    call.channels = min(outputs.upperBound, target.channels) - outputs.lowerBound
    call.bias = UnsafePointer(target.bias.floats + outputs.lowerBound)
    for index in block {
      let (photo, y, x) = pictures.place(of: index)
      call.rows = Int32(min(tile, target.height - tile * y))
      call.columns = Int32(min(tile, target.width - tile * x))
      let pixel = (photo * target.height + tile * y) * target.width + tile * x
      call.pixels = target.base + pixel * target.channels + outputs.lowerBound
      call.matrices = UnsafePointer(products + (index - block.lowerBound) * layout.outputs)
      kernels.f32_winograd_output(&call)
    }
  }

  /// The gradient for the kernels, given that of `y`; `result` need not be cleared before.
  func kernelGradient(
    _ dy: UnsafePointer<Float>, x: UnsafePointer<Float>,
    into result: UnsafeMutablePointer<Float>
  ) {
    let pictures = WinogradPictures(
      base: x, height: g.height, width: g.width, channels: g.inputs,
      top: g.rows.paddingBefore, left: g.columns.paddingBefore,
      tile: tile, outputHeight: g.rows.outputSize, outputWidth: g.columns.outputSize)
    let groups = self.groups(of: (g.outputs + panel - 1) / panel * panel)
    let target = UncheckedPointer(result)
    forEachBlock(of: pictures) { block, patches in
      let layout = WinogradLayout(
        matrixCount: matrixCount, tiles: block.count, inputs: g.inputs,
        outputs: groups[0].count)
      let workers = Threads.count
      WorkingMemory.borrow(workers * layout.gradientSize) { scratch in
        nonisolated(unsafe) let scratch = scratch
        parallelItems(groups.count, workers: workers) { worker, item in
          let mine = scratch + worker * layout.gradientSize
          transformGradient(dy, block, of: pictures, groups[item], layout, into: mine)
          for rows in PlanProgram.chunks(of: g.inputs, atMost: WinogradLayout.gradientRows) {
            multiplyGradient(patches, rows, groups[item], layout, mine)
            storeGradient(
              rows, groups[item], layout, mine + layout.products, target.base,
              adds: block.lowerBound > 0)
          }
        }
      }
    }
  }

  /// The output's gradient for some channels as matrices in panels: `[tiles, panel]` each.
  private func transformGradient(
    _ dy: UnsafePointer<Float>, _ block: Range<Int>, of pictures: WinogradPictures,
    _ outputs: Range<Int>, _ layout: WinogradLayout, into scratch: UnsafeMutablePointer<Float>
  ) {
    let (height, width) = (g.rows.outputSize, g.columns.outputSize)
    var call = ck_winograd_gradient()
    call.tile = Int32(tile)
    call.row = width * g.outputs
    call.pixel = g.outputs
    call.matrix = layout.gradientStride
    for index in block {
      let (photo, y, x) = pictures.place(of: index)
      call.rows = Int32(min(tile, height - tile * y))
      call.columns = Int32(min(tile, width - tile * x))
      for first in stride(from: outputs.lowerBound, to: outputs.upperBound, by: panel) {
        call.channels = min(panel, g.outputs - first)
        call.pixels = dy + ((photo * height + tile * y) * width + tile * x) * g.outputs + first
        call.matrices =
          scratch + (first - outputs.lowerBound) * layout.tiles
          + (index - block.lowerBound) * panel
        training.f32_winograd_gradient(&call)
      }
    }
  }

  private func multiplyGradient(
    _ patches: UnsafePointer<Float>, _ rows: Range<Int>, _ outputs: Range<Int>,
    _ layout: WinogradLayout, _ scratch: UnsafeMutablePointer<Float>
  ) {
    var call = ck_product()
    call.a_row = 1
    call.a_column = layout.patchRow
    call.segments = 1
    call.depth = layout.tiles
    call.c_row = layout.outputs
    call.rows = rows.count
    call.columns = panel
    for matrix in 0..<matrixCount {
      call.a = patches + matrix * layout.patchStride + rows.lowerBound
      for first in stride(from: 0, to: outputs.count, by: panel) {
        call.b = UnsafePointer(scratch + matrix * layout.gradientStride + first * layout.tiles)
        call.c = scratch + layout.products + matrix * layout.gradientProductStride + first
        kernels.f32_product(&call)
      }
    }
  }

  private func storeGradient(
    _ rows: Range<Int>, _ outputs: Range<Int>, _ layout: WinogradLayout,
    _ products: UnsafeMutablePointer<Float>, _ result: UnsafeMutablePointer<Float>, adds: Bool
  ) {
    var call = ck_winograd_kernel_gradient()
    call.tile = Int32(tile)
    call.matrix = layout.gradientProductStride
    call.tap = g.inputs * g.outputs
    call.count = min(outputs.upperBound, g.outputs) - outputs.lowerBound
    call.adds = adds
    for row in rows {
      call.matrices = UnsafePointer(products + (row - rows.lowerBound) * layout.outputs)
      call.gradient = result + row * g.outputs + outputs.lowerBound
      training.f32_winograd_kernel_gradient(&call)
    }
  }

  /// Calls `body` with some tiles at a time and the matrices of their patches, `[tiles, channels]`.
  private func forEachBlock(
    of pictures: WinogradPictures, _ body: (Range<Int>, UnsafePointer<Float>) -> Void
  ) {
    let tiles = g.n * pictures.tilesDown * pictures.tilesAcross
    let blocks = PlanProgram.chunks(of: tiles, atMost: WinogradTraining.mostTiles)
    guard let largest = blocks.first?.count else { return }
    let layout = WinogradLayout(
      matrixCount: matrixCount, tiles: largest, inputs: pictures.channels, outputs: 0)
    WorkingMemory.borrow(matrixCount * layout.patchStride) { patches in
      for block in blocks {
        let stride = WinogradLayout(
          matrixCount: matrixCount, tiles: block.count, inputs: pictures.channels, outputs: 0
        ).patchStride
        pictures.transform(
          block, into: patches, row: layout.patchRow, matrix: stride, kernels: kernels)
        body(block, UnsafePointer(patches))
      }
    }
  }

  /// Outputs, padded to whole panels, that a worker takes together.
  private func groups(of padded: Int) -> [Range<Int>] {
    let size = max(panel, 64 / panel * panel)
    return stride(from: 0, to: padded, by: size).map { $0..<min($0 + size, padded) }
  }
}

/// Pictures that are read as overlapping patches.
private struct WinogradPictures: @unchecked Sendable {
  let base: UnsafePointer<Float>
  let height: Int
  let width: Int
  let channels: Int
  /// Zeros above and left of the picture.
  let top: Int
  let left: Int
  let tile: Int
  let outputHeight: Int
  let outputWidth: Int

  var tilesDown: Int { (outputHeight + tile - 1) / tile }
  var tilesAcross: Int { (outputWidth + tile - 1) / tile }

  func place(of index: Int) -> (photo: Int, y: Int, x: Int) {
    let perPhoto = tilesDown * tilesAcross
    let rest = index % perPhoto
    return (index / perPhoto, rest / tilesAcross, rest % tilesAcross)
  }

  func transform(
    _ tiles: Range<Int>, into patches: UnsafeMutablePointer<Float>, row: Int, matrix: Int,
    kernels: ck_table
  ) {
    let parts = PlanProgram.chunks(of: tiles.count, atMost: 4)
    nonisolated(unsafe) let patches = patches
    parallelItems(parts.count, workers: Threads.count) { _, item in
      var call = ck_winograd_input()
      call.tile = Int32(tile)
      call.row = width * channels
      call.pixel = channels
      call.matrix = matrix
      call.channels = channels
      for index in parts[item] {
        let (photo, y, x) = place(of: tiles.lowerBound + index)
        let (top, left) = (tile * y - self.top, tile * x - self.left)
        call.patch = base + ((photo * height + top) * width + left) * channels
        call.top = Int32(max(0, -top))
        call.left = Int32(max(0, -left))
        call.bottom = Int32(min(tile + 2, height - top))
        call.right = Int32(min(tile + 2, width - left))
        call.matrices = patches + index * row
        kernels.f32_winograd_input(&call)
      }
    }
  }
}

/// Where the outputs go.
private struct WinogradTarget: @unchecked Sendable {
  let base: UnsafeMutablePointer<Float>
  let height: Int
  let width: Int
  let channels: Int
  let bias: PackedBuffer
}

/// Where the matrices of some tiles and a group of outputs lie, in floats.
///
/// Strides between matrices are odd numbers of cache lines, so that they do not share cache sets.
private struct WinogradLayout: Sendable {
  /// Rows of the kernels' gradient that are computed together.
  static let gradientRows = 48
  let matrixCount: Int
  let tiles: Int
  let inputs: Int
  let outputs: Int

  var patchRow: Int { inputs + 16 }
  var patchStride: Int { spread(tiles * patchRow) }
  var kernelStride: Int { spread(inputs * outputs) }
  var productStride: Int { spread(tiles * outputs) }
  var gradientStride: Int { spread(tiles * outputs) }
  var gradientProductStride: Int { spread(WinogradLayout.gradientRows * outputs) }

  /// Products lie behind the matrices that the patches are multiplied by.
  var products: Int { matrixCount * max(kernelStride, gradientStride) }
  /// Turned kernels lie behind the products.
  var turned: Int { products + matrixCount * productStride }
  var gradientSize: Int { products + matrixCount * gradientProductStride }

  func size(isTurned: Bool) -> Int { turned + (isTurned ? 9 * inputs * outputs : 0) }

  private func spread(_ floats: Int) -> Int { ((floats + 15) / 16 | 1) * 16 }
}
