internal import CHDF5

/// How the elements of a dataset lie in the file.
public struct HDF5Storage: Hashable, Sendable, CustomStringConvertible {
  public enum Layout: Hashable, Sendable {
    /// Within the dataset's header.
    case compact
    /// In one piece.
    case contiguous
    /// In pieces of this shape, each filtered on its own.
    case chunked([Int])
  }

  public var layout: Layout
  /// The filters that chunks pass when written, in order, such as `shuffle`, `gzip`.
  public var filters: [String]
  /// The bytes that the elements take in the file, after compression.
  public var bytesStored: Int

  /// Such as `chunked [16, 16], shuffle, gzip`.
  public var description: String {
    let first =
      switch layout {
      case .compact: "compact"
      case .contiguous: "contiguous"
      case .chunked(let shape): "chunked \(shape)"
      }
    return ([first] + filters).joined(separator: ", ")
  }
}

/// A dataset: an array of elements of one type.
///
///     let kernel = try file.root.dataset("dense/kernel:0")
///     let values = try kernel.readFloats()           // row-major, kernel.shape
///     let first = try kernel.readRows(0..<1)         // the first row only
public struct HDF5Dataset: Sendable {
  let object: HDF5Object
  /// What the elements are.
  public let elementType: HDF5ElementType
  /// Whether numbers are stored with their highest byte first; reading does not depend on it.
  public let isBigEndian: Bool
  /// Whether there is no array at all (a NULL dataspace, h5py's `Empty`); it reads as no elements.
  public let isNull: Bool
  private let shapeWhenOpened: [Int]

  /// Takes over an opened dataset; refuses one whose elements lie in other files.
  init(_ object: HDF5Object) throws(HDF5Error) {
    self.object = object
    try Self.requireOwnStorage(object)
    let id = try object.id()
    let type = try check(object.place, "read the type of", H5Dget_type(id))
    defer { release(type) }
    elementType = HDF5ElementType(describing: type)
    isBigEndian = quietly(H5Tget_order(type)) == H5T_ORDER_BE
    let space = try check(object.place, "read the shape of", H5Dget_space(id))
    defer { release(space) }
    isNull = quietly(H5Sget_simple_extent_type(space)) == H5S_NULL
    shapeWhenOpened = try extent(of: space, object.place)
  }

  /// The absolute path in the file.
  public var name: String { object.place.object }

  /// The dataset's attributes.
  public var attributes: HDF5Attributes { HDF5Attributes(object) }

  /// The lengths of the axes, `[]` for a scalar and `[0]` for a NULL dataspace.
  ///
  /// Follows `resize(to:)`; after the file is closed it is the shape as it was when opened.
  public var shape: [Int] {
    (try? currentShape()) ?? shapeWhenOpened
  }

  /// The lengths that the axes can grow to, nil for no limit.
  public var maximumShape: [Int?] {
    get throws(HDF5Error) {
      let id = try object.id()
      let space = try check(object.place, "read the shape of", H5Dget_space(id))
      defer { release(space) }
      let rank = try check(
        object.place, "read the shape of", H5Sget_simple_extent_ndims(space))
      var limits = [hsize_t](repeating: 0, count: Int(rank))
      quietly(H5Sget_simple_extent_dims(space, nil, &limits))
      return limits.map { $0 == chdf5_unlimited() ? nil : Int(clamping: $0) }
    }
  }

  /// How the elements lie in the file.
  public var storage: HDF5Storage {
    get throws(HDF5Error) {
      let id = try object.id()
      let options = try check(object.place, "read the storage of", H5Dget_create_plist(id))
      defer { release(options) }
      return HDF5Storage(
        layout: layout(options), filters: try filters(options),
        bytesStored: Int(clamping: quietly(H5Dget_storage_size(id))))
    }
  }

  func currentShape() throws(HDF5Error) -> [Int] {
    let id = try object.id()
    let space = try check(object.place, "read the shape of", H5Dget_space(id))
    defer { release(space) }
    return try extent(of: space, object.place)
  }

  private func layout(_ options: hid_t) -> HDF5Storage.Layout {
    switch quietly(H5Pget_layout(options)) {
    case H5D_COMPACT: return .compact
    case H5D_CHUNKED:
      var chunk = [hsize_t](repeating: 0, count: Int(H5S_MAX_RANK))
      let rank = quietly(H5Pget_chunk(options, H5S_MAX_RANK, &chunk))
      return .chunked(chunk.prefix(max(Int(rank), 0)).map { Int(clamping: $0) })
    default: return .contiguous
    }
  }

  private func filters(_ options: hid_t) throws(HDF5Error) -> [String] {
    let count = try check(object.place, "read the filters of", H5Pget_nfilters(options))
    return (0..<UInt32(count)).map { index in
      var flags: UInt32 = 0
      var values = 0
      var name = [CChar](repeating: 0, count: 64)
      let filter = quietly(
        H5Pget_filter2(options, index, &flags, &values, nil, name.count, &name, nil))
      return Self.filterNames[filter]
        ?? String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
  }

  private static let filterNames: [H5Z_filter_t: String] = [
    1: "gzip", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset",
  ]

  private static func requireOwnStorage(_ object: HDF5Object) throws(HDF5Error) {
    let id = try object.id()
    let options = try check(object.place, "read the storage of", H5Dget_create_plist(id))
    defer { release(options) }
    if quietly(H5Pget_layout(options)) == H5D_VIRTUAL {
      throw .refused(object.place, .virtualDataset)
    }
    let files = quietly(H5Pget_external_count(options))
    if files > 0 { throw .refused(object.place, .externalStorage(files: Int(files))) }
  }
}

/// The lengths of a dataspace's axes: `[]` for a scalar, `[0]` for a NULL dataspace.
func extent(of space: hid_t, _ place: HDF5Place) throws(HDF5Error) -> [Int] {
  if quietly(H5Sget_simple_extent_type(space)) == H5S_NULL { return [0] }
  let rank = try check(place, "read the shape of", H5Sget_simple_extent_ndims(space))
  var lengths = [hsize_t](repeating: 0, count: Int(rank))
  try check(place, "read the shape of", H5Sget_simple_extent_dims(space, &lengths, nil))
  return lengths.map { Int(clamping: $0) }
}

/// The bytes of an array, refused when they cannot be counted.
func byteCount(
  _ shape: [Int], elementBytes: Int, _ place: HDF5Place
) throws(HDF5Error) -> Int {
  // A zero anywhere makes the array empty, however long the other axes are.
  if shape.contains(0) { return 0 }
  var total = max(elementBytes, 1)
  for length in shape {
    let (product, overflow) = total.multipliedReportingOverflow(by: length)
    guard !overflow else { throw .refused(place, .uncountable(shape: shape)) }
    total = product
  }
  return total
}
