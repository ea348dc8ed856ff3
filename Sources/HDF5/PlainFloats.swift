internal import CHDF5
import Foundation

// libhdf5 reads one dataset at a time, whatever the thread. What lies in the file as it does in
// memory is read around it, so that several threads fill their arrays at once.

extension HDF5Dataset {
  /// Bytes that lie in the file as they are wanted in memory, one piece after the other.
  private struct Piece {
    let start: Int
    let count: Int
  }

  /// The pieces that make up a dataset of Float32 of this processor, or some of its rows; nil for
  /// any other, and for files that are being written, of which libhdf5 keeps parts.
  private func plainPieces(
    _ selection: Selection, rows: Range<Int>?
  ) throws(HDF5Error) -> [Piece]? {
    guard elementType == .float32, !object.file.isWritable else { return nil }
    let place = object.place
    let type = try check(place, "read the type of", H5Dget_type(selection.dataset))
    defer { release(type) }
    guard quietly(H5Tequal(type, chdf5_native_float())) > 0,
      quietly(H5Tequal(type, chdf5_file_float32())) > 0
    else { return nil }
    let (shape, storage) = (try currentShape(), try storage)
    let rowBytes = try byteCount(Array(shape.dropFirst()), elementBytes: 4, place)
    let rows = rows ?? 0..<(shape.first ?? 1)
    switch storage.layout {
    case .compact: return nil
    case .contiguous:
      return quietly(Self.position(H5Dget_offset(selection.dataset))).map {
        [Piece(start: $0 + rows.lowerBound * rowBytes, count: selection.count * 4)]
      }
    case .chunked(let chunk):
      guard storage.filters.isEmpty, let rowsPerChunk = chunk.first, rowsPerChunk > 0,
        chunk.dropFirst() == shape.dropFirst()
      else { return nil }
      return chunkPieces(selection, rows, rowsPerChunk: rowsPerChunk, rowBytes)
    }
  }

  /// Whole rows from chunks that hold nothing but rows; nil if some were never written.
  private func chunkPieces(
    _ selection: Selection, _ rows: Range<Int>, rowsPerChunk: Int, _ rowBytes: Int
  ) -> [Piece]? {
    var pieces: [Piece] = []
    var row = rows.lowerBound
    while row < rows.upperBound {
      let inside = row % rowsPerChunk
      let end = min(row - inside + rowsPerChunk, rows.upperBound)
      var corner = [hsize_t](repeating: 0, count: Int(H5S_MAX_RANK))
      corner[0] = hsize_t(row - inside)
      var mask: UInt32 = 0
      var address = haddr_t.max
      var size: hsize_t = 0
      guard
        quietly(
          H5Dget_chunk_info_by_coord(selection.dataset, corner, &mask, &address, &size)) >= 0,
        size == rowsPerChunk * rowBytes, let start = Self.position(address)
      else { return nil }
      pieces.append(Piece(start: start + inside * rowBytes, count: (end - row) * rowBytes))
      row = end
    }
    return pieces
  }

  private static func position(_ address: haddr_t) -> Int? {
    address == haddr_t.max ? nil : Int(exactly: address)
  }

  /// Reads all elements, or those of some rows, straight from the file; false where they have to
  /// come through libhdf5.
  func readPlainFloats(
    _ selection: Selection, rows: Range<Int>?, into memory: UnsafeMutableRawBufferPointer
  ) throws(HDF5Error) -> Bool {
    guard let pieces = try plainPieces(selection, rows: rows),
      let file = try object.file.ownDescriptor()
    else { return false }
    defer { close(file) }
    var filled = 0
    for piece in pieces {
      try read(piece, of: file, into: memory.baseAddress! + filled)
      filled += piece.count
    }
    return true
  }

  private func read(
    _ piece: Piece, of file: Int32, into memory: UnsafeMutableRawPointer
  ) throws(HDF5Error) {
    var done = 0
    while done < piece.count {
      let count = pread(file, memory + done, piece.count - done, off_t(piece.start + done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let reason =
          count == 0 ? "the file ends within it" : String(cString: strerror(errno))
        throw .failed(doing: "read", object.place, reason: reason)
      }
      done += count
    }
  }
}

/// A dataset's elements where they lie in the file, mapped into memory.
///
/// They stay readable when the file is closed, renamed or deleted. Whoever shortens the file or
/// writes to it meanwhile changes them: reading what is gone then ends the process.
public final class HDF5Mapping: @unchecked Sendable {
  /// The elements, row-major.
  public let floats: UnsafeBufferPointer<Float>
  private let pages: UnsafeMutableRawBufferPointer

  fileprivate init?(file: Int32, start: Int, count: Int) {
    var status = stat()
    let skipped = start % Int(getpagesize())
    guard count > 0, skipped % MemoryLayout<Float>.alignment == 0, fstat(file, &status) == 0,
      Int(status.st_size) >= start + count,
      let memory = mmap(
        nil, skipped + count, PROT_READ, MAP_PRIVATE, file, off_t(start - skipped)),
      memory != MAP_FAILED
    else { return nil }
    #if canImport(Glibc)
      // One call for all pages takes less time than a page fault for every few, and tells what a
      // fault cannot: that a disk does not give them. Linux before 5.14 does not know it.
      if madvise(memory, skipped + count, MADV_POPULATE_READ) != 0, errno != EINVAL {
        munmap(memory, skipped + count)
        return nil
      }
    #endif
    pages = UnsafeMutableRawBufferPointer(start: memory, count: skipped + count)
    floats = UnsafeRawBufferPointer(rebasing: pages[skipped...]).bindMemory(to: Float.self)
  }

  deinit { munmap(pages.baseAddress, pages.count) }

  /// Takes what was read out of the process's memory; it comes back from the file when wanted.
  public func letGo() { madvise(pages.baseAddress, pages.count, MADV_DONTNEED) }
}

extension HDF5Dataset {
  /// The elements without reading them; nil unless they lie in the file as Float32 of this
  /// processor, all in one piece.
  public func mapFloats() throws(HDF5Error) -> HDF5Mapping? {
    try withSelection(rows: nil) { selection throws(HDF5Error) in
      guard let pieces = try plainPieces(selection, rows: nil), pieces.count == 1,
        let file = try object.file.ownDescriptor()
      else { return nil }
      defer { close(file) }
      return HDF5Mapping(file: file, start: pieces[0].start, count: pieces[0].count)
    }
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
