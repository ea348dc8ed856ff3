internal import CKernels

/// 3x3 convolution with stride 1 by Winograd's F(4x4, 3x3): a quarter of the multiplications.
///
/// Tiles of 4x4 outputs are cut from the photos in order. Their 6x6 patches become 36 matrices
/// `[tiles, cin]`, which are multiplied by 36 transformed kernels `[cin, cout]`; the products
/// become outputs, with bias, ReLU and 2x2 max pooling on the way. Where the kernels are small a
/// worker takes a block of tiles through all of it while they stay in its cache. Where they are
/// large the patches of many tiles are transformed once, and workers share the kernels out.
struct WinogradConvolution: PlanOperation {
  private let filter: PlanFilter
  private let kernels: ck_table
  private let weights: WinogradWeights
  private let bias: PackedBuffer
  private let tilesDown: Int
  private let tilesAcross: Int
  private let schedule: WinogradSchedule

  /// Whether the definition fits and enough of the tiles would be used.
  static func suits(_ filter: PlanFilter) -> Bool {
    let window = filter.window
    let tiles = (window.rows.outputSize + 3) / 4 * ((window.columns.outputSize + 3) / 4)
    return window.window == [3, 3] && window.strides == [1, 1] && window.channels % 16 == 0
      && filter.outputChannels % 16 == 0
      && window.outputPixels * 9 * 2 >= tiles * 36 * 3
  }

  init(filter: PlanFilter, kernels table: KernelTable) {
    kernels = table.functions
    weights = WinogradWeights(kernel: filter.kernel, kernels: kernels)
    bias = PackedBuffer(filter.bias ?? [], paddedTo: weights.paddedOutputs)
    tilesDown = (filter.window.rows.outputSize + 3) / 4
    tilesAcross = (filter.window.columns.outputSize + 3) / 4
    schedule = WinogradSchedule(
      inputs: weights.inputs, outputs: weights.paddedOutputs, panel: weights.panel)
    self.filter = filter.withoutKernel
  }

  var algorithm: String { schedule.sharesPatches ? "winograd 4x4 shared" : "winograd 4x4" }

  var workerScratch: Int {
    36 * (schedule.productStride + (schedule.sharesPatches ? 0 : schedule.patchStride))
  }

  var sharedScratch: Int { schedule.sharesPatches ? 36 * schedule.patchStride : 0 }

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
          blocks[item], panels, patches, patches + 36 * schedule.patchStride, output)
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
    call.row = window.width * channels
    call.pixel = channels
    call.matrix = schedule.patchStride
    call.channels = channels
    for tile in tiles {
      let (photo, y, x) = place(of: tile)
      let top = 4 * y - window.rows.paddingBefore
      let left = 4 * x - window.columns.paddingBefore
      call.patch = input + (photo * window.inputCount + (top * window.width + left) * channels)
      call.top = Int32(max(0, -top))
      call.left = Int32(max(0, -left))
      call.bottom = Int32(min(6, window.height - top))
      call.right = Int32(min(6, window.width - left))
      call.matrices = patches + (tile - block.lowerBound) * schedule.patchRow
      kernels.f32_winograd_input(&call)
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
    call.depth = weights.inputs
    call.c_row = schedule.productRow
    call.rows = block.count
    call.columns = weights.panel
    for matrix in 0..<36 {
      call.a = UnsafePointer(patches + matrix * schedule.patchStride)
      for panel in panels {
        call.b = weights.panel(panel, of: matrix)
        call.c =
          products + matrix * schedule.productStride
          + (panel - panels.lowerBound) * weights.panel
        kernels.f32_product(&call)
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
    let side = filter.pooled ? 2 : 4
    var call = ck_winograd_output()
    call.matrix = schedule.productStride
    call.row = filter.outputColumns * outputs
    call.pixel = outputs
    call.channels = min(panels.count * weights.panel, outputs - first)
    call.bias = UnsafePointer(bias.floats + first)
    call.relu = filter.relu
    call.pooled = filter.pooled
    for tile in block {
      let (photo, y, x) = place(of: tile)
      call.rows = Int32(min(side, filter.outputRows - side * y))
      call.columns = Int32(min(side, filter.outputColumns - side * x))
      let pixel = (photo * filter.outputRows + side * y) * filter.outputColumns + side * x
      call.pixels = output + (pixel * outputs + first)
      call.matrices = UnsafePointer(products + (tile - block.lowerBound) * schedule.productRow)
      kernels.f32_winograd_output(&call)
    }
  }

  private func place(of tile: Int) -> (photo: Int, y: Int, x: Int) {
    let perPhoto = tilesDown * tilesAcross
    let rest = tile % perPhoto
    return (tile / perPhoto, rest / tilesAcross, rest % tilesAcross)
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

  /// At least `floats`, an odd number of cache lines, so that 36 matrices do not share cache sets.
  private static func spread(_ floats: Int) -> Int { ((floats + 15) / 16 | 1) * 16 }
}
/// Kernels of a 3x3 convolution, transformed: 36 matrices `[cin, cout]` in panels of outputs.
struct WinogradWeights: Sendable {
  let inputs: Int
  let panel: Int
  let panelCount: Int
  private let buffer: PackedBuffer

  var paddedOutputs: Int { panelCount * panel }

  init(kernel: Tensor, kernels: ck_table) {
    let (inputs, outputs, panel) = (kernel.shape[2], kernel.shape[3], Int(kernels.panel))
    let panelCount = (outputs + panel - 1) / panel
    let buffer = PackedBuffer(count: 36 * panelCount * inputs * panel)
    kernel.scalars.withUnsafeBufferPointer { scalars in
      guard let source = scalars.baseAddress else { return }
      nonisolated(unsafe) let weights = source
      parallelItems(inputs, workers: Threads.count) { _, input in
        for item in 0..<panelCount {
          kernels.f32_winograd_kernel(
            weights + input * outputs + item * panel, inputs * outputs,
            min(panel, outputs - item * panel),
            buffer.floats + (item * inputs + input) * panel, panelCount * inputs * panel)
        }
      }
    }
    (self.inputs, self.panel, self.panelCount, self.buffer) = (inputs, panel, panelCount, buffer)
  }

  /// `[cin, panel]` of one of the 36 matrices.
  func panel(_ index: Int, of matrix: Int) -> UnsafePointer<Float> {
    UnsafePointer(buffer.floats + (matrix * panelCount + index) * inputs * panel)
  }

  /// All panels in groups of `size`.
  func panelGroups(of size: Int) -> [Range<Int>] {
    stride(from: 0, to: panelCount, by: size).map { $0..<min($0 + size, panelCount) }
  }
}
