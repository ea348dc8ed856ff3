import Dispatch

/// What the numbers of this process were computed with, for the headers of tables.
package enum KernelReport {
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

  /// Such as `avx512, 2 threads`.
  package static var line: String { "\(KernelTable.current.name), \(Threads.count) threads" }
}
