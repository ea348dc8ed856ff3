/// A convolution of few numbers, such as a network's first, and the Winograd convolution after it
/// in one pass.
///
/// What lies between would be many megabytes a photo. A worker takes a band of a photo's rows of
/// tiles and computes the rows that each one sees just before, so that they stay in its cache.
struct ConvolutionChain: UnaryPlanOperation {
  private let first: PackedConvolution
  private let second: WinogradConvolution
  private let window: PlanWindow
  /// Numbers in a row of what lies between.
  private let rowCount: Int
  /// How the picture and what lies between are stored.
  private let outer: Precision
  private let inner: Precision
  let multiplicationShare: Double

  /// Rows of tiles of a band, at most: two rows of pixels are computed again for each band.
  private static let bandRows = 10

  /// Whether two convolutions, the second on the first's result, are better done together.
  ///
  /// The rows of tiles must be long enough to make blocks of their own.
  static func isBetter(_ first: PlanFilter, _ second: PlanFilter) -> Bool {
    let window = first.window
    return !first.pooled && !first.adds
      && window.window[0] * window.window[1] * window.channels <= 64
      && window.window != [1, 1]
      && WinogradTile.best(for: first, precision: .f32) == nil
      && Precision.allCases.allSatisfy { WinogradTile.best(for: second, precision: $0) != nil }
      && second.window.columns.outputSize >= 96 && second.window.rows.outputSize >= 48
  }

  init(
    _ first: PlanFilter, _ second: PlanFilter, precision: Precision, storage: OperationStorage,
    kernels: KernelTable
  ) {
    let (before, after) = (first.precision(precision), second.precision(precision))
    guard let tile = WinogradTile.best(for: second, precision: after) else {
      preconditionFailure("only what isBetter accepts is chained, but not \(second.window)")
    }
    (outer, inner) = (storage.input, after)
    window = first.window
    rowCount = second.window.width * second.window.channels
    self.first = PackedConvolution(
      filter: first, precision: before,
      storage: OperationStorage(input: storage.input, output: inner), kernels: kernels)
    self.second = WinogradConvolution(
      filter: second, tile: tile, precision: after,
      storage: OperationStorage(input: inner, output: storage.output), kernels: kernels,
      byRows: true)
    multiplicationShare =
      (Double(first.multiplyAdds)
        + Double(second.multiplyAdds) * self.second.multiplicationShare)
      / Double(first.multiplyAdds + second.multiplyAdds)
  }

  var algorithm: String { first.algorithm + ", " + second.algorithm }

  var workerScratch: Int {
    PlanLayout.rounded(second.workerScratch) + PlanLayout.rounded(first.workerScratch)
      + inner.slots(WinogradTile.mostRows * rowCount)
  }

  func run(
    photos: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    var count = (second.tileRows + ConvolutionChain.bandRows - 1) / ConvolutionChain.bandRows
    // So many that all workers have as many of them to do.
    while photos * count % scratch.workerCount != 0, count < second.tileRows { count += 1 }
    let bands = PlanProgram.chunks(
      of: second.tileRows, atMost: (second.tileRows + count - 1) / count)
    parallelItems(photos * bands.count, workers: scratch.workerCount) { worker, item in
      run(
        bands[item % bands.count], photo: item / bands.count, input, output,
        scratch.worker(worker))
    }
  }

  private func run(
    _ band: Range<Int>, photo: Int, _ input: UnsafePointer<Float>,
    _ output: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>
  ) {
    let picture = outer.address(input, photo * window.inputCount)
    let strip = scratch + PlanLayout.rounded(second.workerScratch)
    let rows = strip + PlanLayout.rounded(first.workerScratch)
    var held = 0..<0
    for y in band {
      let wanted = second.inputRows(ofTileRow: y)
      let kept = max(held.upperBound - wanted.lowerBound, 0)
      if kept > 0 {
        rows.update(
          from: inner.address(rows, (held.count - kept) * rowCount),
          count: inner.slots(kept * rowCount))
      }
      first.run(
        rows: wanted.lowerBound + kept..<wanted.upperBound, of: picture,
        output: inner.address(rows, kept * rowCount), scratch: strip)
      second.run(
        tileRow: y, photo: photo, rows: UnsafePointer(rows), output: output, scratch: scratch)
      held = wanted
    }
  }
}
