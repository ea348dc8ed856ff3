internal import CHDF5

/// Reads `count` strings of either kind, for datasets and attributes alike.
struct StringReading {
  var type: HDF5ElementType
  var count: Int
  /// `count` elements in one line, to free variable-length strings by.
  var memorySpace: hid_t
  var place: HDF5Place

  /// The strings that `read` brings into memory, given the type in memory and where to put them.
  func strings(
    _ read: (hid_t, UnsafeMutableRawPointer) throws(HDF5Error) -> Void
  ) throws(HDF5Error) -> [String] {
    switch type {
    case .fixedString(let length, let padding, _):
      return try fixed(length: length, padding: padding, read)
    case .variableString: return try variable(read)
    default: throw .wrongType(place, expected: "strings", found: "\(type)")
    }
  }

  private func fixed(
    length: Int, padding: HDF5StringPadding,
    _ read: (hid_t, UnsafeMutableRawPointer) throws(HDF5Error) -> Void
  ) throws(HDF5Error) -> [String] {
    let memoryType = try type.fileType(place)
    defer { release(memoryType) }
    let size = try byteCount([count], elementBytes: length, place)
    var bytes = [UInt8](repeating: 0, count: max(size, 1))
    try read(memoryType, &bytes)
    return (0..<count).map { index in
      text(bytes[index * length..<(index + 1) * length], padding)
    }
  }

  private func text(_ bytes: ArraySlice<UInt8>, _ padding: HDF5StringPadding) -> String {
    let filler: UInt8 = padding == .spacePadded ? 0x20 : 0
    let used: ArraySlice<UInt8>
    if padding == .nullTerminated {
      used = bytes.prefix { $0 != 0 }
    } else {
      used = bytes[..<((bytes.lastIndex { $0 != filler } ?? bytes.startIndex - 1) + 1)]
    }
    return String(decoding: used, as: UTF8.self)
  }

  private func variable(
    _ read: (hid_t, UnsafeMutableRawPointer) throws(HDF5Error) -> Void
  ) throws(HDF5Error) -> [String] {
    guard count > 0 else { return [] }
    let memoryType = try type.fileType(place)
    defer { release(memoryType) }
    let pointers = UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>.allocate(
      capacity: count)
    pointers.initialize(repeating: nil)
    defer {
      quietly(
        H5Dvlen_reclaim(memoryType, memorySpace, hid_t(H5P_DEFAULT), pointers.baseAddress))
      pointers.deallocate()
    }
    try read(memoryType, UnsafeMutableRawPointer(pointers.baseAddress!))
    return pointers.map { $0.map { String(cString: $0) } ?? "" }
  }
}

/// Writes strings of either kind, for datasets and attributes alike.
struct StringWriting {
  var type: HDF5ElementType
  var place: HDF5Place

  /// Gives `write` the type in memory and the memory that holds `strings` as `type` has them.
  func write(
    _ strings: [String], _ write: (hid_t, UnsafeRawPointer) throws(HDF5Error) -> Void
  ) throws(HDF5Error) {
    let memoryType = try type.fileType(place)
    defer { release(memoryType) }
    switch type {
    case .fixedString(let length, let padding, let encoding):
      let bytes = try fixed(strings, length: length, padding: padding, encoding)
      try write(memoryType, bytes)
    case .variableString(let encoding):
      try variable(strings, encoding) { pointers throws(HDF5Error) in
        try write(memoryType, pointers)
      }
    default: throw .wrongType(place, expected: "strings", found: "\(type)")
    }
  }

  private func fixed(
    _ strings: [String], length: Int, padding: HDF5StringPadding, _ encoding: HDF5StringEncoding
  ) throws(HDF5Error) -> [UInt8] {
    let filler: UInt8 = padding == .spacePadded ? 0x20 : 0
    var bytes: [UInt8] = []
    bytes.reserveCapacity(strings.count * length)
    for string in strings {
      let used = try checkedBytes(string, encoding)
      guard used.count <= (padding == .nullTerminated ? length - 1 : length) else {
        throw .valueOutOfRange(place, value: "'\(string)'", type: "\(type)")
      }
      bytes += used
      bytes += repeatElement(filler, count: length - used.count)
    }
    return bytes
  }

  private func variable(
    _ strings: [String], _ encoding: HDF5StringEncoding,
    _ body: (UnsafeRawPointer) throws(HDF5Error) -> Void
  ) throws(HDF5Error) {
    var text: [UInt8] = []
    var starts: [Int] = []
    for string in strings {
      starts.append(text.count)
      text += try checkedBytes(string, encoding)
      text.append(0)
    }
    try text.withUnsafeBufferPointer { text throws(HDF5Error) in
      let pointers = starts.map { start in text.baseAddress.map { $0 + start } }
      try body(pointers)
    }
  }

  /// The string's bytes; a NUL would end it early and ASCII has no others.
  private func checkedBytes(
    _ string: String, _ encoding: HDF5StringEncoding
  ) throws(HDF5Error) -> [UInt8] {
    let bytes = Array(string.utf8)
    if bytes.contains(0) {
      throw .valueOutOfRange(place, value: "a string with a NUL", type: "\(type)")
    }
    if encoding == .ascii, bytes.contains(where: { $0 > 127 }) {
      throw .valueOutOfRange(place, value: "'\(string)'", type: "ASCII")
    }
    return bytes
  }
}
