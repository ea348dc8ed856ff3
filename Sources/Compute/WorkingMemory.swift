import Synchronization

/// Large buffers that one training step leaves to the next: fresh memory costs a page fault every
/// few kilobytes, more than what is computed there.
enum WorkingMemory {
  private static let kept = Mutex<[PackedBuffer]>([])
  private static let most = 4

  /// Calls `body` with room for `count` floats that hold anything.
  static func borrow<R>(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> R) -> R {
    let buffer = take(count) ?? PackedBuffer(count: count)
    defer {
      kept.withLock { kept in
        kept.append(buffer)
        if kept.count > most { kept.removeFirst() }
      }
    }
    return body(buffer.floats)
  }

  private static func take(_ count: Int) -> PackedBuffer? {
    kept.withLock { kept in
      let fitting = kept.indices.filter { kept[$0].count >= count }
      return fitting.min { kept[$0].count < kept[$1].count }.map { kept.remove(at: $0) }
    }
  }
}
