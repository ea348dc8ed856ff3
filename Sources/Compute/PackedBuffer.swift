#if canImport(Glibc)
  import Glibc
#endif

/// Floats at a fixed address that starts a cache line; large ones lie in large pages.
final class PackedBuffer: @unchecked Sendable {
  let count: Int
  /// Written before the buffer is shared, only read afterwards.
  let floats: UnsafeMutablePointer<Float>
  private static let largePage = 2 << 20

  /// Memory that holds anything: the caller writes all of it.
  init(count: Int) {
    self.count = count
    let bytes = max(count * MemoryLayout<Float>.stride, 64)
    let isLarge = bytes >= PackedBuffer.largePage
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: bytes, alignment: isLarge ? PackedBuffer.largePage : 64)
    #if canImport(Glibc)
      // Fewer page faults while it is filled, fewer address lookups while it is read.
      if isLarge { madvise(memory, bytes, MADV_HUGEPAGE) }
    #endif
    floats = memory.bindMemory(to: Float.self, capacity: max(count, 16))
  }

  /// A copy of `values` with zeros behind it up to `count`.
  convenience init(_ values: [Float], paddedTo count: Int) {
    self.init(count: count)
    for i in 0..<count { floats[i] = i < values.count ? values[i] : 0 }
  }

  deinit { UnsafeMutableRawPointer(floats).deallocate() }
}
