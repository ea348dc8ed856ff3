import Compute

/// Matrix products of the trainable layers: our kernels against OpenBLAS in alternation.
func benchmarkProducts(_ arguments: Arguments) {
  print("Products C = A * B [m, n, k]; \(BLAS.line)")
  print("product".column(28) + "    ours  OpenBLAS  ratio (GFLOP/s, best)")
  let sizes = [
    (1620, 512, 4608, "block5, forward", false, false),
    (4608, 512, 1620, "block5, weights", true, false),
    (1620, 4608, 512, "block5, data", false, true),
    (20, 256, 8192, "head, forward", false, false),
    (8192, 256, 20, "head, weights", true, false),
    (20, 8192, 256, "head, data", false, true),
    (1024, 1024, 1024, "square", false, false),
  ]
  for (m, n, k, name, transposedA, transposedB) in sizes {
    let a = [Float](repeating: 0.5, count: m * k)
    let b = [Float](repeating: 0.25, count: k * n)
    var c = [Float](repeating: 0, count: m * n)
    var (ours, theirs) = (Double.infinity, Double.infinity)
    for _ in 0..<arguments.integer("rounds", 10) {
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          c.withUnsafeMutableBufferPointer { c in
            let left = MatrixView(
              a.baseAddress!, stride: transposedA ? m : k, transposed: transposedA)
            let right = MatrixView(
              b.baseAddress!, stride: transposedB ? k : n, transposed: transposedB)
            let c = c.baseAddress!
            ours = min(
              ours,
              seconds {
                PackedProduct.multiply(left, right, into: c, cStride: n, m: m, n: n, k: k)
              })
            theirs = min(
              theirs,
              seconds { BLAS.product(left, right, into: c, m: m, n: n, k: k) })
          }
        }
      }
    }
    let work = 2e-9 * Double(m) * Double(n) * Double(k)
    print(
      "\(name) [\(m), \(n), \(k)]".column(36) + (work / ours).column(6, digits: 0)
        + (work / theirs).column(10, digits: 0) + (theirs / ours).column(7, digits: 2))
  }
}
