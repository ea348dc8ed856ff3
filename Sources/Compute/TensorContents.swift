extension Tensor {
  /// The index of the first element that is NaN or infinite, or nil.
  package var firstNotFinite: Int? {
    let block = 1 << 14
    return withNumbers { scalars in
      for start in stride(from: 0, to: scalars.count, by: block) {
        let end = min(start + block, scalars.count)
        // Only what is not finite has all bits of the exponent: without a branch for each number
        // this runs as fast as memory gives them.
        let largest = (start..<end).reduce(UInt32(0)) {
          max($0, scalars[$1].bitPattern & 0x7F80_0000)
        }
        if largest == 0x7F80_0000 { return (start..<end).first { !scalars[$0].isFinite } }
      }
      return nil
    }
  }

  /// Calls `body` with the bytes of some elements at a time, four each, lowest first.
  package func forEachPieceOfBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
    #if _endian(little)
      withNumbers { body(UnsafeRawBufferPointer($0)) }
    #else
      let piece = 1 << 18
      for start in stride(from: 0, to: count, by: piece) {
        littleEndianBytes(start..<min(start + piece, count)).withUnsafeBytes(body)
      }
    #endif
  }

  /// Elements `range` as bytes, four each, lowest first.
  package func littleEndianBytes(_ range: Range<Int>) -> [UInt8] {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count,
      "elements \(range) must lie within 0..<\(count)")
    let values = scalars[range].map { $0.bitPattern.littleEndian }
    return values.withUnsafeBytes { [UInt8]($0) }
  }
}
