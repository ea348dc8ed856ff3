import Foundation

/// Computes numbered items in the background, a bounded number of them ahead of what was taken.
///
/// The caller of `take` computes too while it waits, so that it gets its items even when no
/// background thread is to be had. Background threads end when they have nothing to do.
package final class ReadAhead<Item: Sendable>: Sendable {
  private let work: Work

  /// - Parameters:
  ///   - count: how many items there are.
  ///   - ahead: how many items beyond the last one asked for may be computed.
  ///   - threads: how many threads compute at most, the caller's included.
  ///   - compute: makes the item of an index, on any thread.
  package init(
    count: Int, ahead: Int, threads: Int, compute: @escaping @Sendable (Int) -> Item
  ) {
    precondition(
      threads > 0 && ahead >= 0,
      "reading ahead needs a thread and a limit but has \(threads) threads, \(ahead) items ahead")
    work = Work(count: count, ahead: ahead, threads: threads, compute: compute)
  }

  deinit { work.stop() }

  /// The items of a range that starts where the last one ended; waits for them.
  package func take(_ range: Range<Int>) -> [Item] { work.take(range) }

  /// What the threads share; they keep it alive, while only the owner keeps the `ReadAhead`.
  private final class Work: @unchecked Sendable {
    private let count: Int
    private let ahead: Int
    private let threads: Int
    private let compute: @Sendable (Int) -> Item
    private let condition = NSCondition()
    // All below is touched only while `condition` is locked.
    private var items: [Int: Item] = [:]
    private var next = 0
    private var limit = 0
    private var running = 0

    init(count: Int, ahead: Int, threads: Int, compute: @escaping @Sendable (Int) -> Item) {
      self.count = count
      self.ahead = ahead
      self.threads = threads
      self.compute = compute
    }

    func stop() { condition.withLock { limit = 0 } }

    func take(_ range: Range<Int>) -> [Item] {
      allow(upTo: min(count, range.upperBound + ahead))
      while let index = claim(below: range.upperBound) { computeItem(index) }
      condition.lock()
      defer { condition.unlock() }
      while range.contains(where: { items[$0] == nil }) { condition.wait() }
      return range.map { items.removeValue(forKey: $0)! }
    }

    /// Lets items below `newLimit` be computed and starts threads for them.
    private func allow(upTo newLimit: Int) {
      condition.lock()
      defer { condition.unlock() }
      limit = newLimit
      while running < min(threads - 1, limit - next) {
        running += 1
        DispatchQueue.global().async { [self] in
          while let index = claim(orLeave: true) { computeItem(index) }
        }
      }
    }

    /// Takes the next item that is allowed and below `bound`; without one, a background thread
    /// leaves in the same step, so that `allow` never counts on a thread about to end.
    private func claim(below bound: Int = .max, orLeave isBackground: Bool = false) -> Int? {
      condition.lock()
      defer { condition.unlock() }
      guard next < min(limit, bound) else {
        if isBackground { running -= 1 }
        return nil
      }
      defer { next += 1 }
      return next
    }

    private func computeItem(_ index: Int) {
      let item = compute(index)
      condition.lock()
      defer { condition.unlock() }
      items[index] = item
      condition.broadcast()
    }
  }
}
