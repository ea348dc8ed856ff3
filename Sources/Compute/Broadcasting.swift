/// Whether axes of length 1 of `shape` can be repeated to make `target`.
package func canBroadcast(_ shape: [Int], to target: [Int]) -> Bool {
  shape.count == target.count && zip(shape, target).allSatisfy { $0 == $1 || $0 == 1 }
}

/// `x` with axes of length 1 repeated as `target` has them.
package func broadcast(_ x: Tensor, to target: [Int]) -> Tensor {
  if x.shape == target { return x }
  precondition(canBroadcast(x.shape, to: target), "\(x.shape) cannot become \(target)")
  return Tensor(shape: target) { y in
    var next = 0
    forEachBroadcast(x.shape, target) { index in
      y[next] = x.scalars[index]
      next += 1
    }
  }
}

/// The gradient of `broadcast` for its input: sums over the repeated axes.
package func sumToBroadcast(_ dy: Tensor, _ shape: [Int]) -> Tensor {
  if dy.shape == shape { return dy }
  precondition(canBroadcast(shape, to: dy.shape), "\(shape) cannot become \(dy.shape)")
  // In Double: an axis can be as long as a picture.
  var sums = [Double](repeating: 0, count: shape.reduce(1, *))
  var next = 0
  forEachBroadcast(shape, dy.shape) { index in
    sums[index] += Double(dy.scalars[next])
    next += 1
  }
  return Tensor(shape: shape, scalars: sums.map { Float($0) })
}

/// Calls `body` for every element of `target` in order with the element of `shape` that it is.
func forEachBroadcast(_ shape: [Int], _ target: [Int], _ body: (Int) -> Void) {
  guard target.allSatisfy({ $0 > 0 }) else { return }
  var strides = [Int](repeating: 0, count: shape.count)
  var size = 1
  for axis in shape.indices.reversed() {
    strides[axis] = shape[axis] == 1 ? 0 : size
    size *= shape[axis]
  }
  func walk(_ axis: Int, _ start: Int) {
    guard axis < target.count else { return body(start) }
    for place in 0..<target[axis] { walk(axis + 1, start + place * strides[axis]) }
  }
  walk(0, 0)
}
