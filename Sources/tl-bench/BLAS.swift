import COpenBLAS
import Compute

/// OpenBLAS, which the engine is compared with; `tl` does not link it, because it starts threads
/// that spin as soon as it is loaded.
enum BLAS {
  /// The kind of core that it chose, such as `Haswell`; `OPENBLAS_CORETYPE` forces one.
  static var core: String { String(cString: openblas_get_corename()) }

  /// C = A * B, `[m, n]`.
  static func product(
    _ a: MatrixView, _ b: MatrixView, into c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int
  ) {
    openblas_set_num_threads(Int32(Threads.count))
    cblas_sgemm(
      CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans,
      b.isTransposed ? CblasTrans : CblasNoTrans, Int32(m), Int32(n), Int32(k), 1, a.base,
      Int32(a.stride), b.base, Int32(b.stride), 0, c, Int32(n))
  }

  /// What numbers were computed with, such as `avx512, 2 threads, BLAS core Haswell`.
  static var line: String { "\(KernelReport.line), BLAS core \(core)" }
}
