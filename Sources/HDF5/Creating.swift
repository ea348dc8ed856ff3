internal import CHDF5

extension HDF5Group {
  /// Creates a dataset, and the groups on the way to it, without elements yet.
  ///
  ///     let rows = try group.createDataset(
  ///       "features", shape: [0, 512], type: .float32, chunk: [64, 512], deflate: 4,
  ///       maximumShape: [nil, 512])
  ///
  /// - Parameters:
  ///   - path: Where, relative to this group or absolute.
  ///   - shape: The lengths of the axes; `[]` for a scalar.
  ///   - type: What the elements are; stored little-endian.
  ///   - chunk: The shape of the pieces that it is stored in; nil for one piece, which neither
  ///     compresses nor grows.
  ///   - deflate: gzip level 0 to 9 of each chunk.
  ///   - shuffle: Whether bytes of equal weight are brought together first, which makes numbers
  ///     compress better.
  ///   - maximumShape: What `resize(to:)` may grow it to, nil in it for no limit.
  @discardableResult
  public func createDataset(
    _ path: String, shape: [Int], type: HDF5ElementType, chunk: [Int]? = nil,
    deflate: Int? = nil, shuffle: Bool = false, maximumShape: [Int?]? = nil
  ) throws(HDF5Error) -> HDF5Dataset {
    let place = object.place(of: path)
    let plan = DatasetPlan(
      shape: shape, chunk: chunk, deflate: deflate, shuffle: shuffle,
      maximumShape: maximumShape, place: place)
    try plan.check()
    let fileType = try type.fileType(place)
    defer { release(fileType) }
    let space = try plan.space()
    defer { release(space) }
    let options = try plan.options()
    defer { release(options) }
    let (parent, last) = try parentForCreating(place)
    let links = try Self.utf8Links(place)
    defer { release(links) }
    let file = try object.file.id()
    let id = try HDF5.check(
      place, "create",
      H5Dcreate2(
        file, joined(parent, last), fileType, space, links, options, hid_t(H5P_DEFAULT)))
    return try HDF5Dataset(
      HDF5Object(handle: ObjectHandle(id, file: object.file), place: place))
  }
}

/// What a dataset to be created looks like.
private struct DatasetPlan {
  var shape: [Int]
  var chunk: [Int]?
  var deflate: Int?
  var shuffle: Bool
  var maximumShape: [Int?]?
  var place: HDF5Place

  func check() throws(HDF5Error) {
    guard shape.count <= H5S_MAX_RANK, shape.allSatisfy({ $0 >= 0 }) else {
      throw .badShape(place, "at most 32 axes, none negative, found \(shape)")
    }
    if let chunk {
      guard chunk.count == shape.count, !chunk.isEmpty, chunk.allSatisfy({ $0 > 0 }) else {
        throw .badShape(place, "a positive chunk for each axis of \(shape), found \(chunk)")
      }
    } else if deflate != nil || shuffle || maximumShape != nil {
      throw .badShape(place, "a chunk shape, which compressing and growing need, found none")
    }
    if let deflate, !(0...9).contains(deflate) {
      throw .badShape(place, "a gzip level in 0...9, found \(deflate)")
    }
    if let maximumShape {
      guard maximumShape.count == shape.count,
        zip(shape, maximumShape).allSatisfy({ $0 <= $1 ?? .max })
      else {
        throw .badShape(place, "a maximum shape of at least \(shape), found \(maximumShape)")
      }
    }
  }

  func space() throws(HDF5Error) -> hid_t {
    guard !shape.isEmpty else {
      return try HDF5.check(place, "create", H5Screate(H5S_SCALAR))
    }
    let lengths = shape.map { hsize_t($0) }
    let limits = maximumShape?.map { $0.map { hsize_t($0) } ?? chdf5_unlimited() } ?? lengths
    return try HDF5.check(
      place, "create", H5Screate_simple(Int32(shape.count), lengths, limits))
  }

  func options() throws(HDF5Error) -> hid_t {
    let options = try HDF5.check(place, "create", H5Pcreate(chdf5_class_dataset_create()))
    do {
      // No times, so that the same content gives the same bytes.
      try HDF5.check(place, "create", H5Pset_obj_track_times(options, false))
      if let chunk {
        try HDF5.check(
          place, "create", H5Pset_chunk(options, Int32(chunk.count), chunk.map { hsize_t($0) }))
      }
      if shuffle { try HDF5.check(place, "create", H5Pset_shuffle(options)) }
      if let deflate {
        try HDF5.check(place, "create", H5Pset_deflate(options, UInt32(deflate)))
      }
    } catch {
      release(options)
      throw error
    }
    return options
  }
}
