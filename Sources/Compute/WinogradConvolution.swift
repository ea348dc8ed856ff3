internal import CKernels

/// 3x3 convolution with stride 1 by Winograd's F(m x m, 3x3): for tiles of 4x4 outputs a quarter of
/// the multiplications.
///
/// Tiles are cut from the photos in order. Their patches, m + 2 pixels wide, become (m + 2)^2
/// matrices `[tiles, cin]`, which are multiplied by as many transformed kernels `[cin, cout]`; the
/// products become outputs, with bias, ReLU and, where m is even, 2x2 max pooling on the way.
///
/// A worker takes a block of tiles through all of it while they stay in its cache and the next
/// kernels are fetched. Where kernels are many for the tiles there are, patches are transformed
/// once and the workers share the kernels out; then each can transform its own as they are used.
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

  /// - Parameters:
  ///   - photos: how many there will ever be, if that is known.
  ///   - byRows: whether rows of tiles are computed one by one.
  init(
    filter: PlanFilter, tile: Int, precision: Precision,
    storage: OperationStorage = OperationStorage(), kernels table: KernelTable,
    photos: Int? = nil, byRows: Bool = false
  ) {
    self.tile = tile
    self.storage = storage
    self.precision = precision
    kernels = table.functions
    tilesDown = (filter.window.rows.outputSize + tile - 1) / tile
    tilesAcross = (filter.window.columns.outputSize + tile - 1) / tile
    schedule = WinogradSchedule(
      tile: tile, inputs: filter.window.channels / (precision == .bf16 ? 2 : 1),
      outputs: filter.outputChannels, panel: Int(kernels.panel),
      photoTiles: tilesDown * tilesAcross, photos: photos, canShare: !byRows,
      canSplit: precision == .f32)
    weights = WinogradWeights(
      kernel: filter.kernel, tile: tile, precision: precision, kernels: kernels,
      areKept: !schedule.sharesKernels, areForOneBatch: schedule.paysOnce)
    bias = PackedBuffer(filter.bias ?? [], paddedTo: weights.paddedOutputs)
    self.filter = filter.withoutKernel
  }

  var algorithm: String { "winograd \(tile)x\(tile)" + precision.suffix }

  /// The tiles at the right and the bottom are counted whole.
  var multiplicationShare: Double {
    Double(tilesDown * tilesAcross * weights.matrixCount)
      / Double(9 * filter.window.outputPixels)
  }

  var transformedCount: Int { weights.matrixCount * weights.depth * weights.paddedOutputs }

  var workerScratch: Int {
    blockPatches + weights.matrixCount * schedule.productStride
      + weights.scratch(panels: schedule.panels, rows: schedule.rows)
  }

  /// Floats of a block's patches, which a worker keeps before its products.
  private var blockPatches: Int {
    schedule.sharesKernels
      ? 0 : weights.matrixCount * schedule.patchStride(tiles: schedule.mostTiles)
  }

  var sharedScratch: Int {
    weights.matrixCount * schedule.patchStride(tiles: schedule.sharedTiles)
  }

  func run(
    photos: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    let tiles = photos * tilesDown * tilesAcross
    let workers = scratch.workerCount
    let pictures = Pictures(start: input, photoStride: filter.window.inputCount)
    if schedule.sharesKernels || tiles <= schedule.sharedTiles {
      for block in PlanProgram.chunks(of: tiles, atMost: schedule.sharedTiles) {
        runShared(block, pictures, output, scratch)
      }
      return
    }
    let blocks = PlanProgram.chunks(
      of: tiles, atMost: schedule.blockSize(tiles: tiles, workers: workers))
    let groups = weights.panelGroups(of: schedule.panels)
    parallelItems(blocks.count, workers: workers) { worker, item in
      run(blocks[item], groups, pictures, output, scratch.worker(worker))
    }
  }

  /// Takes a block of tiles through all steps.
  private func run(
    _ block: Range<Int>, _ groups: [Range<Int>], _ pictures: Pictures,
    _ output: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>
  ) {
    let patches = Patches(
      start: scratch, stride: schedule.patchStride(tiles: block.count), first: block.lowerBound)
    transform(block, pictures, patches)
    let products = scratch + blockPatches
    let rows = 0..<weights.depth
    for panels in groups {
      multiply(
        block, patches, rows, weights.panels(panels, rows: rows, scratch: products), panels,
        products)
      store(block, panels, products, output)
    }
  }

  /// Matrices of the patches of tiles from `first` on.
  private struct Patches: @unchecked Sendable {
    let start: UnsafeMutablePointer<Float>
    /// Floats between two matrices.
    let stride: Int
    let first: Int
  }

  /// Pictures, or some rows of one, that patches are taken from.
  private struct Pictures {
    let start: UnsafePointer<Float>
    let photoStride: Int
    var firstRow = 0
  }

  private func runShared(
    _ block: Range<Int>, _ pictures: Pictures, _ output: UnsafeMutablePointer<Float>,
    _ scratch: PlanScratch
  ) {
    let patches = Patches(
      start: scratch.shared, stride: schedule.patchStride(tiles: block.count),
      first: block.lowerBound)
    let pieces = PlanProgram.chunks(of: block, atMost: 4)
    parallelItems(pieces.count, workers: scratch.workerCount) { _, item in
      transform(pieces[item], pictures, patches)
    }
    let groups = weights.panelGroups(of: schedule.panels)
    let parts = PlanProgram.chunks(of: block, atMost: schedule.mostTiles)
    let slices = schedule.slices(of: weights.depth)
    parallelItems(groups.count, workers: scratch.workerCount) { worker, item in
      let products = scratch.worker(worker)
      let place = products + weights.matrixCount * schedule.productStride
      let panels = groups[item]
      var made = slices[0]
      var kernel = weights.panels(panels, rows: made, scratch: place)
      for part in parts {
        for rows in slices {
          if rows != made {
            kernel = weights.panels(panels, rows: rows, scratch: place)
            made = rows
          }
          multiply(part, patches, rows, kernel, panels, products)
        }
        store(part, panels, products, output)
      }
    }
  }

  /// Transforms the patches of `tiles`.
  private func transform(_ tiles: Range<Int>, _ pictures: Pictures, _ patches: Patches) {
    let window = filter.window
    let channels = window.channels
    var call = ck_winograd_input()
    call.patch_is_bf16 = storage.input == .bf16
    call.tile = Int32(tile)
    call.row = window.width * channels
    call.pixel = channels
    call.matrix = patches.stride
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
      call.matrices = patches.start + (index - patches.first) * schedule.patchRow
      switch precision {
      case .f32: kernels.f32_winograd_input(&call)
      case .bf16: kernels.bf16_winograd_input(&call)
      }
    }
  }

  /// Multiplies some columns of the patches of `tiles` by those rows of some panels of kernels, and
  /// adds that to what the columns before gave.
  private func multiply(
    _ tiles: Range<Int>, _ patches: Patches, _ rows: Range<Int>, _ kernel: WinogradPanels,
    _ panels: Range<Int>, _ products: UnsafeMutablePointer<Float>
  ) {
    let start = UnsafePointer(
      patches.start + (tiles.lowerBound - patches.first) * schedule.patchRow + rows.lowerBound)
    var call = ck_product()
    call.a_row = schedule.patchRow
    call.a_column = 1
    call.segments = 1
    call.depth = rows.count
    call.accumulate = rows.lowerBound > 0
    if precision == .f32 { call.sum_length = schedule.sumLength }
    call.c_row = schedule.productRow
    call.rows = tiles.count
    call.columns = weights.panel
    for matrix in 0..<weights.matrixCount {
      call.a = start + matrix * patches.stride
      for panel in panels {
        call.b = kernel.panel(panel, of: matrix)
        if panel + 1 < panels.upperBound {
          (call.next_a, call.next_b) = (call.a, kernel.panel(panel + 1, of: matrix))
        } else if matrix + 1 < weights.matrixCount {
          call.next_a = call.a + patches.stride
          call.next_b = kernel.panel(panels.lowerBound, of: matrix + 1)
        } else {
          call.next_a = start
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
  }

  /// Makes outputs of some panels out of the products of a block of tiles.
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
