/// The side of the tiles of a Winograd convolution.
enum WinogradTile {
  /// Rows of pixels that the largest tile sees.
  static let mostRows = 8

  /// Inputs times outputs above which kernels transformed for tiles of 5x5 and more are a burden.
  static let manyKernels = 256 * 256

  /// What they must save then: an eighth of the time, or less where many tiles of a photo use them.
  private static func burden(tiles: Int) -> Double { tiles < 16 ? 8.0 / 7 : 20.0 / 19 }

  /// What it costs to transform a channel of a tile's patch and of its products, in multiplications
  /// of a product.
  ///
  /// Measured in networks, where most of the time goes into waiting for the cache: on their own
  /// the transforms take half of that.
  private struct Cost {
    let tile: Int
    let input: Double
    let output: Double

    func sum(tiles: Int, inputs: Int, outputs: Int) -> Double {
      let side = Double(tile + 2)
      let products = side * side * Double(inputs * outputs)
      return Double(tiles) * (products + input * Double(inputs) + output * Double(outputs))
    }
  }

  private static let costs = [
    Cost(tile: 3, input: 290, output: 180), Cost(tile: 4, input: 580, output: 290),
    Cost(tile: 5, input: 930, output: 430), Cost(tile: 6, input: 1440, output: 650),
  ]

  /// The side that takes least time, nil where Winograd does not fit or saves less than a third of
  /// the multiplications.
  ///
  /// It depends on the layer's shape only. Tiles of 5x5 and more round too much for bf16. In f32 no
  /// number of VGG16's layers is further from float64 than 0.9e-4 of the layer's root mean square.
  /// Pooling needs an even side.
  static func best(for filter: PlanFilter, precision: Precision) -> Int? {
    cheapest(for: filter, precision: precision)?.tile
  }

  /// Whether pooling while outputs are stored costs little more than the best tiles that cannot.
  static func canPool(_ filter: PlanFilter) -> Bool {
    var pooled = filter
    pooled.pooled = true
    guard let best = cheapest(for: filter, precision: .f32),
      let even = cheapest(for: pooled, precision: .f32),
      cheapest(for: pooled, precision: .bf16) != nil
    else { return false }
    return even.sum <= 1.1 * best.sum
  }

  private static func cheapest(
    for filter: PlanFilter, precision: Precision
  ) -> (tile: Int, sum: Double)? {
    let window = filter.window
    guard
      window.window == [3, 3], window.strides == [1, 1], window.channels % 16 == 0,
      filter.outputChannels % 16 == 0
    else { return nil }
    func tiles(_ side: Int) -> Int {
      (window.rows.outputSize + side - 1) / side * ((window.columns.outputSize + side - 1) / side)
    }
    let possible = costs.filter { cost in
      let side = cost.tile
      return tiles(side) * (side + 2) * (side + 2) * 3 <= window.outputPixels * 9 * 2
        && (side <= 4 || precision == .f32) && (!filter.pooled || side % 2 == 0)
    }
    let hasMany = window.channels * filter.outputChannels > manyKernels
    return possible.map { cost in
      let count = tiles(cost.tile)
      let sum = cost.sum(
        tiles: count, inputs: window.channels, outputs: filter.outputChannels)
      return (cost.tile, hasMany && cost.tile > 4 ? burden(tiles: count) * sum : sum)
    }.min { $0.1 < $1.1 }
  }
}

/// How many tiles and outputs are worked on at once; measured on 1 MB of L2 cache per core.
struct WinogradSchedule: Sendable {
  /// Tiles of a block, about: whole groups of the product's rows.
  let tiles: Int
  /// Tiles of a block at most.
  let mostTiles: Int
  /// Whether workers always share the kernels out, so that each transforms its own as they are used.
  let sharesKernels: Bool
  /// Whether they do because there will be few photos.
  let paysOnce: Bool
  /// Tiles up to which they do, or, if they always do, that they take at once.
  let sharedTiles: Int
  /// Panels of outputs that are multiplied before they are transformed back.
  let panels: Int
  /// Rows of shared kernels that are transformed at once.
  let rows: Int
  /// Channels whose products are summed before they go to the total: with large tiles nearly all
  /// of the rounding is that of long sums.
  let sumLength: Int
  /// Floats between two tiles of patches.
  let patchRow: Int
  /// Floats between two tiles and between two matrices of products.
  let productRow: Int
  let productStride: Int

  /// Tiles up to which kernels are better transformed as they are used, if there will be no more.
  private static let fewTiles = 128
  /// Inputs times outputs from which transformed kernels take so much memory that it is worth a few
  /// percent of time to transform them for every batch of photos.
  private static let greatKernels = 512 * 512
  /// Tiles of a photo from which a batch has enough of them for that.
  private static let manyTiles = 9
  /// Floats that a worker may transform at once for that: they have to stay in a cache.
  private static let cachedKernels = 1 << 20
  /// Floats of kernels that a worker had better transform at once: they stay in its own cache.
  private static let nearKernels = 1 << 17
  /// Floats that the patches of shared tiles may take.
  private static let sharedPatches = 6 << 20

  /// - Parameters:
  ///   - photoTiles: tiles of a photo.
  ///   - photos: how many there will ever be, if that is known.
  ///   - canShare: whether workers may share the kernels out.
  ///   - canSplit: whether sums come out the same in several parts of `sumLength` or more.
  init(
    tile: Int, inputs: Int, outputs: Int, panel: Int, photoTiles: Int, photos: Int?,
    canShare: Bool, canSplit: Bool
  ) {
    let matrices = (tile + 2) * (tile + 2)
    let panelCount = (outputs + panel - 1) / panel
    let allTiles = photos.map { $0 * photoTiles } ?? .max
    paysOnce =
      canShare && inputs * outputs >= 128 * 128 && allTiles <= Self.fewTiles
    panels = max(1, min((paysOnce ? 32 : 64) / panel, panelCount))
    patchRow = inputs + 16
    productRow = panels * panel
    // Patches and products of few channels fit the cache. Many kernels come from memory, the more
    // often the fewer tiles there are.
    let fitting = (240 << 10) / (matrices * (patchRow + productRow)) / 12 * 12
    tiles =
      inputs * outputs > WinogradTile.manyKernels
      ? (tile > 5 ? 36 : 48) : min(max(fitting, 24), 48)
    mostTiles = paysOnce ? max(allTiles, 1) : tiles * 3 / 2
    let paysAlways =
      canShare && inputs * outputs >= Self.greatKernels && photoTiles >= Self.manyTiles
      && matrices * inputs * productRow <= Self.cachedKernels
      && panelCount >= 2 * panels * Threads.count
    sharesKernels = paysOnce || paysAlways
    sharedTiles =
      sharesKernels ? max(mostTiles, Self.sharedPatches / (matrices * patchRow)) : mostTiles
    sumLength = tile > 5 ? 32 : 64
    let nearRows = Self.nearKernels / (matrices * productRow) / 64 * 64
    rows = paysOnce && canSplit ? max(64, nearRows) : inputs
    productStride = WinogradSchedule.spread(mostTiles * productRow)
  }

  /// Floats between two matrices of the patches of `count` tiles.
  func patchStride(tiles count: Int) -> Int { WinogradSchedule.spread(count * patchRow) }

  /// All rows of kernels in parts that do not change how they are summed.
  func slices(of depth: Int) -> [Range<Int>] {
    stride(from: 0, to: depth, by: rows).map { $0..<min($0 + rows, depth) }
  }

  /// Tiles of a block, so that all workers have as many blocks to do.
  func blockSize(tiles count: Int, workers: Int) -> Int {
    let rounds = max(1, (count + workers * tiles / 2) / (workers * tiles))
    return max(1, (count + rounds * workers - 1) / (rounds * workers))
  }

  /// At least `floats`, an odd number of cache lines, so that matrices do not share cache sets.
  static func spread(_ floats: Int) -> Int { ((floats + 15) / 16 | 1) * 16 }
}
