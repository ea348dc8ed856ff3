internal import CKernels
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

/// Large tensors of one training step whose memory the next step's take over.
package enum TensorMemory {
  private static let isKept: Bool = {
    // By default glibc gives large blocks back to the system at once, and training's first layers
    // then spent a fifth of their time on page faults.
    ck_keep_freed_memory()
  }()

  /// From now on this process keeps what it frees for its next tensors.
  package static func keep() { _ = isKept }
}
