internal import CKernels
import Dispatch
import Foundation
import Synchronization

/// The threads that parallel loops share, made when first wanted.
///
/// Waking a thread that sleeps takes longer than many loops do, above all in a virtual machine. So
/// these stay awake for a moment after each loop, in case the next one follows.
final class WorkerPool: Sendable {
  static let shared = WorkerPool()
  private let isTaken = Atomic<Bool>(false)
  /// Touched by whoever has taken the pool.
  nonisolated(unsafe) private var workers: [Worker] = []

  /// Calls `body(0)` here and `body(1)` to `body(count - 1)` on other threads, all at once.
  ///
  /// A thread that has not started by the time `body(0)` returns is not waited for, and does not
  /// start any more.
  /// - Returns: whether it did; while another loop has the pool it does nothing.
  func run(_ count: Int, _ body: (Int) -> Void) -> Bool {
    guard
      isTaken.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    else { return false }
    defer { isTaken.store(false, ordering: .releasing) }
    while workers.count < count - 1 { workers.append(Worker(number: workers.count + 1)) }
    withoutActuallyEscaping(body) { body in
      for worker in workers.prefix(count - 1) { worker.offer(body) }
      body(0)
      for worker in workers.prefix(count - 1) { worker.settle() }
    }
    return true
  }
}

/// One thread of the pool.
private final class Worker: @unchecked Sendable {
  private enum State {
    static let idle = 0
    static let offered = 1
    static let running = 2
    static let asleep = 3
  }

  private let number: Int
  private let state = Atomic<Int>(State.idle)
  private let bell = DispatchSemaphore(value: 0)
  /// Read and written by the thread while `state` is running, else by whoever has the pool.
  private var job: ((Int) -> Void)?
  /// How often the thread looks for work before it falls asleep: for about a tenth of a
  /// millisecond.
  private static let patience = 4000

  init(number: Int) {
    self.number = number
    Thread.detachNewThread { [self] in
      while true { work() }
    }
  }

  func offer(_ job: @escaping (Int) -> Void) {
    self.job = job
    if state.exchange(State.offered, ordering: .acquiringAndReleasing) == State.asleep {
      bell.signal()
    }
  }

  /// Takes the offer back, or waits until the work is done.
  func settle() {
    if changed(from: State.offered, to: State.idle) {
      job = nil
      return
    }
    var looks = 0
    while state.load(ordering: .acquiring) == State.running {
      looks += 1
      // With more threads than cores it may be this one that keeps the other from working.
      if looks % Self.patience == 0 { sched_yield() } else { ck_pause() }
    }
  }

  private func work() {
    var looks = 0
    while state.load(ordering: .relaxed) != State.offered && looks < Self.patience {
      looks += 1
      ck_pause()
    }
    if changed(from: State.offered, to: State.running) {
      job?(number)
      job = nil
      state.store(State.idle, ordering: .releasing)
    } else if changed(from: State.idle, to: State.asleep) {
      bell.wait()
    }
  }

  private func changed(from old: Int, to new: Int) -> Bool {
    state.compareExchange(expected: old, desired: new, ordering: .acquiringAndReleasing).exchanged
  }
}
