package import Compute
internal import HDF5
package import Layers

/// How the numbers of tensors are stored in files; computing is float32 with either.
package enum NumberType: String, Sendable, CaseIterable {
  case float32
  /// Rounded to 11 bits; the file takes half the room.
  case float16

  var hdf5: HDF5ElementType { self == .float32 ? .float32 : .float16 }

  /// Throws `WeightsError.cannotStore` where a number of the network is none, infinite, or too
  /// large for the type.
  package func check(_ network: Network) throws(WeightsError) {
    let largest =
      self == .float32
      ? Float.greatestFiniteMagnitude : Float(Float16.greatestFiniteMagnitude)
    for (name, tensor) in network.namedTensors {
      // Not `>`, which NaN would pass.
      guard let bad = tensor.scalars.first(where: { !(abs($0) <= largest) }) else { continue }
      throw .cannotStore(name, value: "\(bad)", type: rawValue)
    }
  }

  /// Elements `range` of a tensor as bytes, lowest first.
  package func littleEndianBytes(of tensor: Tensor, _ range: Range<Int>) -> [UInt8] {
    guard self == .float16 else { return tensor.littleEndianBytes(range) }
    return tensor.scalars[range].flatMap { number -> [UInt8] in
      let bits = Float16(number).bitPattern
      return [UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits >> 8)]
    }
  }

  /// The bytes of one number.
  package var size: Int { self == .float32 ? 4 : 2 }
}
