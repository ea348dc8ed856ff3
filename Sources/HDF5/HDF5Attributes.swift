internal import CHDF5

/// The value of an attribute; arrays are row-major, and `shape` is `[]` for a scalar.
public enum HDF5Value: Hashable, Sendable {
  case string(String)
  case strings([String], shape: [Int])
  case integers([Int64], shape: [Int])
  /// Unsigned integers, of which one at least is above `Int64.max`.
  case unsignedIntegers([UInt64], shape: [Int])
  case booleans([Bool], shape: [Int])
  case floats([Double], shape: [Int])
  /// No value at all: a NULL dataspace, h5py's `Empty`.
  case empty
  /// A value of a type that is listed only.
  case unsupported(HDF5ElementType, shape: [Int])
}

/// How an attribute's strings are stored.
public enum HDF5StringStorage: Sendable {
  /// As long as the longest, padded with NULs, as Keras writes its lists.
  case fixed
  /// Each of its own length, as h5py writes `str`.
  case variable
}

/// The attributes of a group or dataset: small named values.
///
///     let names = try file.root.attributes.strings("layer_names") ?? []
///     try file.root.attributes.set("keras_version", string: "2.15.0")
public struct HDF5Attributes: Sendable {
  let object: HDF5Object

  init(_ object: HDF5Object) {
    self.object = object
  }

  /// The names, sorted by bytes.
  public func names() throws(HDF5Error) -> [String] {
    let id = try object.id()
    return try collectNames(object.place, "list the attributes of") {
      chdf5_attribute_names(id, $0, $1)
    }
  }

  /// Whether there is an attribute of this name.
  public func contains(_ name: String) throws(HDF5Error) -> Bool {
    let place = try place(of: name)
    let id = try object.id()
    return try check(place, "find", H5Aexists(id, name)) > 0
  }

  /// The value of an attribute, nil when there is none of this name.
  public func value(_ name: String) throws(HDF5Error) -> HDF5Value? {
    guard try contains(name) else { return nil }
    let id = try object.id()
    return try AttributeReading(object: id, name: name, place: place(of: name), file: object.file)
      .value()
  }

  /// A string, fixed- or variable-length, scalar or one in an array; nil when there is none.
  public func string(_ name: String) throws(HDF5Error) -> String? {
    switch try value(name) {
    case nil: return nil
    case .string(let text): return text
    case .strings(let texts, _) where texts.count == 1: return texts[0]
    case let other?: throw try wrong(name, other, expected: "a string")
    }
  }

  /// A list of strings, fixed- or variable-length; nil when there is none.
  ///
  /// An empty value of any kind is an empty list: h5py writes one as no float64 numbers.
  public func strings(_ name: String) throws(HDF5Error) -> [String]? {
    switch try value(name) {
    case nil: return nil
    case .string(let text): return [text]
    case .strings(let texts, _): return texts
    case .empty, .floats([], _), .integers([], _), .booleans([], _): return []
    case let other?: throw try wrong(name, other, expected: "strings")
    }
  }

  /// One integer; nil when there is no such attribute.
  public func integer(_ name: String) throws(HDF5Error) -> Int64? {
    switch try value(name) {
    case nil: return nil
    case .integers(let values, _) where values.count == 1: return values[0]
    case .booleans(let values, _) where values.count == 1: return values[0] ? 1 : 0
    case let other?: throw try wrong(name, other, expected: "an integer")
    }
  }

  /// A list of integers; nil when there is no such attribute.
  public func integers(_ name: String) throws(HDF5Error) -> [Int64]? {
    switch try value(name) {
    case nil: return nil
    case .integers(let values, _): return values
    case .empty, .floats([], _): return []
    case let other?: throw try wrong(name, other, expected: "integers")
    }
  }

  /// One number; nil when there is no such attribute.
  public func double(_ name: String) throws(HDF5Error) -> Double? {
    switch try value(name) {
    case nil: return nil
    case .floats(let values, _) where values.count == 1: return values[0]
    case .integers(let values, _) where values.count == 1: return Double(values[0])
    case let other?: throw try wrong(name, other, expected: "a number")
    }
  }

  /// A list of numbers; nil when there is no such attribute.
  public func doubles(_ name: String) throws(HDF5Error) -> [Double]? {
    switch try value(name) {
    case nil: return nil
    case .floats(let values, _): return values
    case .integers(let values, _): return values.map { Double($0) }
    case .empty: return []
    case let other?: throw try wrong(name, other, expected: "numbers")
    }
  }

  func place(of name: String) throws(HDF5Error) -> HDF5Place {
    let place = object.place(ofAttribute: name)
    guard !name.isEmpty, !name.utf8.contains(0) else { throw .badName(place) }
    return place
  }

  private func wrong(
    _ name: String, _ value: HDF5Value, expected: String
  ) throws(HDF5Error) -> HDF5Error {
    .wrongType(try place(of: name), expected: expected, found: value.kind)
  }
}

extension HDF5Value {
  /// What it is, in words for errors.
  var kind: String {
    switch self {
    case .string: "a string"
    case .strings(_, let shape): "strings of shape \(shape)"
    case .integers(_, let shape), .unsignedIntegers(_, let shape): "integers of shape \(shape)"
    case .booleans(_, let shape): "booleans of shape \(shape)"
    case .floats(_, let shape): "floats of shape \(shape)"
    case .empty: "no value"
    case .unsupported(let type, let shape): "\(type) of shape \(shape)"
    }
  }
}

/// Reads one attribute.
private struct AttributeReading {
  var object: hid_t
  var name: String
  var place: HDF5Place
  var file: HDF5File

  func value() throws(HDF5Error) -> HDF5Value {
    let attribute = try check(place, "read", H5Aopen(object, name, hid_t(H5P_DEFAULT)))
    defer { release(attribute) }
    let space = try check(place, "read", H5Aget_space(attribute))
    defer { release(space) }
    let type = try check(place, "read", H5Aget_type(attribute))
    defer { release(type) }
    if quietly(H5Sget_simple_extent_type(space)) == H5S_NULL { return .empty }
    let shape = try extent(of: space, place)
    let count = shape.contains(0) ? 0 : try byteCount(shape, elementBytes: 1, place)
    let declared = try byteCount(shape, elementBytes: quietly(H5Tget_size(type)), place)
    let held = try file.byteCount(place)
    guard declared <= held else {
      throw .refused(place, .oversized(declared: declared, stored: held))
    }
    return try value(
      attribute, HDF5ElementType(describing: type), count: count, shape: shape, space: space)
  }

  private func value(
    _ attribute: hid_t, _ type: HDF5ElementType, count: Int, shape: [Int], space: hid_t
  ) throws(HDF5Error) -> HDF5Value {
    switch type {
    case .fixedString, .variableString:
      let texts = try StringReading(type: type, count: count, memorySpace: space, place: place)
        .strings { memoryType, memory throws(HDF5Error) in
          try check(place, "read", H5Aread(attribute, memoryType, memory))
        }
      return shape.isEmpty && !texts.isEmpty ? .string(texts[0]) : .strings(texts, shape: shape)
    case .boolean:
      let values: [Int64] = try numbers(attribute, chdf5_native_int64(), count: count, filler: 0)
      return .booleans(values.map { $0 != 0 }, shape: shape)
    case _ where type.isFloat:
      return .floats(
        try numbers(attribute, chdf5_native_double(), count: count, filler: 0), shape: shape)
    case _ where (type.integerRange?.highest ?? 0) > UInt64(Int64.max):
      let values: [UInt64] = try numbers(
        attribute, chdf5_native_uint64(), count: count, filler: 0)
      let signed = values.compactMap { Int64(exactly: $0) }
      return signed.count == values.count
        ? .integers(signed, shape: shape) : .unsignedIntegers(values, shape: shape)
    case _ where type.isInteger:
      return .integers(
        try numbers(attribute, chdf5_native_int64(), count: count, filler: 0), shape: shape)
    default: return .unsupported(type, shape: shape)
    }
  }

  private func numbers<T: BitwiseCopyable>(
    _ attribute: hid_t, _ type: @autoclosure () -> hid_t, count: Int, filler: T
  ) throws(HDF5Error) -> [T] {
    var values = [T](repeating: filler, count: count)
    if count > 0 { try check(place, "read", H5Aread(attribute, type(), &values)) }
    return values
  }
}
