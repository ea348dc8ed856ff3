// Scratch keeps numbers in a file without a name, mapped into memory: as many as the disk has room
// for, while the process holds little more than those it reads. It knows nothing of what they mean.

import Foundation

/// Rows of equally many floats, written one after the other and then read in any order.
///
/// They lie in a file of a folder in which nobody sees it: it has no name, so nothing is left of it
/// however the process ends. The system keeps in memory what it has room for.
///
///     let rows = try ScratchRows(rowSize: 8192, capacity: 2000, folder: "runs/cats")
///     try rows.append(batch)                    // whole rows
///     let some = try rows.rows(at: [7, 1999])   // 2 * 8192 floats
package final class ScratchRows {
  package let rowSize: Int
  /// How many rows were written.
  package private(set) var count = 0
  private let folder: String
  private let file: Int32
  private var mapped = UnsafeRawBufferPointer(start: nil, count: 0)
  /// Bytes read since the mapping was last let go.
  private var touched = 0
  /// How much of the file may lie in the process's memory.
  private static let mostTouched = 64 << 20

  /// - Parameter capacity: how many rows there will be; the disk is asked for the room at once.
  package init(rowSize: Int, capacity: Int, folder: String) throws(ScratchError) {
    precondition(rowSize > 0, "a row needs numbers but has \(rowSize)")
    self.rowSize = rowSize
    self.folder = folder
    file = try Self.unnamedFile(in: folder)
    try reserve(capacity * rowSize * MemoryLayout<Float>.stride)
  }

  deinit {
    unmap()
    close(file)
  }

  /// Writes whole rows behind those that are there.
  package func append(_ values: [Float]) throws(ScratchError) {
    precondition(
      values.count.isMultiple(of: rowSize), "\(values.count) floats are not rows of \(rowSize)")
    let start = count * rowBytes
    let reason = values.withUnsafeBytes { write($0, at: start) }
    if let reason {
      throw .noRoom(folder: folder, bytes: start + values.count * 4, reason: reason)
    }
    count += values.count / rowSize
  }

  /// The given rows, one after the other.
  package func rows(at indices: [Int]) throws(ScratchError) -> [Float] {
    guard !indices.isEmpty else { return [] }
    try map()
    let (bytes, base) = (rowBytes, mapped.baseAddress!)
    let values = [Float](unsafeUninitializedCapacity: indices.count * rowSize) { memory, filled in
      for (place, index) in indices.enumerated() {
        precondition((0..<count).contains(index), "row \(index) must lie within 0..<\(count)")
        UnsafeMutableRawPointer(memory.baseAddress! + place * rowSize)
          .copyMemory(from: base + index * bytes, byteCount: bytes)
      }
      filled = indices.count * rowSize
    }
    letGo(after: indices.count * bytes)
    return values
  }

  /// Tells the system that these rows will be read soon.
  package func prepare(_ indices: [Int]) {
    guard let base = mapped.baseAddress else { return }
    for index in indices {
      let start = (base + index * rowBytes).alignedDown(toMultipleOf: Int(getpagesize()))
      madvise(
        UnsafeMutableRawPointer(mutating: start), base + (index + 1) * rowBytes - start,
        MADV_WILLNEED)
    }
  }

  private var rowBytes: Int { rowSize * MemoryLayout<Float>.stride }

  /// Writes bytes; says why not all could be.
  private func write(_ bytes: UnsafeRawBufferPointer, at start: Int) -> String? {
    var done = 0
    while done < bytes.count {
      let written = pwrite(
        file, bytes.baseAddress! + done, bytes.count - done, off_t(start + done))
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { return String(cString: strerror(errno)) }
      done += written
    }
    return nil
  }

  private func map() throws(ScratchError) {
    let bytes = count * rowBytes
    guard mapped.count != bytes else { return }
    unmap()
    let start = mmap(nil, bytes, PROT_READ, MAP_SHARED, file, 0)
    guard let start, start != MAP_FAILED else {
      throw .failed(doing: "map", folder: folder, reason: String(cString: strerror(errno)))
    }
    mapped = UnsafeRawBufferPointer(start: start, count: bytes)
  }

  private func unmap() {
    guard let start = mapped.baseAddress else { return }
    munmap(UnsafeMutableRawPointer(mutating: start), mapped.count)
    mapped = UnsafeRawBufferPointer(start: nil, count: 0)
  }

  /// Gives what was read back to the system now and then: it stays in the system's memory, but is
  /// not counted as the process's, which would grow to the size of the file.
  private func letGo(after bytes: Int) {
    touched += bytes
    guard touched >= Self.mostTouched else { return }
    touched = 0
    madvise(
      UnsafeMutableRawPointer(mutating: mapped.baseAddress), mapped.count, MADV_DONTNEED)
  }

  /// Has the disk set the room aside, so that its lack is known before anything long is done.
  private func reserve(_ bytes: Int) throws(ScratchError) {
    #if canImport(Glibc)
      let status = bytes > 0 ? posix_fallocate(file, 0, off_t(bytes)) : 0
      // Where the file system cannot set room aside, `append` finds out.
      guard status != 0, status != EOPNOTSUPP else { return }
      throw .noRoom(folder: folder, bytes: bytes, reason: String(cString: strerror(status)))
    #endif
  }

  /// A new file that has no name, or loses it at once where the file system knows no such files.
  private static func unnamedFile(in folder: String) throws(ScratchError) -> Int32 {
    #if canImport(Glibc)
      // O_TMPFILE, whose macro Swift does not import.
      let unnamed = open(folder, O_RDWR | O_CLOEXEC | O_DIRECTORY | 0o20_000_000, 0o600)
      if unnamed >= 0 { return unnamed }
    #endif
    var path = Array((folder + "/.tl-scratch-XXXXXX").utf8CString)
    let named = mkstemp(&path)
    guard named >= 0 else {
      throw .failed(doing: "make", folder: folder, reason: String(cString: strerror(errno)))
    }
    unlink(path)
    return named
  }
}
