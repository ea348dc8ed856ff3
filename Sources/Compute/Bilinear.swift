/// A picture of another size by linear interpolation between the four nearest pixels, their
/// centres at halves: TensorFlow's `resize` without antialiasing.
package struct Bilinear: Sendable, Equatable {
  /// Rows and columns that one axis of the result lies between, and how far from the first.
  struct Axis: Sendable, Equatable {
    let first: [Int]
    let second: [Int]
    let share: [Float]

    init(from source: Int, to target: Int) {
      let scale = Float(source) / Float(target)
      let places = (0..<target).map { (Float($0) + 0.5) * scale - 0.5 }
      let floors = places.map { $0.rounded(.down) }
      first = floors.map { min(max(Int($0), 0), source - 1) }
      second = floors.map { min(max(Int($0) + 1, 0), source - 1) }
      share = zip(places, floors).map { $0 - $1 }
    }
  }

  /// `[h, w, c]`.
  package let input: [Int]
  package let output: [Int]
  private let rows: Axis
  private let columns: Axis

  package init(input: [Int], height: Int, width: Int) {
    precondition(
      input.count == 3 && input.allSatisfy { $0 > 0 } && height > 0 && width > 0,
      "cannot make [\(height), \(width)] of \(input)")
    self.input = input
    output = [height, width, input[2]]
    rows = Axis(from: input[0], to: height)
    columns = Axis(from: input[1], to: width)
  }

  /// `x [n, h, w, c]` in the new size.
  package func callAsFunction(_ x: Tensor) -> Tensor {
    let photos = x.shape[0]
    return Tensor(shape: [photos] + output) { y in
      x.scalars.withUnsafeBufferPointer { x in
        guard let x = x.baseAddress else { return }
        run(photos: photos, x, to: y)
      }
    }
  }

  /// The gradient for the input, given that of the result.
  package func gradient(_ dy: Tensor) -> Tensor {
    let (photos, channels) = (dy.shape[0], input[2])
    var dx = Tensor(zeros: [photos] + input)
    for photo in 0..<photos {
      forEachPixel { from, corners in
        let start = photo * output.reduce(1, *) + from
        for (place, weight) in corners {
          let into = photo * input.reduce(1, *) + place
          for c in 0..<channels { dx.scalars[into + c] += dy.scalars[start + c] * weight }
        }
      }
    }
    return dx
  }

  func run(
    photos: Int, _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>,
    workers: Int = Threads.count
  ) {
    let (width, channels) = (output[1], output[2])
    let (source, target) = (input.reduce(1, *), output.reduce(1, *))
    nonisolated(unsafe) let (x, y) = (x, y)
    parallelItems(photos * output[0], workers: workers) { _, item in
      let (photo, row) = (item / output[0], item % output[0])
      let top = x + photo * source + rows.first[row] * input[1] * channels
      let bottom = x + photo * source + rows.second[row] * input[1] * channels
      let down = rows.share[row]
      for column in 0..<width {
        let pixel = y + photo * target + (row * width + column) * channels
        let (left, right) = (columns.first[column] * channels, columns.second[column] * channels)
        let along = columns.share[column]
        for c in 0..<channels {
          let upper = top[left + c] + (top[right + c] - top[left + c]) * along
          let lower = bottom[left + c] + (bottom[right + c] - bottom[left + c]) * along
          pixel[c] = upper + (lower - upper) * down
        }
      }
    }
  }

  /// Calls `body` with where each pixel of the result is and the four that it is made of.
  private func forEachPixel(_ body: (Int, [(place: Int, weight: Float)]) -> Void) {
    for row in 0..<output[0] {
      for column in 0..<output[1] {
        let (down, along) = (rows.share[row], columns.share[column])
        func place(_ row: Int, _ column: Int) -> Int { (row * input[1] + column) * input[2] }
        body(
          (row * output[1] + column) * output[2],
          [
            (place(rows.first[row], columns.first[column]), (1 - down) * (1 - along)),
            (place(rows.first[row], columns.second[column]), (1 - down) * along),
            (place(rows.second[row], columns.first[column]), down * (1 - along)),
            (place(rows.second[row], columns.second[column]), down * along),
          ])
      }
    }
  }
}

struct PlanBilinear: UnaryPlanOperation {
  let bilinear: Bilinear

  var algorithm: String { "bilinear" }

  func run(
    photos: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    bilinear.run(photos: photos, input, to: output, workers: scratch.workerCount)
  }
}
