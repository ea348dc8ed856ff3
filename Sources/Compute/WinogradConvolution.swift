internal import CKernels

/// 3x3 convolution with stride 1 by Winograd's F(4x4, 3x3), a quarter of the multiplications, or
/// F(3x3, 3x3), 25 of 81.
///
/// Tiles of 4x4 (3x3) outputs are cut from the photos in order. Their 6x6 (5x5) patches become 36
/// (25) matrices `[tiles, cin]`, which are multiplied by as many transformed kernels
/// `[cin, cout]`; the products become outputs, with bias, ReLU and, for 4x4, 2x2 max pooling on
/// the way. Where the kernels are small a worker takes a block of tiles through all of it while
/// they stay in its cache. Where they are large the patches of many tiles are transformed once,
/// and workers share the kernels out.
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

  /// The side of the tiles that need the fewest multiplications, nil where Winograd does not fit
  /// or saves less than a third.
  static func tile(for filter: PlanFilter) -> Int? {
    let window = filter.window
    guard
      window.window == [3, 3], window.strides == [1, 1], window.channels % 16 == 0,
      filter.outputChannels % 16 == 0
    else { return nil }
    func products(_ tile: Int) -> Int {
      (window.rows.outputSize + tile - 1) / tile * ((window.columns.outputSize + tile - 1) / tile)
        * (tile + 2) * (tile + 2)
    }
    // Where both cost the same 3x3 has fewer weights to read and rounds less.
    let best = products(4) < products(3) ? 4 : 3
    return products(best) * 3 <= window.outputPixels * 9 * 2 ? best : nil
  }

  init(
    filter: PlanFilter, tile: Int, precision: Precision,
    storage: OperationStorage = OperationStorage(), kernels table: KernelTable
  ) {
    self.tile = tile
    self.storage = storage
    self.precision = precision
    kernels = table.functions
    weights = WinogradWeights(
      kernel: filter.kernel, tile: tile, precision: precision, kernels: kernels)
    bias = PackedBuffer(filter.bias ?? [], paddedTo: weights.paddedOutputs)
    tilesDown = (filter.window.rows.outputSize + tile - 1) / tile
    tilesAcross = (filter.window.columns.outputSize + tile - 1) / tile
    schedule = WinogradSchedule(
      inputs: weights.depth, outputs: weights.paddedOutputs, panel: weights.panel)
    self.filter = filter.withoutKernel
  }

  var algorithm: String {
    "winograd \(tile)x\(tile)" + (schedule.sharesPatches ? " shared" : "") + precision.suffix
  }

  /// The tiles at the right and the bottom are counted whole.
  var multiplicationShare: Double {
    Double(tilesDown * tilesAcross * weights.matrixCount)
      / Double(9 * filter.window.outputPixels)
  }

  var workerScratch: Int {
    weights.matrixCount
      * (schedule.productStride + (schedule.sharesPatches ? 0 : schedule.patchStride))
  }

  var sharedScratch: Int {
    schedule.sharesPatches ? weights.matrixCount * schedule.patchStride : 0
  }

  func run(
    photos: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    let tiles = photos * tilesDown * tilesAcross
    let blocks = PlanProgram.chunks(of: tiles, atMost: schedule.tiles)
    if schedule.sharesPatches {
      for block in blocks { runShared(block, input, output, scratch) }
      return
    }
    parallelItems(blocks.count, workers: scratch.workerCount) { worker, item in
      let patches = scratch.worker(worker)
      transform(blocks[item], of: blocks[item], input, patches)
      for panels in weights.panelGroups(of: schedule.panels) {
        multiply(
          blocks[item], panels, patches, patches + weights.matrixCount * schedule.patchStride,
          output)
      }
    }
  }

  private func runShared(
    _ block: Range<Int>, _ input: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>,
    _ scratch: PlanScratch
  ) {
    let pieces = PlanProgram.chunks(of: block.count, atMost: 4)
    parallelItems(pieces.count, workers: scratch.workerCount) { _, item in
      let piece = pieces[item]
      transform(
        block.lowerBound + piece.lowerBound..<block.lowerBound + piece.upperBound, of: block,
        input, scratch.shared)
    }
    let groups = weights.panelGroups(of: schedule.panels)
    parallelItems(groups.count, workers: scratch.workerCount) { worker, item in
      multiply(block, groups[item], scratch.shared, scratch.worker(worker), output)
    }
  }

  /// Transforms the patches of `tiles` into the matrices of `block`.
  private func transform(
    _ tiles: Range<Int>, of block: Range<Int>, _ input: UnsafePointer<Float>,
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
        input, photo * window.inputCount + (top * window.width + left) * channels)
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
    var call = ck_product()
    call.a_row = schedule.patchRow
    call.a_column = 1
    call.segments = 1
    call.depth = weights.depth
    call.c_row = schedule.productRow
    call.rows = block.count
    call.columns = weights.panel
    for matrix in 0..<weights.matrixCount {
      call.a = UnsafePointer(patches + matrix * schedule.patchStride)
      for panel in panels {
        call.b = weights.panel(panel, of: matrix)
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

  private func place(of index: Int) -> (photo: Int, y: Int, x: Int) {
    let perPhoto = tilesDown * tilesAcross
    let rest = index % perPhoto
    return (index / perPhoto, rest / tilesAcross, rest % tilesAcross)
  }
}

/// How many tiles and outputs are worked on at once; measured on 1 MB of L2 cache per core.
struct WinogradSchedule: Sendable {
  /// Whether patches are transformed by all workers first and then read by all.
  let sharesPatches: Bool
  /// Tiles of a block, at most.
  let tiles: Int
  /// Panels of outputs that are multiplied before they are transformed back.
  let panels: Int
  /// Floats between two tiles and between two matrices of patches.
  let patchRow: Int
  let patchStride: Int
  /// Floats between two tiles and between two matrices of products.
  let productRow: Int
  let productStride: Int

  init(inputs: Int, outputs: Int, panel: Int) {
    sharesPatches = inputs * outputs > 128 * 256
    tiles = sharesPatches ? 256 : 48
    panels = max(1, min(64, outputs) / panel)
    patchRow = inputs + 16
    patchStride = WinogradSchedule.spread(tiles * patchRow)
    productRow = panels * panel
    productStride = WinogradSchedule.spread(tiles * productRow)
  }

  /// At least `floats`, an odd number of cache lines, so that matrices do not share cache sets.
  private static func spread(_ floats: Int) -> Int { ((floats + 15) / 16 | 1) * 16 }
}
