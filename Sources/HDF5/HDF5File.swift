internal import CHDF5
import Foundation

/// An open HDF5 file.
///
///     let file = try HDF5File.create("features.h5")
///     let rows = try file.root.createDataset("features", shape: [2, 3], type: .float32)
///     try rows.write([1, 2, 3, 4, 5, 6] as [Float])
///     try file.close()
///
/// `close()` closes every object of the file as well; afterwards their use throws `closed`. A file
/// that is never closed closes when it and all its objects are gone, or the process ends. May be
/// used from any thread: calls wait for each other.
public final class HDF5File: @unchecked Sendable {
  /// How new the structures are that a created file uses.
  public enum Format: Sendable {
    /// What every HDF5 since 1.0 reads, as h5py and Keras write it.
    case compatible
    /// What HDF5 1.10 and later read; attributes may be larger than 64 KB.
    case latest
  }

  /// The path as it was given, or what messages call the file.
  public let path: String
  /// Whether objects can be created and written.
  public let isWritable: Bool
  /// Whether soft links within the file are followed; else they are refused.
  public let followsSoftLinks: Bool
  private let fileID: hid_t
  private let stateLock = NSLock()
  private var closed = false

  private init(path: String, isWritable: Bool, followsSoftLinks: Bool = true, id: hid_t) {
    self.path = path
    self.isWritable = isWritable
    self.followsSoftLinks = followsSoftLinks
    fileID = id
    if isWritable { closeAtExit(id, true) }
  }

  deinit {
    guard !closed else { return }
    closeAtExit(fileID, false)
    quietly(H5Fclose(fileID))
  }

  /// The version of libhdf5 in use, such as `1.10.8`.
  public static var libraryVersion: String {
    var (major, minor, release): (UInt32, UInt32, UInt32) = (0, 0, 0)
    quietly(H5get_libversion(&major, &minor, &release))
    return "\(major).\(minor).\(release)"
  }

  /// Opens a file for reading, without locking it, which read-only disks may not allow.
  ///
  /// - Parameters:
  ///   - name: What messages call the file, if not by its path.
  ///   - followsSoftLinks: Whether soft links within the file are followed or refused.
  public static func open(
    _ path: String, calledIn name: String? = nil, followsSoftLinks: Bool = true
  ) throws(HDF5Error) -> HDF5File {
    let id = try openExisting(path, HDF5Place(file: name ?? path), writing: false)
    return HDF5File(
      path: name ?? path, isWritable: false, followsSoftLinks: followsSoftLinks, id: id)
  }

  /// Opens an existing file for reading and writing.
  public static func openForWriting(_ path: String) throws(HDF5Error) -> HDF5File {
    let id = try openExisting(path, HDF5Place(file: path), writing: true)
    return HDF5File(path: path, isWritable: true, id: id)
  }

  /// Creates a file, or empties the one at `path`, and opens it for reading and writing.
  public static func create(
    _ path: String, format: Format = .compatible
  ) throws(HDF5Error) -> HDF5File {
    let place = HDF5Place(file: path)
    guard !path.isEmpty, !path.utf8.contains(0) else { throw .badName(place) }
    let access = try accessList(place, writing: true)
    defer { release(access) }
    if format == .latest {
      try check(place, "create", chdf5_set_latest_format(access))
    }
    let id = try check(
      place, "create", H5Fcreate(path, chdf5_truncate(), hid_t(H5P_DEFAULT), access))
    return HDF5File(path: path, isWritable: true, id: id)
  }

  /// The group that holds all others.
  public var root: HDF5Group {
    get throws(HDF5Error) {
      HDF5Group(try openObject("/", place: HDF5Place(file: path, object: "/")))
    }
  }

  /// Whether `close()` has not been called.
  public var isOpen: Bool {
    stateLock.withLock { !closed }
  }

  /// Writes what is still in memory to the file.
  public func flush() throws(HDF5Error) {
    let id = try id()
    try check(HDF5Place(file: path), "flush", H5Fflush(id, H5F_SCOPE_LOCAL))
  }

  /// Closes the file and every object of it; closing twice does nothing.
  public func close() throws(HDF5Error) {
    let first = stateLock.withLock {
      defer { closed = true }
      return !closed
    }
    guard first else { return }
    closeAtExit(fileID, false)
    try check(HDF5Place(file: path), "close", H5Fclose(fileID))
  }

  /// The identifier; throws `closed` after `close()`.
  func id() throws(HDF5Error) -> hid_t {
    guard isOpen else { throw .closed(HDF5Place(file: path)) }
    return fileID
  }

  /// Throws `readOnly` when the file was opened for reading.
  func requireWritable(_ place: HDF5Place) throws(HDF5Error) {
    guard isOpen else { throw .closed(place) }
    guard isWritable else { throw .readOnly(place) }
  }

  /// The bytes of the file, or those that will be in it once it is flushed.
  func byteCount(_ place: HDF5Place) throws(HDF5Error) -> Int {
    var size: hsize_t = 0
    let id = try id()
    try check(place, "measure the file of", H5Fget_filesize(id, &size))
    return Int(clamping: size)
  }

  private static func openExisting(
    _ path: String, _ place: HDF5Place, writing: Bool
  ) throws(HDF5Error) -> hid_t {
    try requireFile(path, place)
    let access = try accessList(place, writing: writing)
    defer { release(access) }
    let flags = writing ? chdf5_read_write() : chdf5_read_only()
    do {
      return try check(place, "open", H5Fopen(path, flags, access))
    } catch .failed(_, _, let reason) {
      throw openingError(place, reason: reason)
    }
  }

  /// What the commonest reasons of libhdf5 mean.
  private static func openingError(_ place: HDF5Place, reason: String) -> HDF5Error {
    if reason.contains("file signature not found") { return .notHDF5(place) }
    let sizes = #/truncated file: eof = (\d+), .*stored_eof = (\d+)/#
    if let match = reason.firstMatch(of: sizes), let found = Int(match.1),
      let expected = Int(match.2)
    {
      return .truncated(place, expected: expected, found: found)
    }
    return .failed(doing: "open", place, reason: reason)
  }

  /// Opening a directory or a pipe by libhdf5 says little or waits forever: look first.
  private static func requireFile(_ path: String, _ place: HDF5Place) throws(HDF5Error) {
    guard !path.isEmpty, !path.utf8.contains(0) else { throw .badName(place) }
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno == ENOENT { throw .noSuchFile(place) }
      throw .failed(
        doing: "open", place, reason: "errno = \(errno), \(String(cString: strerror(errno)))")
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw .notAFile(place, found: "a directory")
    default: throw .notAFile(place, found: "a device, pipe or socket")
    }
    guard status.st_size > 0 else { throw .emptyFile(place) }
  }

  private static func accessList(
    _ place: HDF5Place, writing: Bool
  ) throws(HDF5Error) -> hid_t {
    let list = try check(place, "open", H5Pcreate(chdf5_class_file_access()))
    do {
      // Closing the file closes its objects, so that the file can be renamed or deleted at once.
      try check(place, "open", H5Pset_fclose_degree(list, H5F_CLOSE_STRONG))
      // A reader needs no lock; a writer takes one where the disk has locks.
      try check(place, "open", H5Pset_file_locking(list, writing, true))
    } catch {
      release(list)
      throw error
    }
    return list
  }
}
