internal import CHDF5

extension HDF5Attributes {
  /// Writes one string, replacing the attribute if it is there.
  public func set(
    _ name: String, string: String, storage: HDF5StringStorage = .variable
  ) throws(HDF5Error) {
    try set(name, strings: [string], shape: [], storage)
  }

  /// Writes a list of strings, replacing the attribute if it is there.
  ///
  /// An empty list is written as h5py writes it: as no float64 numbers.
  public func set(
    _ name: String, strings: [String], storage: HDF5StringStorage = .fixed
  ) throws(HDF5Error) {
    if strings.isEmpty { return try set(name, doubles: []) }
    try set(name, strings: strings, shape: [strings.count], storage)
  }

  /// Writes one integer as int64, replacing the attribute if it is there.
  public func set(_ name: String, integer: Int64) throws(HDF5Error) {
    try set(name, numbers: [integer], chdf5_native_int64(), .int64, shape: [])
  }

  /// Writes a list of integers as int64, replacing the attribute if it is there.
  public func set(_ name: String, integers: [Int64]) throws(HDF5Error) {
    try set(name, numbers: integers, chdf5_native_int64(), .int64, shape: [integers.count])
  }

  /// Writes one number as float64, replacing the attribute if it is there.
  public func set(_ name: String, double: Double) throws(HDF5Error) {
    try set(name, numbers: [double], chdf5_native_double(), .float64, shape: [])
  }

  /// Writes a list of numbers as float64, replacing the attribute if it is there.
  public func set(_ name: String, doubles: [Double]) throws(HDF5Error) {
    try set(name, numbers: doubles, chdf5_native_double(), .float64, shape: [doubles.count])
  }

  /// Writes a list of numbers as float32, replacing the attribute if it is there.
  public func set(_ name: String, floats: [Float]) throws(HDF5Error) {
    try set(name, numbers: floats, chdf5_native_float(), .float32, shape: [floats.count])
  }

  /// Writes one boolean as h5py does, replacing the attribute if it is there.
  public func set(_ name: String, boolean: Bool) throws(HDF5Error) {
    let place = try place(of: name)
    let type = try HDF5ElementType.boolean.fileType(place)
    defer { release(type) }
    try set(name, numbers: [Int8(boolean ? 1 : 0)], type, .boolean, shape: [])
  }

  /// Removes an attribute; throws `notFound` when there is none of this name.
  public func remove(_ name: String) throws(HDF5Error) {
    let place = try place(of: name)
    try object.file.requireWritable(place)
    guard try contains(name) else { throw .notFound(place) }
    let id = try object.id()
    try check(place, "remove", H5Adelete(id, name))
  }

  private func set(
    _ name: String, strings: [String], shape: [Int], _ storage: HDF5StringStorage
  ) throws(HDF5Error) {
    let place = try place(of: name)
    let type: HDF5ElementType =
      switch storage {
      case .variable: .variableString(encoding: .utf8)
      case .fixed:
        .fixedString(
          length: max(strings.map(\.utf8.count).max() ?? 1, 1), padding: .nullPadded,
          encoding: strings.allSatisfy { $0.utf8.allSatisfy { $0 < 128 } } ? .ascii : .utf8)
      }
    try StringWriting(type: type, place: place)
      .write(strings) { memoryType, memory throws(HDF5Error) in
        try replace(name, type, shape: shape) { attribute throws(HDF5Error) in
          try check(place, "write", H5Awrite(attribute, memoryType, memory))
        }
      }
  }

  private func set<T: BitwiseCopyable>(
    _ name: String, numbers: [T], _ memoryType: @autoclosure () -> hid_t,
    _ type: HDF5ElementType, shape: [Int]
  ) throws(HDF5Error) {
    let place = try place(of: name)
    try replace(name, type, shape: shape) { attribute throws(HDF5Error) in
      guard !numbers.isEmpty else { return }
      try check(place, "write", H5Awrite(attribute, memoryType(), numbers))
    }
  }

  /// Creates and fills an attribute; the old one of this name goes only once the new one is there.
  private func replace(
    _ name: String, _ type: HDF5ElementType, shape: [Int],
    _ fill: (hid_t) throws(HDF5Error) -> Void
  ) throws(HDF5Error) {
    let place = try place(of: name)
    try object.file.requireWritable(place)
    let id = try object.id()
    guard try contains(name) else { return try create(name, type, shape: shape, fill) }
    let temporary = name + " (new)"
    quietly(H5Adelete(id, temporary))
    try create(temporary, type, shape: shape, fill)
    try check(place, "replace", H5Adelete(id, name))
    try check(place, "replace", H5Arename(id, temporary, name))
  }

  private func create(
    _ name: String, _ type: HDF5ElementType, shape: [Int],
    _ fill: (hid_t) throws(HDF5Error) -> Void
  ) throws(HDF5Error) {
    let place = try place(of: name)
    let fileType = try type.fileType(place)
    defer { release(fileType) }
    let space = try check(
      place, "create",
      shape.isEmpty
        ? H5Screate(H5S_SCALAR)
        : H5Screate_simple(Int32(shape.count), shape.map { hsize_t($0) }, nil))
    defer { release(space) }
    let options = try check(place, "create", H5Pcreate(chdf5_class_attribute_create()))
    defer { release(options) }
    if name.utf8.contains(where: { $0 > 127 }) {
      quietly(H5Pset_char_encoding(options, H5T_CSET_UTF8))
    }
    let bytes = try byteCount(shape, elementBytes: quietly(H5Tget_size(fileType)), place)
    let attribute = try newAttribute(name, fileType, space, options, bytes: bytes)
    defer { release(attribute) }
    do {
      try fill(attribute)
    } catch {
      quietly(H5Adelete((try? object.id()) ?? -1, name))
      throw error
    }
  }

  private func newAttribute(
    _ name: String, _ type: hid_t, _ space: hid_t, _ options: hid_t, bytes: Int
  ) throws(HDF5Error) -> hid_t {
    let place = try place(of: name)
    let id = try object.id()
    do {
      return try check(
        place, "create", H5Acreate2(id, name, type, space, options, hid_t(H5P_DEFAULT)))
    } catch .failed(_, _, let reason) where reason.contains("too large") {
      throw .attributeTooLarge(place, bytes: bytes)
    }
  }
}
