/// How numbers of other programs are stored, lowest byte first.
package enum StoredNumbers: Sendable {
  case float16, bfloat16, float32, float64

  package var bytes: Int {
    switch self {
    case .float16, .bfloat16: 2
    case .float32: 4
    case .float64: 8
    }
  }

  /// The numbers that `bytes` hold, those of 64 bits rounded.
  package func floats(_ bytes: [UInt8]) -> [Float] {
    precondition(
      bytes.count % self.bytes == 0, "\(bytes.count) bytes must be a multiple of \(self.bytes)")
    return bytes.withUnsafeBytes { raw in
      let count = raw.count / self.bytes
      switch self {
      case .float16:
        return (0..<count).map { index in
          let bits = raw.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)
          return Float(Float16(bitPattern: UInt16(littleEndian: bits)))
        }
      case .bfloat16:
        return (0..<count).map { index in
          let bits = raw.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)
          return Self.bfloat16(UInt16(littleEndian: bits))
        }
      case .float32:
        return (0..<count).map { index in
          let bits = raw.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
          return Float(bitPattern: UInt32(littleEndian: bits))
        }
      case .float64:
        return (0..<count).map { index in
          let bits = raw.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)
          return Float(Double(bitPattern: UInt64(littleEndian: bits)))
        }
      }
    }
  }

  /// A bfloat16, which is the upper half of a float.
  package static func bfloat16(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }
}
