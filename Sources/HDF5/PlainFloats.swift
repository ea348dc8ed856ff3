internal import CHDF5
import Foundation

// libhdf5 reads one dataset at a time, whatever the thread. What lies in the file as it does in
// memory is read around it, so that several threads fill their arrays at once.

extension HDF5Dataset {
  /// Where in its file a dataset lies whose bytes are Float32 of this processor, in one piece; nil
  /// for any other, and for files that are being written, of which libhdf5 keeps parts.
  private func plainStart(_ selection: Selection) throws(HDF5Error) -> Int? {
    guard elementType == .float32, !object.file.isWritable else { return nil }
    let place = object.place
    let type = try check(place, "read the type of", H5Dget_type(selection.dataset))
    defer { release(type) }
    guard quietly(H5Tequal(type, chdf5_native_float())) > 0,
      quietly(H5Tequal(type, chdf5_file_float32())) > 0,
      case .contiguous = try storage.layout
    else { return nil }
    let start = quietly(H5Dget_offset(selection.dataset))
    return start == haddr_t.max ? nil : Int(exactly: start)
  }

  /// Reads all elements straight from the file; false where they have to come through libhdf5.
  func readPlainFloats(
    _ selection: Selection, into memory: UnsafeMutableRawBufferPointer
  ) throws(HDF5Error) -> Bool {
    guard let start = try plainStart(selection), let file = try object.file.ownDescriptor() else {
      return false
    }
    defer { close(file) }
    var done = 0
    while done < memory.count {
      let count = pread(file, memory.baseAddress! + done, memory.count - done, off_t(start + done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let reason =
          count == 0 ? "the file ends within it" : String(cString: strerror(errno))
        throw .failed(doing: "read", object.place, reason: reason)
      }
      done += count
    }
    return true
  }
}

extension HDF5File {
  /// Another descriptor of the open file, which the caller closes; nil where libhdf5 has none.
  ///
  /// The file may be closed on another thread while the caller reads.
  func ownDescriptor() throws(HDF5Error) -> Int32? {
    let id = try id()
    return quietly(
      {
        var handle: UnsafeMutableRawPointer?
        guard H5Fget_vfd_handle(id, hid_t(H5P_DEFAULT), &handle) >= 0, let handle else {
          return nil
        }
        let own = dup(handle.load(as: Int32.self))
        return own < 0 ? nil : own
      }())
  }
}

/// Asks for pages of 2 MB wherever fresh memory holds whole ones: it is filled sooner.
func adviseLargePages(_ memory: UnsafeMutableRawBufferPointer) {
  #if canImport(Glibc)
    let size = 2 << 20
    guard let base = memory.baseAddress else { return }
    let start = base.alignedUp(toMultipleOf: size)
    let room = memory.count - (start - base)
    if room >= size { madvise(start, room / size * size, MADV_HUGEPAGE) }
  #endif
}
