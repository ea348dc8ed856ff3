internal import CHDF5

/// The elements of a dataset that one call reads or writes.
struct Selection {
  /// The dataset's own identifier and dataspace, with the rows selected in it.
  let dataset: hid_t
  let fileSpace: hid_t
  /// As many elements in one line.
  let memorySpace: hid_t
  let count: Int
}

extension HDF5Dataset {
  /// A read of more than `alwaysAllowedBytes` is refused when less than one in so many is stored.
  private static let mostUnstoredRatio = 1000
  private static let alwaysAllowedBytes = 1 << 30

  /// Selects `rows` of the first axis, or everything, for the time of `body`.
  func withSelection<R>(
    rows: Range<Int>?, _ body: (Selection) throws(HDF5Error) -> R
  ) throws(HDF5Error) -> R {
    let place = object.place
    let id = try object.id()
    let fileSpace = try check(place, "read the shape of", H5Dget_space(id))
    defer { release(fileSpace) }
    var shape = try extent(of: fileSpace, place)
    if let rows { shape = try select(rows, in: fileSpace, shape: shape) }
    let bytes = try byteCount(shape, elementBytes: 1, place)
    let count = shape.contains(0) ? 0 : bytes
    let memorySpace = try check(
      place, "select in", H5Screate_simple(1, [hsize_t(count)], nil))
    defer { release(memorySpace) }
    return try body(
      Selection(dataset: id, fileSpace: fileSpace, memorySpace: memorySpace, count: count))
  }

  private func select(
    _ rows: Range<Int>, in space: hid_t, shape: [Int]
  ) throws(HDF5Error) -> [Int] {
    let length = isNull ? 0 : (shape.first ?? 0)
    guard rows.lowerBound >= 0, rows.upperBound <= length else {
      throw .rowsOutOfRange(object.place, rows, rows: length)
    }
    guard !shape.isEmpty, !isNull else { return [0] }
    var picked = shape
    picked[0] = rows.count
    var start = [hsize_t](repeating: 0, count: shape.count)
    start[0] = hsize_t(rows.lowerBound)
    if !picked.contains(0) {
      try check(
        object.place, "select in",
        H5Sselect_hyperslab(
          space, H5S_SELECT_SET, start, nil, picked.map { hsize_t($0) }, nil))
    }
    return picked
  }

  /// Refuses to read `count` elements of which the file cannot hold nearly as many.
  ///
  /// libhdf5 would fill in what is missing: a file of a few bytes could ask for any memory.
  func requireStored(_ count: Int, in dataset: hid_t) throws(HDF5Error) {
    let place = object.place
    let type = try check(place, "read the type of", H5Dget_type(dataset))
    defer { release(type) }
    let elementBytes = quietly(H5Tget_size(type))
    let wanted = try byteCount([count], elementBytes: elementBytes, place)
    let stored = Int(clamping: quietly(H5Dget_storage_size(dataset)))
    let held = try object.file.byteCount(place)
    let start = try storedInOnePiece(dataset)
    let available = start.map { max(held - $0, 0) } ?? held
    guard stored <= available else {
      throw .refused(place, .oversized(declared: stored, stored: available))
    }
    if start != nil {
      let declared = try byteCount(try currentShape(), elementBytes: elementBytes, place)
      guard declared <= stored else {
        throw .refused(place, .oversized(declared: declared, stored: stored))
      }
    }
    let needed = max(wanted, try chunkBytes(elementBytes: elementBytes))
    if needed > Self.alwaysAllowedBytes, needed / Self.mostUnstoredRatio > stored {
      throw .refused(place, .oversized(declared: needed, stored: stored))
    }
  }

  /// Where the elements start in the file if they are stored in one piece, 0 for in the header.
  private func storedInOnePiece(_ dataset: hid_t) throws(HDF5Error) -> Int? {
    switch try storage.layout {
    case .compact: return 0
    case .contiguous:
      let offset = quietly(H5Dget_offset(dataset))
      return offset == haddr_t.max ? nil : Int(clamping: offset)
    case .chunked: return nil
    }
  }

  /// The bytes of one chunk, which libhdf5 holds in memory while it reads any part of it.
  private func chunkBytes(elementBytes: Int) throws(HDF5Error) -> Int {
    guard case .chunked(let chunk) = try storage.layout else { return 0 }
    return try byteCount(chunk, elementBytes: elementBytes, object.place)
  }
}
