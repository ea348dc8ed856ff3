internal import CHDF5

// libhdf5 1.10 rounds wrongly where it converts floats by its own code rather than the processor's
// (65520 becomes 32768 as float16): it only moves numbers here, or widens them, and Swift rounds.

extension HDF5Dataset {
  /// All elements of a numeric dataset as floats, row-major; wider types are rounded.
  public func readFloats() throws(HDF5Error) -> [Float] {
    try floats(rows: nil)
  }

  /// The elements of some rows (indices of the first axis) as floats, row-major.
  public func readRows(_ rows: Range<Int>) throws(HDF5Error) -> [Float] {
    try floats(rows: rows)
  }

  /// All elements as floats into memory of exactly as many.
  public func readFloats(into buffer: UnsafeMutableBufferPointer<Float>) throws(HDF5Error) {
    try readFloats(rows: nil, into: buffer)
  }

  /// The elements of some rows as floats into memory of exactly as many.
  public func readRows(
    _ rows: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>
  ) throws(HDF5Error) {
    try readFloats(rows: rows, into: buffer)
  }

  /// All elements of a numeric dataset as doubles, row-major.
  public func readDoubles() throws(HDF5Error) -> [Double] {
    switch NumberForm(elementType) {
    case .half: try readHalves(rows: nil).map { Double($0) }
    case .single, .double: try readNumbers(rows: nil, chdf5_native_double())
    case .signed: try readSigned(rows: nil).map { Double($0) }
    case .unsigned: try readUnsigned(rows: nil).map { Double($0) }
    }
  }

  private func floats(rows: Range<Int>?) throws(HDF5Error) -> [Float] {
    switch NumberForm(elementType) {
    case .half: try readHalves(rows: rows).map { Float($0) }
    case .single: try readNumbers(rows: rows, chdf5_native_float())
    case .double:
      try (readNumbers(rows: rows, chdf5_native_double()) as [Double]).map { Float($0) }
    case .signed: try readSigned(rows: rows).map { Float($0) }
    case .unsigned: try readUnsigned(rows: rows).map { Float($0) }
    }
  }

  private func readFloats(
    rows: Range<Int>?, into buffer: UnsafeMutableBufferPointer<Float>
  ) throws(HDF5Error) {
    try requireNumbers()
    try withSelection(rows: rows) { selection throws(HDF5Error) in
      guard selection.count == buffer.count else {
        throw .wrongCount(object.place, expected: selection.count, found: buffer.count)
      }
      guard elementType == .float32 else {
        _ = buffer.update(fromContentsOf: try floats(rows: rows))
        return
      }
      try requireStored(selection.count, in: selection.dataset)
      try read(selection, chdf5_native_float(), into: buffer.baseAddress)
    }
  }

  private func readHalves(rows: Range<Int>?) throws(HDF5Error) -> [Float16] {
    let type = try HDF5ElementType.float16.fileType(object.place)
    defer { release(type) }
    return try readNumbers(rows: rows, type)
  }

  private func readSigned(rows: Range<Int>?) throws(HDF5Error) -> [Int64] {
    try readNumbers(rows: rows, chdf5_native_int64())
  }

  private func readUnsigned(rows: Range<Int>?) throws(HDF5Error) -> [UInt64] {
    try readNumbers(rows: rows, chdf5_native_uint64())
  }

  /// The elements of an integer, boolean or enumeration dataset, or of some of its rows.
  ///
  /// Throws `valueOutOfRange` for unsigned values above `Int64.max`.
  public func readIntegers(rows: Range<Int>? = nil) throws(HDF5Error) -> [Int64] {
    guard let range = elementType.integerRange else {
      throw .wrongType(object.place, expected: "integers", found: "\(elementType)")
    }
    guard range.highest > UInt64(Int64.max) else {
      return try readSigned(rows: rows)
    }
    // libhdf5 would cut larger values to Int64.max without a word.
    let values = try readUnsigned(rows: rows)
    if let large = values.first(where: { $0 > UInt64(Int64.max) }) {
      throw .valueOutOfRange(object.place, value: "\(large)", type: "int64")
    }
    return values.map { Int64($0) }
  }

  /// The elements of an integer dataset without negative values.
  public func readUnsignedIntegers(rows: Range<Int>? = nil) throws(HDF5Error) -> [UInt64] {
    guard let range = elementType.integerRange, range.lowest == 0 else {
      throw .wrongType(object.place, expected: "unsigned integers", found: "\(elementType)")
    }
    return try readUnsigned(rows: rows)
  }

  /// The bits of all elements of a dataset of two opaque bytes each, row-major.
  ///
  /// So h5py stores bfloat16, which HDF5 1.10 has no type for.
  public func readOpaque16() throws(HDF5Error) -> [UInt16] {
    let id = try object.id()
    let type = try check(object.place, "read the type of", H5Dget_type(id))
    defer { release(type) }
    guard quietly(H5Tget_class(type)) == H5T_OPAQUE, quietly(H5Tget_size(type)) == 2 else {
      throw .wrongType(object.place, expected: "two opaque bytes", found: "\(elementType)")
    }
    return try withSelection(rows: nil) { selection throws(HDF5Error) in
      try requireStored(selection.count, in: selection.dataset)
      var values = [UInt16](repeating: 0, count: selection.count)
      try read(selection, type, into: &values)
      return values.map { UInt16(littleEndian: $0) }
    }
  }

  /// The elements of a dataset of strings, or of some of its rows.
  ///
  /// Padding is taken off; bytes that are not UTF-8 become U+FFFD.
  public func readStrings(rows: Range<Int>? = nil) throws(HDF5Error) -> [String] {
    try withSelection(rows: rows) { selection throws(HDF5Error) in
      try requireStored(selection.count, in: selection.dataset)
      let reading = StringReading(
        type: elementType, count: selection.count, memorySpace: selection.memorySpace,
        place: object.place)
      return try reading.strings { type, memory throws(HDF5Error) in
        try read(selection, type, into: memory)
      }
    }
  }

  private func readNumbers<T: BitwiseCopyable>(
    rows: Range<Int>?, _ type: @autoclosure () -> hid_t
  ) throws(HDF5Error) -> [T] {
    try requireNumbers()
    return try withSelection(rows: rows) { selection throws(HDF5Error) in
      try requireStored(selection.count, in: selection.dataset)
      return try filled(selection.count) { memory throws(HDF5Error) in
        if T.self == Float.self,
          try readPlainFloats(selection, rows: rows, into: memory)
        {
          return
        }
        try read(selection, type(), into: memory.baseAddress)
      }
    }
  }

  /// An array of which `fill` writes all bytes; nothing is cleared before.
  private func filled<T: BitwiseCopyable>(
    _ count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(HDF5Error) -> Void
  ) throws(HDF5Error) -> [T] {
    var failure: HDF5Error?
    let values = [T](unsafeUninitializedCapacity: count) { memory, initialized in
      let bytes = UnsafeMutableRawBufferPointer(
        start: memory.baseAddress, count: count * MemoryLayout<T>.stride)
      adviseLargePages(bytes)
      do throws(HDF5Error) {
        try fill(bytes)
        initialized = count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return values
  }

  private func requireNumbers() throws(HDF5Error) {
    guard elementType.isFloat || elementType.isInteger else {
      throw .wrongType(object.place, expected: "numbers", found: "\(elementType)")
    }
  }

  private func read(
    _ selection: Selection, _ type: hid_t, into memory: UnsafeMutableRawPointer?
  ) throws(HDF5Error) {
    guard selection.count > 0 else { return }
    try check(
      object.place, "read",
      H5Dread(
        selection.dataset, type, selection.memorySpace, selection.fileSpace,
        hid_t(H5P_DEFAULT), memory))
  }
}

/// The form in which numbers come from libhdf5 or go to it without being rounded there.
enum NumberForm {
  case half, single, double, signed, unsigned

  init(_ type: HDF5ElementType) {
    self =
      switch type {
      case .float16: .half
      case .float32: .single
      case .float64, .otherFloat: .double
      default: (type.integerRange?.lowest ?? 0) < 0 ? .signed : .unsigned
      }
  }
}
