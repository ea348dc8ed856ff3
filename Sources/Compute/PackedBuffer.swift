#if canImport(Glibc)
  import Glibc
#endif

/// Memory in pages of 2 MB, which Linux gives where it is asked to.
///
/// Filling it takes fewer page faults, reading it fewer address look-ups.
enum LargePages {
  static let size = 2 << 20

  /// Asks for large pages wherever memory that nothing was written to yet holds whole ones.
  static func advise(_ memory: UnsafeMutableRawPointer, bytes: Int) {
    #if canImport(Glibc)
      let first = memory.alignedUp(toMultipleOf: size)
      let room = bytes - (first - memory)
      if room >= size { madvise(first, room / size * size, MADV_HUGEPAGE) }
    #endif
  }
}

/// Floats at a fixed address that starts a cache line; large ones lie in large pages.
final class PackedBuffer: @unchecked Sendable {
  let count: Int
  /// Written before the buffer is shared, only read afterwards.
  let floats: UnsafeMutablePointer<Float>

  /// Memory that holds anything: the caller writes all of it.
  init(count: Int) {
    self.count = count
    let bytes = max(count * MemoryLayout<Float>.stride, 64)
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: bytes, alignment: bytes >= LargePages.size ? LargePages.size : 64)
    LargePages.advise(memory, bytes: bytes)
    floats = memory.bindMemory(to: Float.self, capacity: max(count, 16))
  }

  /// A copy of `values` with zeros behind it up to `count`.
  convenience init(_ values: [Float], paddedTo count: Int) {
    self.init(count: count)
    for i in 0..<count { floats[i] = i < values.count ? values[i] : 0 }
  }

  deinit { UnsafeMutableRawPointer(floats).deallocate() }
}
