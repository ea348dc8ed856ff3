internal import CHDF5

/// What a name in a group leads to.
public enum HDF5Kind: Hashable, Sendable {
  case group
  case dataset
  /// A type that datasets may share.
  case namedType
  /// A link to a path in the same file, which may or may not exist.
  case softLink(target: String)
  /// Something that is not touched, or cannot be read, and why.
  case refused(HDF5Error)
}

/// A group: names that lead to groups and datasets.
///
///     let layer = try file.root.createGroup("model_weights/dense")
///     let bias = try layer.createDataset("bias:0", shape: [10], type: .float32)
public struct HDF5Group: Sendable {
  let object: HDF5Object

  init(_ object: HDF5Object) {
    self.object = object
  }

  /// The absolute path in the file.
  public var name: String { object.place.object }

  /// The group's attributes.
  public var attributes: HDF5Attributes { HDF5Attributes(object) }

  /// What is in the group, sorted by name (by bytes).
  public func children() throws(HDF5Error) -> [(name: String, kind: HDF5Kind)] {
    let id = try object.id()
    let names = try collectNames(object.place, "list") { chdf5_link_names(id, $0, $1) }
    // This group's own path may contain soft links, which `locate` follows.
    let parent = try object.file.locate(name, place: object.place).path
    var children: [(name: String, kind: HDF5Kind)] = []
    for name in names {
      children.append((name, try kind(of: name, in: parent)))
    }
    return children
  }

  /// Whether `path` leads to an object; throws when it leads out of the file.
  public func contains(_ path: String) throws(HDF5Error) -> Bool {
    let place = object.place(of: path)
    do {
      _ = try object.file.locate(place.object, place: place)
      return true
    } catch .notFound {
      return false
    }
  }

  /// The group at a path such as `a/b`, relative to this one or absolute.
  public func group(_ path: String) throws(HDF5Error) -> HDF5Group {
    HDF5Group(try open(path, kind: H5I_GROUP))
  }

  /// The dataset at a path such as `a/b`, relative to this group or absolute.
  public func dataset(_ path: String) throws(HDF5Error) -> HDF5Dataset {
    try HDF5Dataset(try open(path, kind: H5I_DATASET))
  }

  /// Creates the group at `path` and the groups on the way to it.
  @discardableResult
  public func createGroup(_ path: String) throws(HDF5Error) -> HDF5Group {
    let place = object.place(of: path)
    let (parent, last) = try parentForCreating(place)
    return HDF5Group(try Self.newGroup(joined(parent, last), in: object.file, place: place))
  }

  /// Takes the name at `path` out of the file; its space is used again, the file gets no smaller.
  public func remove(_ path: String) throws(HDF5Error) {
    let place = object.place(of: path)
    try object.file.requireWritable(place)
    let parts = place.object.split(separator: "/")
    guard let last = parts.last else { throw .badName(place) }
    let parent = try object.file.locate(parts.dropLast().joined(separator: "/"), place: place)
    let full = joined(parent.path, String(last))
    guard try object.file.link(at: full, place: place) != nil else { throw .notFound(place) }
    let file = try object.file.id()
    try check(place, "remove", H5Ldelete(file, full, hid_t(H5P_DEFAULT)))
  }

  private func kind(of name: String, in parent: String) throws(HDF5Error) -> HDF5Kind {
    let place = object.place(of: name)
    do {
      let path = joined(parent, name)
      switch try object.file.link(at: path, place: place) {
      case nil: return .refused(.notFound(place))
      case .soft(let target): return .softLink(target: target)
      case .refused(let refusal): return .refused(.refused(place, refusal))
      case .hard: break
      }
      switch try object.file.locate(path, place: place).kind {
      case H5I_GROUP: return .group
      case H5I_DATASET: return .dataset
      default: return .namedType
      }
    } catch .closed(let place) {
      throw .closed(place)
    } catch {
      return .refused(error)
    }
  }

  private func open(_ path: String, kind: H5I_type_t) throws(HDF5Error) -> HDF5Object {
    guard object.file.isOpen else { throw .closed(object.place) }
    let place = object.place(of: path)
    let located = try object.file.locate(place.object, place: place)
    guard located.kind == kind else {
      throw .wrongKind(place, expected: kindName(kind), found: kindName(located.kind))
    }
    return try object.file.openObject(located.path, place: place)
  }

  /// Creates missing groups on the way; the path of the last one and the name to create in it.
  func parentForCreating(
    _ place: HDF5Place
  ) throws(HDF5Error) -> (path: String, last: String) {
    try object.file.requireWritable(place)
    guard !place.object.utf8.contains(0) else { throw .badName(place) }
    var parts = place.object.split(separator: "/").map { String($0) }
    guard let last = parts.popLast() else { throw .badName(place) }
    var parent = "/"
    for part in parts {
      parent = try existingOrNewGroup(joined(parent, part))
    }
    if try object.file.link(at: joined(parent, last), place: place) != nil {
      throw .alreadyExists(place)
    }
    return (parent, last)
  }

  /// The path without soft links of the group at `path`, which is created if it is missing.
  private func existingOrNewGroup(_ path: String) throws(HDF5Error) -> String {
    let place = HDF5Place(file: object.place.file, object: path)
    let located: Located
    do {
      located = try object.file.locate(path, place: place)
    } catch .notFound {
      _ = try Self.newGroup(path, in: object.file, place: place)
      return path
    }
    guard located.kind == H5I_GROUP else {
      throw .wrongKind(place, expected: "group", found: kindName(located.kind))
    }
    return located.path
  }

  private static func newGroup(
    _ path: String, in file: HDF5File, place: HDF5Place
  ) throws(HDF5Error) -> HDF5Object {
    let links = try utf8Links(place)
    defer { release(links) }
    let options = try check(place, "create", H5Pcreate(chdf5_class_group_create()))
    defer { release(options) }
    // No times, so that the same content gives the same bytes.
    try check(place, "create", H5Pset_obj_track_times(options, false))
    let fileID = try file.id()
    let group = try check(
      place, "create", H5Gcreate2(fileID, path, links, options, hid_t(H5P_DEFAULT)))
    return HDF5Object(handle: ObjectHandle(group, file: file), place: place)
  }

  /// Link properties that say that names are UTF-8, as h5py's do.
  static func utf8Links(_ place: HDF5Place) throws(HDF5Error) -> hid_t {
    let links = try check(place, "create", H5Pcreate(chdf5_class_link_create()))
    quietly(H5Pset_char_encoding(links, H5T_CSET_UTF8))
    return links
  }
}
