import Compute
import TestSupport
import Testing

@Suite struct PackedProductTests {
  /// Sides m, n, k.
  static let sizes = [
    (0, 3, 2), (3, 0, 2), (2, 3, 0), (1, 1, 1), (1, 33, 17), (5, 32, 64), (12, 31, 16),
    (13, 65, 30), (170, 40, 9), (25, 100, 513), (3, 4100, 2), (341, 70, 40),
  ]

  @Test(arguments: sizes, [false, true])
  func productsAgreeWithTheirDefinition(_ size: (m: Int, n: Int, k: Int), _ accumulate: Bool) {
    let (m, n, k) = size
    let a = Tensor.random([m, k], seed: 1).scalars
    let b = Tensor.random([k, n], seed: 2).scalars
    let start = Tensor.random([m, n], seed: 3).scalars
    var expected = start.map { accumulate ? Double($0) : 0 }
    for row in 0..<m {
      for inner in 0..<k {
        let value = Double(a[row * k + inner])
        for column in 0..<n {
          expected[row * n + column] += value * Double(b[inner * n + column])
        }
      }
    }
    for kernels in KernelTable.available {
      for (transposedA, transposedB) in [(false, false), (true, false), (false, true)] {
        var c = start
        multiply(
          transposedA ? transpose(a, m, k) : a, transposedA,
          transposedB ? transpose(b, k, n) : b, transposedB, into: &c, (m, n, k), accumulate,
          kernels)
        expectClose(
          c, expected.map { Float($0) }, absolute: 1e-4, relative: 1e-5,
          "\(kernels.name), transposed \(transposedA) \(transposedB)")
      }
    }
  }

  @Test func productsDoNotDependOnTheThreads() {
    let (m, n, k) = (190, 150, 600)
    let a = Tensor.random([m, k], seed: 4).scalars
    let b = Tensor.random([k, n], seed: 5).scalars
    let before = Threads.count
    defer { Threads.count = before }
    var results: [[Float]] = []
    for threads in [1, 2, 5] {
      Threads.count = threads
      var c = [Float](repeating: 0, count: m * n)
      multiply(a, false, b, false, into: &c, (m, n, k), false, .current)
      results.append(c)
    }
    #expect(results[1] == results[0])
    #expect(results[2] == results[0])
  }

  private func multiply(
    _ a: [Float], _ transposedA: Bool, _ b: [Float], _ transposedB: Bool, into c: inout [Float],
    _ size: (m: Int, n: Int, k: Int), _ accumulate: Bool, _ kernels: KernelTable
  ) {
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        c.withUnsafeMutableBufferPointer { c in
          guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else { return }
          PackedProduct.multiply(
            MatrixView(a, stride: transposedA ? size.m : size.k, transposed: transposedA),
            MatrixView(b, stride: transposedB ? size.k : size.n, transposed: transposedB),
            into: c, cStride: size.n, m: size.m, n: size.n, k: size.k, accumulate: accumulate,
            kernels: kernels)
        }
      }
    }
  }

  private func transpose(_ x: [Float], _ rows: Int, _ columns: Int) -> [Float] {
    (0..<columns).flatMap { column in (0..<rows).map { x[$0 * columns + column] } }
  }
}
