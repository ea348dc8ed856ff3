extension Tensor {
  /// The index of the first element that is NaN or infinite, or nil.
  package var firstNotFinite: Int? { scalars.firstIndex { !$0.isFinite } }

  /// Elements `range` as bytes, four each, lowest first.
  package func littleEndianBytes(_ range: Range<Int>) -> [UInt8] {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count,
      "elements \(range) must lie within 0..<\(count)")
    let values = scalars[range].map { $0.bitPattern.littleEndian }
    return values.withUnsafeBytes { [UInt8]($0) }
  }
}
