import Dispatch
import Synchronization

/// Calls `body(worker, item)` once for every item below `count`, on up to `workers` threads.
///
/// Items are handed out in order as workers become free, so a slow core does less. `body` runs
/// concurrently with itself but never twice at once for one worker; it may write only what
/// belongs to its item or its worker.
func parallelItems(_ count: Int, workers: Int, _ body: (_ worker: Int, _ item: Int) -> Void) {
  let used = min(workers, count, Threads.count)
  guard used > 1 else {
    for item in 0..<count { body(0, item) }
    return
  }
  let next = Atomic<Int>(0)
  func work(worker: Int) {
    while true {
      let item = next.add(1, ordering: .relaxed).oldValue
      if item >= count { return }
      body(worker, item)
    }
  }
  if !WorkerPool.shared.run(used, work) {
    withoutActuallyEscaping(work) { work in
      nonisolated(unsafe) let work = work
      DispatchQueue.concurrentPerform(iterations: used) { work($0) }
    }
  }
}

/// The results of `body` for all items in their order, made by several threads at once.
///
/// Where it throws for several items, the error is that of the first of them.
package func parallelMap<Item: Sendable, Result: Sendable>(
  _ items: [Item], _ body: (Item) throws -> Result
) rethrows -> [Result] {
  let results = Mutex<[Int: Swift.Result<Result, any Error>]>([:])
  parallelItems(items.count, workers: Threads.count) { _, index in
    let result = Swift.Result { try body(items[index]) }
    results.withLock { $0[index] = result }
  }
  let found = results.withLock { $0 }
  return try items.indices.compactMap { try found[$0]?.get() }
}
