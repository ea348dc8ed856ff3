internal import CKernels

/// 3x3 convolution with stride 1 by Winograd's F(m x m, 3x3): for tiles of 4x4 outputs a quarter of
/// the multiplications.
///
/// Tiles are cut from the photos in order. Their patches, m + 2 pixels wide, become (m + 2)^2
/// matrices `[tiles, cin]`, which are multiplied by as many transformed kernels `[cin, cout]`; the
/// products become outputs, with bias, ReLU and, where m is even, 2x2 max pooling on the way. A
/// worker takes a block of tiles through all of it while they stay in its cache and the next
/// kernels are fetched. Few tiles are transformed once, and workers share the kernels out; where
/// there will be no more tiles than that, kernels are transformed as they are used.
struct WinogradConvolution: UnaryPlanOperation {
  private let filter: PlanFilter
  private let tile: Int
  private let precision: Precision
  private let storage: OperationStorage
  private let kernels: ck_table
  private let weights: WinogradWeights
  private let bias: PackedBuffer
  private let tilesDown: Int
  private let tilesAcross: Int
  private let schedule: WinogradSchedule

  init(
    filter: PlanFilter, tile: Int, precision: Precision,
    storage: OperationStorage = OperationStorage(), kernels table: KernelTable,
    photos: Int? = nil
  ) {
    self.tile = tile
    self.storage = storage
    self.precision = precision
    kernels = table.functions
    tilesDown = (filter.window.rows.outputSize + tile - 1) / tile
    tilesAcross = (filter.window.columns.outputSize + tile - 1) / tile
    let tiles = photos.map { [tilesDown, tilesAcross] in $0 * tilesDown * tilesAcross }
    schedule = WinogradSchedule(
      tile: tile, inputs: filter.window.channels / (precision == .bf16 ? 2 : 1),
      outputs: filter.outputChannels, panel: Int(kernels.panel), allTiles: tiles)
    weights = WinogradWeights(
      kernel: filter.kernel, tile: tile, precision: precision, kernels: kernels,
      areKept: tiles ?? .max > schedule.mostTiles)
    bias = PackedBuffer(filter.bias ?? [], paddedTo: weights.paddedOutputs)
    self.filter = filter.withoutKernel
  }

  var algorithm: String { "winograd \(tile)x\(tile)" + precision.suffix }

  /// The tiles at the right and the bottom are counted whole.
  var multiplicationShare: Double {
    Double(tilesDown * tilesAcross * weights.matrixCount)
      / Double(9 * filter.window.outputPixels)
  }

  var workerScratch: Int {
    weights.matrixCount * (schedule.productStride + schedule.patchStride)
      + weights.scratch(panels: schedule.panels)
  }

  var sharedScratch: Int { weights.matrixCount * schedule.patchStride }

  func run(
    photos: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    let tiles = photos * tilesDown * tilesAcross
    let workers = scratch.workerCount
    if tiles <= schedule.mostTiles {
      runShared(0..<tiles, input, output, scratch)
      return
    }
    let blocks = PlanProgram.chunks(
      of: tiles, atMost: schedule.blockSize(tiles: tiles, workers: workers))
    let groups = weights.panelGroups(of: schedule.panels)
    let pictures = Pictures(start: input, photoStride: filter.window.inputCount)
    parallelItems(blocks.count, workers: workers) { worker, item in
      run(blocks[item], groups, pictures, output, scratch.worker(worker))
    }
  }

  /// Takes a block of tiles through all steps.
  private func run(
    _ block: Range<Int>, _ groups: [Range<Int>], _ pictures: Pictures,
    _ output: UnsafeMutablePointer<Float>, _ patches: UnsafeMutablePointer<Float>
  ) {
    transform(block, of: block, pictures, patches)
    let rest = patches + weights.matrixCount * schedule.patchStride
    for panels in groups { multiply(block, panels, patches, rest, output) }
  }

  /// Pictures, or some rows of one, that patches are taken from.
  private struct Pictures {
    let start: UnsafePointer<Float>
    let photoStride: Int
    var firstRow = 0
  }

  private func runShared(
    _ block: Range<Int>, _ input: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>,
    _ scratch: PlanScratch
  ) {
    let pieces = PlanProgram.chunks(of: block.count, atMost: 4)
    let pictures = Pictures(start: input, photoStride: filter.window.inputCount)
    parallelItems(pieces.count, workers: scratch.workerCount) { _, item in
      let piece = pieces[item]
      transform(
        block.lowerBound + piece.lowerBound..<block.lowerBound + piece.upperBound, of: block,
        pictures, scratch.shared)
    }
    let groups = weights.panelGroups(of: schedule.panels)
    parallelItems(groups.count, workers: scratch.workerCount) { worker, item in
      multiply(block, groups[item], scratch.shared, scratch.worker(worker), output)
    }
  }

  /// Transforms the patches of `tiles` into the matrices of `block`.
  private func transform(
    _ tiles: Range<Int>, of block: Range<Int>, _ pictures: Pictures,
    _ patches: UnsafeMutablePointer<Float>
  ) {
    let window = filter.window
    let channels = window.channels
    var call = ck_winograd_input()
    call.patch_is_bf16 = storage.input == .bf16
    call.tile = Int32(tile)
    call.row = window.width * channels
    call.pixel = channels
    call.matrix = schedule.patchStride
    call.channels = channels
    for index in tiles {
      let (photo, y, x) = place(of: index)
      let top = tile * y - window.rows.paddingBefore
      let left = tile * x - window.columns.paddingBefore
      call.patch = storage.input.address(
        pictures.start,
        photo * pictures.photoStride
          + ((top - pictures.firstRow) * window.width + left) * channels)
      call.top = Int32(max(0, -top))
      call.left = Int32(max(0, -left))
      call.bottom = Int32(min(tile + 2, window.height - top))
      call.right = Int32(min(tile + 2, window.width - left))
      call.matrices = patches + (index - block.lowerBound) * schedule.patchRow
      switch precision {
      case .f32: kernels.f32_winograd_input(&call)
      case .bf16: kernels.bf16_winograd_input(&call)
      }
    }
  }

  /// Multiplies the patches of `block` by some panels of kernels and stores those outputs.
  private func multiply(
    _ block: Range<Int>, _ panels: Range<Int>, _ patches: UnsafeMutablePointer<Float>,
    _ products: UnsafeMutablePointer<Float>, _ output: UnsafeMutablePointer<Float>
  ) {
    let kernel = weights.panels(
      panels, scratch: products + weights.matrixCount * schedule.productStride)
    var call = ck_product()
    call.a_row = schedule.patchRow
    call.a_column = 1
    call.segments = 1
    call.depth = weights.depth
    if precision == .f32 { call.sum_length = schedule.sumLength }
    call.c_row = schedule.productRow
    call.rows = block.count
    call.columns = weights.panel
    for matrix in 0..<weights.matrixCount {
      call.a = UnsafePointer(patches + matrix * schedule.patchStride)
      for panel in panels {
        call.b = kernel.panel(panel, of: matrix)
        if panel + 1 < panels.upperBound {
          (call.next_a, call.next_b) = (call.a, kernel.panel(panel + 1, of: matrix))
        } else if matrix + 1 < weights.matrixCount {
          call.next_a = call.a + schedule.patchStride
          call.next_b = kernel.panel(panels.lowerBound, of: matrix + 1)
        } else {
          call.next_a = UnsafePointer(patches)
          call.next_b = kernel.next
        }
        call.c =
          products + matrix * schedule.productStride
          + (panel - panels.lowerBound) * weights.panel
        switch precision {
        case .f32: kernels.f32_product(&call)
        case .bf16: kernels.bf16_product(&call)
        }
      }
    }
    store(block, panels, products, output)
  }

  private func store(
    _ block: Range<Int>, _ panels: Range<Int>, _ products: UnsafeMutablePointer<Float>,
    _ output: UnsafeMutablePointer<Float>
  ) {
    let outputs = filter.outputChannels
    let first = panels.lowerBound * weights.panel
    let side = filter.pooled ? tile / 2 : tile
    var call = ck_winograd_output()
    call.tile = Int32(tile)
    call.matrix = schedule.productStride
    call.row = filter.outputColumns * outputs
    call.pixel = outputs
    call.channels = min(panels.count * weights.panel, outputs - first)
    call.bias = UnsafePointer(bias.floats + first)
    call.relu = filter.ceiling != nil
    call.ceiling = PlanFilter.limit(filter.ceiling)
    call.pooled = filter.pooled
    call.pixels_are_bf16 = storage.output == .bf16
    for index in block {
      let (photo, y, x) = place(of: index)
      call.rows = Int32(min(side, filter.outputRows - side * y))
      call.columns = Int32(min(side, filter.outputColumns - side * x))
      let pixel = (photo * filter.outputRows + side * y) * filter.outputColumns + side * x
      call.pixels = storage.output.address(output, pixel * outputs + first)
      call.matrices = UnsafePointer(products + (index - block.lowerBound) * schedule.productRow)
      kernels.f32_winograd_output(&call)
    }
  }

  /// Rows of tiles of a photo.
  var tileRows: Int { tilesDown }

  /// The rows of a picture that row `y` of its tiles sees.
  func inputRows(ofTileRow y: Int) -> Range<Int> {
    let first = tile * y - filter.window.rows.paddingBefore
    return max(first, 0)..<min(first + tile + 2, filter.window.height)
  }

  /// Computes one row of tiles of a photo from the rows of the picture that it sees.
  func run(
    tileRow y: Int, photo: Int, rows: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let pictures = Pictures(
      start: rows, photoStride: 0, firstRow: inputRows(ofTileRow: y).lowerBound)
    let groups = weights.panelGroups(of: schedule.panels)
    let first = (photo * tilesDown + y) * tilesAcross
    for part in PlanProgram.chunks(
      of: tilesAcross, atMost: schedule.blockSize(tiles: tilesAcross, workers: 1))
    {
      run(first + part.lowerBound..<first + part.upperBound, groups, pictures, output, scratch)
    }
  }

  private func place(of index: Int) -> (photo: Int, y: Int, x: Int) {
    let perPhoto = tilesDown * tilesAcross
    let rest = index % perPhoto
    return (index / perPhoto, rest / tilesAcross, rest % tilesAcross)
  }
}
