import Foundation
import Synchronization

/// How many threads the engine uses, the caller's included; `TL_THREADS` or all cores.
package enum Threads {
  private static let chosen = Atomic<Int>(0)

  package static var count: Int {
    get {
      let set = chosen.load(ordering: .relaxed)
      if set > 0 { return set }
      let wanted = ProcessInfo.processInfo.environment["TL_THREADS"].flatMap { Int($0) } ?? 0
      let value = wanted > 0 ? wanted : ProcessInfo.processInfo.activeProcessorCount
      chosen.store(value, ordering: .relaxed)
      return value
    }
    set {
      precondition(newValue > 0, "thread count must be positive but is \(newValue)")
      chosen.store(newValue, ordering: .relaxed)
    }
  }
}

/// Calls `body` on disjoint ranges that together cover `0..<count`, spread over the threads.
///
/// Ranges hold at least `grain` items, so small work stays on the caller's thread. `body` runs
/// concurrently with itself: it may write only what belongs to its own range.
package func parallel(
  _ count: Int, grain: Int = 1, workers: Int = Threads.count, _ body: (Range<Int>) -> Void
) {
  let parts = min(workers, count / max(grain, 1))
  guard parts > 1 else {
    if count > 0 { body(0..<count) }
    return
  }
  parallelItems(parts, workers: parts) { _, part in
    body(part * count / parts..<(part + 1) * count / parts)
  }
}
