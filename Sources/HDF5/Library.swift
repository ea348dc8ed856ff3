internal import CHDF5
import Foundation

// Every call of libhdf5 passes `check` or `quietly`. Both hold one lock, because not every build
// of libhdf5 is thread-safe, and both silence libhdf5 first, because its printing of errors is a
// setting of the calling thread and a new thread starts with printing on.

/// The lock around libhdf5; recursive, since releasing a handle may happen within a call.
private let libraryLock = NSRecursiveLock()

/// The files open for writing, which are closed when the process ends; under `libraryLock`.
private nonisolated(unsafe) var filesToClose: Set<hid_t> = []

/// Replaces libhdf5's own closing at the end of the process, before the first other call.
///
/// Its own crashes when an earlier close failed, as on a full disk.
private let replaceClosingAtExit: Void = {
  guard H5dont_atexit() >= 0 else { return }
  atexit {
    guard libraryLock.lock(before: Date(timeIntervalSinceNow: 5)) else { return }
    defer { libraryLock.unlock() }
    for file in filesToClose where quietly(H5Fflush(file, H5F_SCOPE_LOCAL)) >= 0 {
      quietly(H5Fclose(file))
    }
  }
}()

/// Notes that a file is open for writing, or no longer.
func closeAtExit(_ file: hid_t, _ isOpen: Bool) {
  libraryLock.withLock {
    if isOpen { filesToClose.insert(file) } else { filesToClose.remove(file) }
  }
}

/// Stops the printing of errors on this thread.
private func silence() {
  _ = replaceClosingAtExit
  H5Eset_auto2(hid_t(H5E_DEFAULT), nil, nil)
}

/// Runs `call` with libhdf5 silent and throws what `place` and `doing` describe if it is negative.
@discardableResult
func check<R: SignedInteger>(
  _ place: HDF5Place, _ doing: String, _ call: @autoclosure () -> R
) throws(HDF5Error) -> R {
  libraryLock.lock()
  defer { libraryLock.unlock() }
  silence()
  let result = call()
  guard result < 0 else { return result }
  throw .failed(doing: doing, place, reason: innermostReason())
}

/// Runs `call` with libhdf5 silent, for results that carry no error or whose error means nothing.
@discardableResult
func quietly<R>(_ call: @autoclosure () -> R) -> R {
  libraryLock.lock()
  defer { libraryLock.unlock() }
  silence()
  return call()
}

/// Gives back an identifier of any kind: type, space, property list or object.
func release(_ id: hid_t) {
  quietly(H5Idec_ref(id))
}

/// The deepest description on the calling thread's error stack: the cause, not its echoes.
private func innermostReason() -> String {
  var descriptions: [String] = []
  withUnsafeMutablePointer(to: &descriptions) { pointer in
    _ = H5Ewalk2(
      hid_t(H5E_DEFAULT), H5E_WALK_UPWARD,
      { _, entry, data in
        if let text = entry?.pointee.desc {
          data?.assumingMemoryBound(to: [String].self).pointee.append(String(cString: text))
        }
        return 0
      }, pointer)
  }
  // Deeper than a missing filter lies only that the folder of plugins was searched for it, and
  // a failed system call may be followed by a complaint about what it left behind.
  let reason =
    descriptions.first { $0.hasPrefix("required filter") }
    ?? descriptions.first { $0.contains("errno = ") } ?? descriptions.first { !$0.isEmpty }
    ?? "libhdf5 gives no reason"
  return shortened(reason)
}

/// Reduces libhdf5's long lines about system calls to `errno = 2, No such file or directory`.
private func shortened(_ reason: String) -> String {
  let line = reason.replacing("\n", with: " ")
  guard let match = line.firstMatch(of: #/errno = (\d+), error message = '([^']*)'/#) else {
    return line
  }
  return "errno = \(match.1), \(match.2)"
}

/// The names that one of the `chdf5_..._names` functions visits.
func collectNames(
  _ place: HDF5Place, _ doing: String,
  _ iterate: (chdf5_name_visitor, UnsafeMutableRawPointer) -> herr_t
) throws(HDF5Error) -> [String] {
  var names: [String] = []
  let status = withUnsafeMutablePointer(to: &names) { pointer in
    Result { () throws(HDF5Error) in
      try check(
        place, doing,
        iterate(
          { name, data in
            guard let name else { return }
            data?.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
          }, pointer))
    }
  }
  _ = try status.get()
  return names
}

/// An identifier of an object in a file, released with its last user.
final class ObjectHandle: @unchecked Sendable {
  let file: HDF5File
  private let storedID: hid_t

  init(_ id: hid_t, file: HDF5File) {
    storedID = id
    self.file = file
  }

  deinit {
    // Closing the file has closed this object too; the identifier then means nothing.
    if file.isOpen { release(storedID) }
  }

  /// The identifier; throws `closed` after `HDF5File.close()`.
  func id(_ place: HDF5Place) throws(HDF5Error) -> hid_t {
    guard file.isOpen else { throw .closed(place) }
    return storedID
  }
}
