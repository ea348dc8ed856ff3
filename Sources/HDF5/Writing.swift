internal import CHDF5

extension HDF5Dataset {
  /// Writes all elements of a float dataset, row-major; narrower types are rounded.
  public func write(_ values: [Float]) throws(HDF5Error) {
    try writeFloats(values, rows: nil)
  }

  /// Writes all elements of a float dataset, row-major; narrower types are rounded.
  public func write(_ values: [Double]) throws(HDF5Error) {
    try writeDoubles(values, rows: nil)
  }

  /// Writes all elements of a numeric or boolean dataset, row-major.
  ///
  /// Throws `valueOutOfRange` for what the stored integer type cannot hold.
  public func write(_ values: [Int64]) throws(HDF5Error) {
    try writeIntegers(values, rows: nil)
  }

  /// Writes all elements of an integer dataset without negative values.
  public func write(_ values: [UInt64]) throws(HDF5Error) {
    guard let range = elementType.integerRange, elementType != .boolean else {
      throw .wrongType(object.place, expected: "integers", found: "\(elementType)")
    }
    if let bad = values.first(where: { $0 > range.highest }) {
      throw .valueOutOfRange(object.place, value: "\(bad)", type: "\(elementType)")
    }
    try write(values, chdf5_native_uint64(), rows: nil)
  }

  /// Writes all elements of a dataset of strings; none is cut to fit.
  public func writeStrings(_ strings: [String]) throws(HDF5Error) {
    try writeStrings(strings, rows: nil)
  }

  /// Writes whole rows of a float dataset from row `start` of the first axis on.
  public func writeRows(_ values: [Float], at start: Int) throws(HDF5Error) {
    try writeFloats(values, rows: try rows(of: values.count, at: start))
  }

  /// Writes whole rows of a numeric dataset from row `start` of the first axis on.
  public func writeRows(_ values: [Int64], at start: Int) throws(HDF5Error) {
    try writeIntegers(values, rows: try rows(of: values.count, at: start))
  }

  /// Writes whole rows of a dataset of strings from row `start` of the first axis on.
  public func writeStrings(_ strings: [String], at start: Int) throws(HDF5Error) {
    try writeStrings(strings, rows: try rows(of: strings.count, at: start))
  }

  /// Changes the lengths of the axes, within `maximumShape`; what is cut off is lost.
  public func resize(to shape: [Int]) throws(HDF5Error) {
    let place = object.place
    try object.file.requireWritable(place)
    let limits = try maximumShape
    guard shape.count == limits.count,
      zip(shape, limits).allSatisfy({ $0 >= 0 && $0 <= $1 ?? .max })
    else {
      let most = limits.map { $0.map { "\($0)" } ?? "any" }.joined(separator: ", ")
      throw .badShape(place, "a shape of at most [\(most)], found \(shape)")
    }
    let id = try object.id()
    try check(place, "resize", H5Dset_extent(id, shape.map { hsize_t($0) }))
  }

  /// The rows that `count` elements fill from row `start` on.
  private func rows(of count: Int, at start: Int) throws(HDF5Error) -> Range<Int> {
    let shape = try currentShape()
    let perRow = try byteCount(Array(shape.dropFirst()), elementBytes: 1, object.place)
    let rows = perRow == 0 ? 0 : count / perRow
    guard rows * perRow == count else {
      throw .wrongCount(object.place, expected: (rows + 1) * perRow, found: count)
    }
    guard start >= 0, !shape.isEmpty, start <= shape[0], rows <= shape[0] - start else {
      let end = start.addingReportingOverflow(rows).partialValue
      throw .rowsOutOfRange(
        object.place, start..<max(start, end), rows: shape.first ?? 0)
    }
    return start..<start + rows
  }

  // Rounded here where the stored type holds less: see Reading.swift.

  private func writeFloats(_ values: [Float], rows: Range<Int>?) throws(HDF5Error) {
    try requireFloats()
    switch NumberForm(elementType) {
    case .half: try writeHalves(values.map { Float16($0) }, rows: rows)
    default: try write(values, chdf5_native_float(), rows: rows)
    }
  }

  private func writeDoubles(_ values: [Double], rows: Range<Int>?) throws(HDF5Error) {
    try requireFloats()
    switch NumberForm(elementType) {
    case .half: try writeHalves(values.map { Float16($0) }, rows: rows)
    case .single: try write(values.map { Float($0) }, chdf5_native_float(), rows: rows)
    default: try write(values, chdf5_native_double(), rows: rows)
    }
  }

  private func requireFloats() throws(HDF5Error) {
    guard elementType.isFloat else {
      throw .wrongType(object.place, expected: "floats", found: "\(elementType)")
    }
  }

  private func writeHalves(_ values: [Float16], rows: Range<Int>?) throws(HDF5Error) {
    let type = try HDF5ElementType.float16.fileType(object.place)
    defer { release(type) }
    try write(values, type, rows: rows)
  }

  private func writeIntegers(_ values: [Int64], rows: Range<Int>?) throws(HDF5Error) {
    switch (NumberForm(elementType), elementType.isFloat) {
    case (.half, _): return try writeHalves(values.map { Float16($0) }, rows: rows)
    case (.single, _):
      return try write(values.map { Float($0) }, chdf5_native_float(), rows: rows)
    case (_, true): return try writeDoubles(values.map { Double($0) }, rows: rows)
    default: break
    }
    guard let range = elementType.integerRange else {
      throw .wrongType(object.place, expected: "numbers", found: "\(elementType)")
    }
    if let bad = values.first(where: { $0 < range.lowest || $0 > 0 && $0.magnitude > range.highest }
    ) {
      throw .valueOutOfRange(object.place, value: "\(bad)", type: "\(elementType)")
    }
    guard elementType == .boolean else {
      return try write(values, chdf5_native_int64(), rows: rows)
    }
    // libhdf5 converts nothing to an enumeration but the same enumeration.
    let type = try elementType.fileType(object.place)
    defer { release(type) }
    try write(values.map { Int8($0) }, type, rows: rows)
  }

  private func writeStrings(_ strings: [String], rows: Range<Int>?) throws(HDF5Error) {
    try withWritableSelection(strings.count, rows: rows) { selection throws(HDF5Error) in
      try StringWriting(type: elementType, place: object.place)
        .write(strings) { type, memory throws(HDF5Error) in
          try write(selection, type, from: memory)
        }
    }
  }

  private func write<T: BitwiseCopyable>(
    _ values: [T], _ type: @autoclosure () -> hid_t, rows: Range<Int>?
  ) throws(HDF5Error) {
    try withWritableSelection(values.count, rows: rows) { selection throws(HDF5Error) in
      try write(selection, type(), from: values)
    }
  }

  private func withWritableSelection(
    _ count: Int, rows: Range<Int>?, _ body: (Selection) throws(HDF5Error) -> Void
  ) throws(HDF5Error) {
    try object.file.requireWritable(object.place)
    try withSelection(rows: rows) { selection throws(HDF5Error) in
      guard selection.count == count else {
        throw .wrongCount(object.place, expected: selection.count, found: count)
      }
      if count > 0 { try body(selection) }
    }
  }

  private func write(
    _ selection: Selection, _ type: hid_t, from memory: UnsafeRawPointer
  ) throws(HDF5Error) {
    try check(
      object.place, "write",
      H5Dwrite(
        selection.dataset, type, selection.memorySpace, selection.fileSpace,
        hid_t(H5P_DEFAULT), memory))
  }
}
