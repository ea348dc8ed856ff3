internal import CHDF5

/// How a fixed-length string fills its place.
public enum HDF5StringPadding: Hashable, Sendable {
  /// The string ends at the first NUL, which is always there.
  case nullTerminated
  /// NULs at the end are not part of the string, as NumPy's `S` types have it.
  case nullPadded
  /// Spaces at the end are not part of the string, as Fortran has it.
  case spacePadded
}

/// The characters that a string may have.
public enum HDF5StringEncoding: Hashable, Sendable {
  case ascii
  case utf8
}

/// What the elements of a dataset or attribute are; byte order is not part of it.
public enum HDF5ElementType: Hashable, Sendable {
  case float16, float32, float64
  case int8, int16, int32, int64
  case uint8, uint16, uint32, uint64
  /// h5py's booleans: an enumeration of FALSE = 0 and TRUE = 1 in one byte.
  case boolean
  /// Strings of `length` bytes each.
  case fixedString(
    length: Int, padding: HDF5StringPadding = .nullPadded, encoding: HDF5StringEncoding = .utf8)
  /// Strings of any length, stored apart.
  case variableString(encoding: HDF5StringEncoding = .utf8)
  /// Floats of another format, such as bfloat16; they can be read, not created.
  case otherFloat(bits: Int)
  /// Integers of another width; they can be read, not created.
  case otherInteger(bits: Int, signed: Bool)
  /// Integers with names for some values; they are read as integers.
  case enumeration(bits: Int, signed: Bool)
  /// Compound, opaque and other types that are listed only.
  case unsupported(String)
}

extension HDF5ElementType: CustomStringConvertible {
  public var description: String {
    switch self {
    case .float16: "float16"
    case .float32: "float32"
    case .float64: "float64"
    case .int8: "int8"
    case .int16: "int16"
    case .int32: "int32"
    case .int64: "int64"
    case .uint8: "uint8"
    case .uint16: "uint16"
    case .uint32: "uint32"
    case .uint64: "uint64"
    case .boolean: "boolean"
    case .fixedString(let length, _, _): "string of \(length) bytes"
    case .variableString: "string"
    case .otherFloat(let bits): "float of \(bits) bits"
    case .otherInteger(let bits, let signed): "\(signed ? "int" : "uint") of \(bits) bits"
    case .enumeration(let bits, let signed): "enumeration in \(signed ? "int" : "uint")\(bits)"
    case .unsupported(let name): name
    }
  }

  /// Whether the elements are floats of any format.
  public var isFloat: Bool {
    switch self {
    case .float16, .float32, .float64, .otherFloat: true
    default: false
    }
  }

  /// Whether the elements are integers, booleans and enumerations included.
  public var isInteger: Bool {
    integerRange != nil
  }

  /// Whether the elements are strings.
  public var isString: Bool {
    switch self {
    case .fixedString, .variableString: true
    default: false
    }
  }

  /// The values that an integer type holds, as far as `Int64` and `UInt64` count.
  var integerRange: (lowest: Int64, highest: UInt64)? {
    switch self {
    case .int8: signedRange(8)
    case .int16: signedRange(16)
    case .int32: signedRange(32)
    case .int64: signedRange(64)
    case .uint8: unsignedRange(8)
    case .uint16: unsignedRange(16)
    case .uint32: unsignedRange(32)
    case .uint64: unsignedRange(64)
    case .boolean: (0, 1)
    case .otherInteger(let bits, let signed), .enumeration(let bits, let signed):
      signed ? signedRange(bits) : unsignedRange(bits)
    default: nil
    }
  }

  private func signedRange(_ bits: Int) -> (Int64, UInt64) {
    let drop = 64 - min(max(bits, 1), 64)
    return (Int64.min >> drop, UInt64(Int64.max >> drop))
  }

  private func unsignedRange(_ bits: Int) -> (Int64, UInt64) {
    (0, UInt64.max >> (64 - min(max(bits, 1), 64)))
  }
}
