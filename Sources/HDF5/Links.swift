internal import CHDF5

/// What a link is, before anything is opened through it.
enum Link {
  case hard
  case soft(target: String)
  case refused(HDF5Refusal)
}

/// A path in which no soft link is left, and what is there.
struct Located {
  var path: String
  var kind: H5I_type_t
}

/// `a` and `b` as one absolute path without empty parts.
func joined(_ a: String, _ b: String) -> String {
  let parts = b.hasPrefix("/") ? b.split(separator: "/") : (a + "/" + b).split(separator: "/")
  return "/" + parts.filter { $0 != "." }.joined(separator: "/")
}

/// What libhdf5's object kinds are called here.
func kindName(_ kind: H5I_type_t) -> String {
  switch kind {
  case H5I_GROUP: "group"
  case H5I_DATASET: "dataset"
  case H5I_DATATYPE: "named type"
  default: "object of unknown kind"
  }
}

extension HDF5File {
  /// The link at `path`, whose parent has no soft link in it; nil when there is none.
  func link(at path: String, place: HDF5Place) throws(HDF5Error) -> Link? {
    let file = try id()
    guard try check(place, "find", H5Lexists(file, path, hid_t(H5P_DEFAULT))) > 0 else {
      return nil
    }
    var type: Int32 = 0
    var size = 0
    try check(place, "find", chdf5_link_info(file, path, &type, &size))
    switch type {
    case H5L_TYPE_HARD.rawValue: return .hard
    case H5L_TYPE_SOFT.rawValue:
      return .soft(target: text(try linkValue(file, path, size: size, place: place)[...]))
    case H5L_TYPE_EXTERNAL.rawValue:
      // One byte of flags, then the file and the path, each closed by a NUL.
      let value = try linkValue(file, path, size: size, place: place).dropFirst()
      return .refused(
        .externalLink(
          file: text(value), path: text(value.drop { $0 != 0 }.dropFirst())))
    default: return .refused(.userDefinedLink)
    }
  }

  private func linkValue(
    _ file: hid_t, _ path: String, size: Int, place: HDF5Place
  ) throws(HDF5Error) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: size)
    try check(place, "find", H5Lget_val(file, path, &bytes, size, hid_t(H5P_DEFAULT)))
    return bytes
  }

  private func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Follows `path` from the root, soft links included, without leaving the file.
  func locate(_ path: String, place: HDF5Place) throws(HDF5Error) -> Located {
    guard !path.utf8.contains(0) else { throw .badName(place) }
    var pending = Array(path.split(separator: "/").reversed())
    var done = ""
    var softLinks = 0
    while let part = pending.popLast() {
      if part == "." { continue }
      let next = done + "/" + part
      guard try kind(of: done, place: place) == H5I_GROUP,
        let link = try link(at: next, place: place)
      else { throw .notFound(place) }
      switch link {
      case .hard: done = next
      case .refused(let refusal): throw .refused(place, refusal)
      case .soft(let target):
        guard followsSoftLinks else { throw .refused(place, .softLink(target: target)) }
        softLinks += 1
        guard softLinks <= 32 else { throw .refused(place, .tooManySoftLinks) }
        if target.hasPrefix("/") { done = "" }
        pending += target.split(separator: "/").reversed()
      }
    }
    let located = done.isEmpty ? "/" : done
    return Located(path: located, kind: try kind(of: located, place: place))
  }

  /// The kind of the object at a path without soft links.
  private func kind(of path: String, place: HDF5Place) throws(HDF5Error) -> H5I_type_t {
    if path.isEmpty || path == "/" { return H5I_GROUP }
    let file = try id()
    let object = try check(place, "open", chdf5_open_object(file, path))
    defer { release(object) }
    return quietly(H5Iget_type(object))
  }

  /// Opens what is at `path`, which `locate` has followed.
  func openObject(_ path: String, place: HDF5Place) throws(HDF5Error) -> HDF5Object {
    let file = try id()
    let object = try check(place, "open", chdf5_open_object(file, path))
    return HDF5Object(handle: ObjectHandle(object, file: self), place: place)
  }
}

/// An open object: what groups and datasets have in common.
struct HDF5Object: Sendable {
  let handle: ObjectHandle
  let place: HDF5Place

  var file: HDF5File { handle.file }

  func id() throws(HDF5Error) -> hid_t { try handle.id(place) }

  /// The place of a member of this group.
  func place(of path: String) -> HDF5Place {
    HDF5Place(file: place.file, object: joined(place.object, path))
  }

  /// The place of an attribute of this object.
  func place(ofAttribute name: String) -> HDF5Place {
    HDF5Place(file: place.file, object: place.object, attribute: name)
  }
}
