import Foundation
import Images
import Synchronization
import Testing

@Suite struct ReadAheadTests {
  @Test(arguments: [1, 2, 6])
  func computesEachItemOnceAndNotTooFarAhead(_ threads: Int) {
    let allowed = Mutex(0)
    let counts = Mutex([Int](repeating: 0, count: 200))
    let tooEarly = Mutex<[Int]>([])
    let reader = ReadAhead(count: 200, ahead: 10, threads: threads) { index in
      if index >= allowed.withLock({ $0 }) { tooEarly.withLock { $0.append(index) } }
      counts.withLock { $0[index] += 1 }
      return index * index
    }
    for start in stride(from: 0, to: 200, by: 5) {
      allowed.withLock { $0 = start + 15 }
      #expect(reader.take(start..<start + 5) == (start..<start + 5).map { $0 * $0 })
      // In the background all that is allowed gets done; the caller alone does no more than asked.
      let expected = threads == 1 ? start + 5 : min(start + 15, 200)
      for _ in 0..<1000 where counts.withLock({ $0.reduce(0, +) }) < expected {
        Thread.sleep(forTimeInterval: 0.001)
      }
      #expect(counts.withLock { $0.reduce(0, +) } == expected)
    }
    #expect(tooEarly.withLock { $0 }.isEmpty)
    #expect(counts.withLock { $0 } == [Int](repeating: 1, count: 200))
  }

  private final class Token: Sendable {}

  @Test func whatIsLeftUnfinishedIsFreed() throws {
    var token: Token? = Token()
    weak let observed = token
    do {
      let reader = ReadAhead(count: 1000, ahead: 500, threads: 2) { [token] index in
        withExtendedLifetime(token) { index }
      }
      #expect(reader.take(0..<2) == [0, 1])
    }
    token = nil
    for _ in 0..<1000 where observed != nil { Thread.sleep(forTimeInterval: 0.005) }
    #expect(observed == nil)
  }
}
