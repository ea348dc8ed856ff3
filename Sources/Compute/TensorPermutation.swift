extension Tensor {
  /// The same elements with the axes in another order: axis `i` of the result is axis `axes[i]`.
  ///
  /// At most four axes.
  package func permuted(_ axes: [Int]) -> Tensor {
    precondition(
      axes.sorted() == Array(shape.indices) && axes.count <= 4,
      "axes \(axes) must be those of \(shape), at most 4")
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    let missing = 4 - axes.count
    let sizes = [Int](repeating: 1, count: missing) + axes.map { shape[$0] }
    let steps = [Int](repeating: 0, count: missing) + axes.map { strides[$0] }
    return Tensor(shape: axes.map { shape[$0] }) { target in
      var next = 0
      for a in 0..<sizes[0] {
        for b in 0..<sizes[1] {
          for c in 0..<sizes[2] {
            let row = a * steps[0] + b * steps[1] + c * steps[2]
            for d in 0..<sizes[3] {
              target[next] = scalars[row + d * steps[3]]
              next += 1
            }
          }
        }
      }
    }
  }
}
