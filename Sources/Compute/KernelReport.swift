internal import COpenBLAS

/// What the numbers of this process were computed with, for the headers of tables.
package enum KernelReport {
  /// The kind of core that OpenBLAS chose, such as `Haswell`; `OPENBLAS_CORETYPE` forces one.
  package static var blasCore: String { String(cString: openblas_get_corename()) }

  /// Such as `avx512, 2 threads, BLAS core Haswell`.
  package static var line: String {
    "\(KernelTable.current.name), \(Threads.count) threads, BLAS core \(blasCore)"
  }
}
