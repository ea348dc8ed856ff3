import Compute
import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

/// Loops over several threads; what they compute is tested where they are used.
@Suite(.serialized) struct ParallelTests {
  @Test(arguments: [1, 2, 7])
  func everyItemRunsOnce(threads: Int) {
    withThreads(threads) {
      for count in [0, 1, 2, 3, 100] {
        let calls = Mutex([Int](repeating: 0, count: count))
        parallel(count) { range in
          calls.withLock { calls in
            for item in range { calls[item] += 1 }
          }
        }
        #expect(calls.withLock { $0 } == [Int](repeating: 1, count: count))
      }
    }
  }

  /// Short loops find the threads awake, later ones asleep.
  @Test func loopsFollowOneAnotherAfterAnyPause() {
    withThreads(4) {
      for pause in [0, 0, 0, 1, 100, 5_000, 0, 1, 0] {
        let sum = Atomic<Int>(0)
        for _ in 0..<200 {
          parallel(8) { sum.add($0.count, ordering: .relaxed) }
          if pause == 1 { Thread.sleep(forTimeInterval: 1e-6) }
        }
        #expect(sum.load(ordering: .relaxed) == 1600)
        if pause > 1 { Thread.sleep(forTimeInterval: Double(pause) * 1e-6) }
      }
    }
  }

  @Test func loopsRunWithinLoopsAndBesideThem() {
    withThreads(3) {
      let sum = Atomic<Int>(0)
      DispatchQueue.concurrentPerform(iterations: 4) { _ in
        for _ in 0..<50 {
          parallel(5) { outer in
            for _ in outer {
              parallel(7) { sum.add($0.count, ordering: .relaxed) }
            }
          }
        }
      }
      #expect(sum.load(ordering: .relaxed) == 4 * 50 * 5 * 7)
    }
  }

  private func withThreads(_ count: Int, _ body: () -> Void) {
    let before = Threads.count
    defer { Threads.count = before }
    Threads.count = count
    body()
  }
}
