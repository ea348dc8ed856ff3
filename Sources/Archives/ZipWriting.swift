internal import CZip
internal import Foundation

extension ZipArchive {
  /// A member to be written.
  package struct NewMember: Sendable {
    package enum Content: Sendable {
      case bytes([UInt8])
      /// What the file at this path holds when the archive is written.
      case file(String)
    }

    package let name: String
    package let content: Content

    package init(_ name: String, _ content: Content) {
      (self.name, self.content) = (name, content)
    }
  }

  /// Writes an archive, its members stored as they are, as Keras does; one at `path` is replaced.
  ///
  /// Members carry no time, so that equal content gives equal bytes. On an error no archive is
  /// left, and one that was there stays. Throws `ArchiveError`.
  package static func write(_ path: String, _ members: [NewMember]) throws(ArchiveError) {
    var code: Int32 = 0
    guard !path.utf8.contains(0), let archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code)
    else { throw .cannotWrite(path: path, reason: reason(code: code)) }
    func failed() -> ArchiveError {
      .cannotWrite(path: path, reason: String(cString: zip_strerror(archive)))
    }
    var isClosed = false
    defer { if !isClosed { zip_discard(archive) } }
    for member in members {
      guard let source = source(member.content, archive) else { throw failed() }
      let index = zip_file_add(archive, member.name, source, zip_flags_t(ZIP_FL_ENC_UTF_8))
      guard index >= 0 else {
        zip_source_free(source)
        throw failed()
      }
      guard zip_set_file_compression(archive, UInt64(index), ZIP_CM_STORE, 0) == 0,
        // 1 January 1980, the first day that zip files know.
        zip_file_set_dostime(archive, UInt64(index), 0, 1 << 5 | 1, 0) == 0
      else { throw failed() }
    }
    guard zip_close(archive) == 0 else { throw failed() }
    isClosed = true
  }

  private static func source(
    _ content: NewMember.Content, _ archive: OpaquePointer
  ) -> OpaquePointer? {
    switch content {
    case .file(let path): return zip_source_file(archive, path, 0, -1)
    case .bytes(let bytes):
      // libzip reads the bytes only when it closes the archive, and frees them then.
      guard let copy = malloc(max(bytes.count, 1)) else { return nil }
      bytes.withUnsafeBytes { bytes in
        if let start = bytes.baseAddress { memcpy(copy, start, bytes.count) }
      }
      guard let source = zip_source_buffer(archive, copy, UInt64(bytes.count), 1) else {
        free(copy)
        return nil
      }
      return source
    }
  }
}
