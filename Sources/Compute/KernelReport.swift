internal import COpenBLAS
import Dispatch

/// What the numbers of this process were computed with, for the headers of tables.
package enum KernelReport {
  /// The kind of core that OpenBLAS chose, such as `Haswell`; `OPENBLAS_CORETYPE` forces one.
  package static var blasCore: String { String(cString: openblas_get_corename()) }

  /// The same product by OpenBLAS, to compare with; C is `[m, n]`.
  package static func blasProduct(
    _ a: MatrixView, _ b: MatrixView, into c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int
  ) {
    openblas_set_num_threads(Int32(Threads.count))
    cblas_sgemm(
      CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans,
      b.isTransposed ? CblasTrans : CblasNoTrans, Int32(m), Int32(n), Int32(k), 1, a.base,
      Int32(a.stride), b.base, Int32(b.stride), 0, c, Int32(n))
  }

  /// Multiplications and additions a second, in billions, that all threads together reach with
  /// the product kernel on numbers in the nearest cache: what a layer could reach at most.
  package static func productLimit() -> Double {
    let item = KernelCase.smallProduct
    let repetitions = 20_000
    let rounds = (0..<5).map { _ in
      seconds {
        DispatchQueue.concurrentPerform(iterations: Threads.count) { _ in
          _ = item.run(on: .current, repetitions: repetitions)
        }
      }
    }
    return Double(item.operations * repetitions * Threads.count) / rounds.min()! * 1e-9
  }

  private static func seconds(_ body: () -> Void) -> Double {
    let elapsed = ContinuousClock().measure(body).components
    return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
  }

  /// Such as `avx512, 2 threads, BLAS core Haswell`.
  package static var line: String {
    "\(KernelTable.current.name), \(Threads.count) threads, BLAS core \(blasCore)"
  }
}
