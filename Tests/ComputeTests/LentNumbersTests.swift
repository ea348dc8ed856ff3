import Compute
import Testing

/// A tensor whose numbers are lent behaves as one that has its own.
struct LentNumbersTests {
  @Test func aLentTensorIsEqualToItsCopy() {
    var numbers: [Float] = [1, 2, 3, 4, 5, .infinity]
    numbers.withUnsafeMutableBufferPointer { memory in
      let lent = Tensor(shape: [2, 3], lent: LentNumbers(UnsafeBufferPointer(memory)) {})
      let own = Tensor(shape: [2, 3], scalars: Array(memory))
      #expect(lent == own)
      #expect(lent.count == 6)
      #expect(!lent.isPlaceholder)
      #expect(lent.scalars == own.scalars)
      #expect(lent.firstNotFinite == 5)
      #expect(lent.reshaped([6]) == own.reshaped([6]))
      #expect(lent.rows(1..<2) == own.rows(1..<2))
      var bytes: [UInt8] = []
      lent.forEachPieceOfBytes { bytes += $0 }
      #expect(bytes == own.littleEndianBytes(0..<6))
      memory[0] = 9
      #expect(lent.scalars[0] == 9, "nothing is copied before it is looked at")
    }
  }

  @Test func changingALentTensorLeavesWhatIsLentAlone() {
    let numbers: [Float] = [1, 2, 3]
    numbers.withUnsafeBufferPointer { memory in
      let lent = Tensor(shape: [3], lent: LentNumbers(memory) {})
      var changed = lent
      changed.scalars[1] = 7
      #expect(changed.scalars == [1, 7, 3])
      #expect(lent.scalars == [1, 2, 3])
      #expect(memory[1] == 2)
      #expect(changed != lent)
    }
  }
}
