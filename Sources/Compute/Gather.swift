/// Which numbers of one photo make another: what cropping, repeating and reordering come down to.
///
/// The result is put together of runs of `run` floats each, which start at `starts` of the input.
package struct Gather: Sendable, Equatable {
  package let starts: [Int]
  package let run: Int
  /// Floats of one photo of the input and of the result.
  package let inputCount: Int
  package var count: Int { starts.count * run }

  package init(starts: [Int], run: Int, inputCount: Int) {
    precondition(
      starts.allSatisfy { $0 >= 0 && $0 + run <= inputCount },
      "runs of \(run) must lie within \(inputCount) numbers")
    (self.starts, self.run, self.inputCount) = (starts, run, inputCount)
  }

  /// Rows and columns of a picture `[h, w, c]`, any of them, in the given order.
  package init(picture: [Int], rows: [Int], columns: [Int]) {
    self.init(
      starts: rows.flatMap { row in columns.map { (row * picture[1] + $0) * picture[2] } },
      run: picture[2], inputCount: picture.reduce(1, *))
  }

  /// Axes in another order: axis `i` of the result is axis `order[i]` of the input.
  package init(shape: [Int], order: [Int]) {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    var starts = [0]
    for axis in order {
      starts = starts.flatMap { start in (0..<shape[axis]).map { start + $0 * strides[axis] } }
    }
    self.init(starts: starts, run: 1, inputCount: shape.reduce(1, *))
  }

  /// Axes of length 1 repeated as `target` has them.
  package init(broadcasting shape: [Int], to target: [Int]) {
    var starts: [Int] = []
    forEachBroadcast(shape, target) { starts.append($0) }
    self.init(starts: starts, run: 1, inputCount: shape.reduce(1, *))
  }

  /// The gathered numbers of a batch, `[n] + shape`.
  package func callAsFunction(_ x: Tensor, shape: [Int]) -> Tensor {
    let photos = x.shape[0]
    return Tensor(shape: [photos] + shape) { y in
      x.scalars.withUnsafeBufferPointer { x in
        guard let x = x.baseAddress else { return }
        copy(photos: photos, x, to: y)
      }
    }
  }

  /// The gradient for the input `[n] + shape`, given that of the result.
  package func gradient(_ dy: Tensor, shape: [Int]) -> Tensor {
    let photos = dy.shape[0]
    return Tensor(shape: [photos] + shape) { dx in
      dx.update(repeating: 0, count: photos * inputCount)
      dy.scalars.withUnsafeBufferPointer { dy in
        for photo in 0..<photos {
          let into = dx + photo * inputCount
          for (place, start) in starts.enumerated() {
            let from = photo * count + place * run
            for i in 0..<run { into[start + i] += dy[from + i] }
          }
        }
      }
    }
  }

  func copy(
    photos: Int, _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>,
    workers: Int = Threads.count
  ) {
    nonisolated(unsafe) let (x, y) = (x, y)
    parallelItems(photos, workers: workers) { _, photo in
      var target = y + photo * count
      let source = x + photo * inputCount
      for start in starts {
        target.update(from: source + start, count: run)
        target += run
      }
    }
  }
}

struct PlanGather: UnaryPlanOperation {
  let gather: Gather

  var algorithm: String { "copy" }

  func run(
    photos: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    gather.copy(photos: photos, input, to: output, workers: scratch.workerCount)
  }
}
