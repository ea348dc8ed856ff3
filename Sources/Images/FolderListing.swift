import Glibc

/// The names in one folder, and walks through folders.
struct FolderListing {
  var folders: [String] = []
  var files: [String] = []
  /// Names that are not UTF-8 and so cannot stand in tables and files, repaired for showing.
  var unreadableNames: [String] = []

  /// Lists a folder without hidden entries, sorted by the bytes of the names.
  ///
  /// Links count as what they lead to; a link that leads nowhere counts as a file.
  /// - Throws: `ImagesError.cannotList`, also where the disk fails halfway.
  init(_ path: String) throws(ImagesError) {
    guard let stream = opendir(path) else {
      throw .cannotList(path: path, reason: systemReason())
    }
    defer { closedir(stream) }
    while let entry = try Self.next(of: stream, path) {
      let bytes = Self.nameBytes(entry)
      if bytes.first == UInt8(ascii: ".") { continue }
      guard let name = String(validating: bytes, as: UTF8.self) else {
        unreadableNames.append(String(decoding: bytes, as: UTF8.self))
        continue
      }
      if Self.isFolder(entry, path + "/" + name) {
        folders.append(name)
      } else {
        files.append(name)
      }
    }
    folders.sort(by: isBefore)
    files.sort(by: isBefore)
  }

  /// The next entry, nil behind the last one: only `errno` tells the end from an error.
  private static func next(
    of stream: OpaquePointer, _ path: String
  ) throws(ImagesError) -> UnsafeMutablePointer<dirent>? {
    errno = 0
    let entry = readdir(stream)
    guard entry != nil || errno == 0 else {
      throw .cannotList(path: path, reason: systemReason())
    }
    return entry
  }

  /// Most file systems say in the entry what it is; the rest, and links, are asked for.
  private static func isFolder(_ entry: UnsafeMutablePointer<dirent>, _ path: String) -> Bool {
    switch Int(entry.pointee.d_type) {
    case Int(DT_DIR): true
    case Int(DT_REG): false
    default: FileFacts(path)?.isFolder == true
    }
  }

  static func nameBytes(_ entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
    let start = UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
    let length = strlen(start.assumingMemoryBound(to: CChar.self))
    return [UInt8](UnsafeRawBufferPointer(start: start, count: length))
  }
}

/// Python's order of names, which is that of their bytes; Swift's own order is Unicode's.
func isBefore(_ first: String, _ second: String) -> Bool {
  first.utf8.lexicographicallyPrecedes(second.utf8)
}

/// What the system says about a file.
struct FileFacts {
  var isFolder: Bool
  var isRegular: Bool
  /// Tells folders apart even when links lead to them under several names.
  var identity: [UInt64]

  /// Follows links; nil if nothing is there or it may not be looked at.
  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    isFolder = status.st_mode & S_IFMT == S_IFDIR
    isRegular = status.st_mode & S_IFMT == S_IFREG
    identity = [UInt64(status.st_dev), UInt64(status.st_ino)]
  }
}

/// The last system call's error in words.
func systemReason() -> String { String(cString: strerror(errno)) }

/// All files below a folder.
struct FolderWalk {
  /// Paths below the folder: a folder's files come before those of its subfolders, folders sorted
  /// by path, files by name, as in Keras's `flow_from_directory`.
  private(set) var files: [String] = []
  /// What could not be listed, with the reason.
  private(set) var problems: [String] = []

  /// Walks `path`; a link that leads back to a folder above is passed over, and named.
  ///
  /// - Parameter root: a folder above to which links may not lead back either.
  /// - Throws: `ImagesError.cannotList` if `path` itself cannot be listed.
  init(_ path: String, in root: String? = nil) throws(ImagesError) {
    var found: [(folder: String, files: [String])] = []
    let above = root.flatMap { FileFacts($0) }.map { Set([$0.identity]) } ?? []
    try visit(path, "", above: above, &found)
    found.sort { isBefore($0.folder, $1.folder) }
    files = found.flatMap { entry in entry.files.map { joined(entry.folder, $0) } }
  }

  private mutating func visit(
    _ root: String, _ folder: String, above: Set<[UInt64]>,
    _ found: inout [(folder: String, files: [String])]
  ) throws(ImagesError) {
    let path = joined(root, folder)
    let listing = try FolderListing(path)
    found.append((folder, listing.files))
    problems += listing.unreadableNames.map { "'\(joined(path, $0))': the name is not UTF-8" }
    let chain = above.union(FileFacts(path).map { [$0.identity] } ?? [])
    for name in listing.folders {
      let inner = joined(folder, name)
      if let facts = FileFacts(joined(root, inner)), chain.contains(facts.identity) {
        problems.append("'\(joined(root, inner))': the link leads back to a folder above it")
        continue
      }
      do {
        try visit(root, inner, above: chain, &found)
      } catch {
        problems.append(error.description)
      }
    }
  }
}

/// `folder/name`, or the one of them that is not empty.
func joined(_ folder: String, _ name: String) -> String {
  if folder.isEmpty { return name }
  if name.isEmpty { return folder }
  return folder.hasSuffix("/") ? folder + name : folder + "/" + name
}
