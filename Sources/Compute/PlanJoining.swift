/// `x * scale + shift` channel by channel, where no convolution before it could take it in.
struct PlanScaling: UnaryPlanOperation {
  let scaling: PlanChannelScaling
  /// Floats per photo.
  let count: Int

  var algorithm: String { "pointwise" }

  func run(
    photos: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    parallelItems(photos, workers: scratch.workerCount) { _, photo in
      apply(input + photo * count, output + photo * count)
    }
  }

  private func apply(_ input: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>) {
    let width = scaling.scale.count
    let limits = PlanLimits(scaling.ceiling)
    scaling.scale.withUnsafeBufferPointer { scale in
      scaling.shift.withUnsafeBufferPointer { shift in
        for at in stride(from: 0, to: count, by: max(width, 1)) {
          for c in 0..<width {
            output[at + c] = limits.applied(input[at + c] * scale[c] + shift[c])
          }
        }
      }
    }
  }
}

/// What results are brought into: `0...ceiling`, or anything where there is no ceiling.
struct PlanLimits {
  let floor: Float
  let ceiling: Float

  init(_ ceiling: Float?) {
    floor = ceiling == nil ? -.infinity : 0
    self.ceiling = ceiling ?? .infinity
  }

  /// NaN stays.
  @inline(__always) func applied(_ x: Float) -> Float {
    let y = x < floor ? floor : x
    return y > ceiling ? ceiling : y
  }
}

/// The sum of two values, where no convolution could add while it stores.
struct PlanSum: PlanOperation {
  let ceiling: Float?
  /// Floats per photo.
  let count: Int

  var algorithm: String { "pointwise" }

  func run(
    photos: Int, inputs: [UnsafePointer<Float>], output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    let limits = PlanLimits(ceiling)
    let (left, right) = (inputs[0], inputs[1])
    parallelItems(photos, workers: scratch.workerCount) { _, photo in
      for i in photo * count..<(photo + 1) * count {
        output[i] = limits.applied(left[i] + right[i])
      }
    }
  }
}

/// Values side by side along the last axis.
struct PlanConcatenation: PlanOperation {
  let widths: [Int]
  /// Rows per photo.
  let rows: Int

  var algorithm: String { "copy" }

  func run(
    photos: Int, inputs: [UnsafePointer<Float>], output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    let width = widths.reduce(0, +)
    parallelItems(photos, workers: scratch.workerCount) { _, photo in
      var target = output + photo * rows * width
      for (input, part) in zip(inputs, widths) {
        copyColumns(
          input + photo * rows * part, width: part, to: target, stride: width, rows: rows)
        target += part
      }
    }
  }
}

/// Zeros around pictures, where no window after them could take them in.
struct PlanPadding: UnaryPlanOperation {
  /// The shape `[h, w, c]`.
  let input: [Int]
  let border: PictureBorder

  var algorithm: String { "copy" }

  func run(
    photos: Int, input source: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    let (from, to) = (input.reduce(1, *), border.padded(input).reduce(1, *))
    parallelItems(photos, workers: scratch.workerCount) { _, photo in
      copyPadded(source + photo * from, input, border, to: output + photo * to)
    }
  }
}
