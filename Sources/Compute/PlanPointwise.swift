internal import CKernels

/// An element-wise function of its own, where nothing before it could take it in.
struct PlanActivation: UnaryPlanOperation {
  let function: PointwiseFunction
  let rowLength: Int
  /// Floats per photo.
  let count: Int

  var algorithm: String { "pointwise" }

  func run(
    photos: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    guard count > 0 else { return }
    parallelItems(photos, workers: scratch.workerCount) { _, photo in
      function.apply(
        input + photo * count, to: output + photo * count, count: count, width: rowLength)
    }
  }
}

/// Pooling of its own, where the convolution before it could not take it in.
struct PlanPooling: UnaryPlanOperation {
  let kind: PoolingKind
  let window: PlanWindow
  /// Whether padding counts as zeros instead of not at all.
  let countsZeros: Bool
  let kernels: ck_table

  var algorithm: String { "pooling" }

  func run(
    photos: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    let (height, width) = (window.rows.outputSize, window.columns.outputSize)
    let channels = window.channels
    parallelItems(photos * height, workers: scratch.workerCount) { _, item in
      let (photo, y) = (item / height, item % height)
      let row = output + (photo * height + y) * width * channels
      for x in 0..<width {
        pool(input + photo * window.inputCount, row + x * channels, y, x)
      }
    }
  }

  private func pool(
    _ picture: UnsafePointer<Float>, _ pixel: UnsafeMutablePointer<Float>, _ y: Int, _ x: Int
  ) {
    let channels = window.channels
    let (rows, columns) = (window.inputRows(y), window.inputColumns(x))
    let inside = rows.count * columns.count
    let area = window.window[0] * window.window[1]
    let start: Float = kind == .max && !(countsZeros && inside < area) ? -.infinity : 0
    for c in 0..<channels { pixel[c] = start }
    for row in rows {
      for column in columns {
        let source = picture + (row * window.width + column) * channels
        switch kind {
        case .max: kernels.f32_max(source, pixel, channels)
        case .average: kernels.f32_add(source, pixel, channels)
        }
      }
    }
    guard kind == .average else { return }
    let count = Float(countsZeros ? area : inside)
    for c in 0..<channels { pixel[c] /= count }
  }
}
