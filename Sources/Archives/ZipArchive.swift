// Archives reads and writes zip files through libzip. It knows nothing of what the members are.
//
//   let archive = try ZipArchive("model.keras")
//   let text = try archive.read("config.json", limit: 1 << 20)
//   try ZipArchive.write("copy.keras", [.init("config.json", .bytes(text))])
//
// An archive is never trusted: a name that is there twice, a password, and a member that would
// grow beyond all measure are refused, and every member's checksum is verified.
internal import CZip
internal import Foundation

/// A zip file, opened for reading.
///
/// Not to be used from several threads at once.
package final class ZipArchive {
  package struct Member: Sendable, Equatable {
    package let name: String
    /// Its bytes once unpacked, as the archive says.
    package let size: Int
    /// The bytes that it takes in the archive.
    package let storedSize: Int
    /// Whether a password is needed.
    package let isEncrypted: Bool
    fileprivate let index: UInt64
  }

  package let path: String
  /// In the archive's order; a name may be there more than once.
  package let members: [Member]
  private let archive: OpaquePointer

  /// Opens an archive and reads its directory; throws `ArchiveError`.
  package init(_ path: String) throws(ArchiveError) {
    var code: Int32 = 0
    guard !path.utf8.contains(0), let archive = zip_open(path, ZIP_RDONLY, &code) else {
      throw .cannotOpen(path: path, reason: reason(code: code))
    }
    self.path = path
    self.archive = archive
    do {
      members = try Self.members(archive, path)
    } catch {
      zip_discard(archive)
      throw error
    }
  }

  deinit { zip_discard(archive) }

  /// Whether there is a member of this name.
  package func contains(_ name: String) -> Bool { members.contains { $0.name == name } }

  /// The only member of this name.
  package func member(_ name: String) throws(ArchiveError) -> Member {
    let found = members.filter { $0.name == name }
    guard let member = found.first else {
      throw .missing(name, path: path, holds: members.map(\.name))
    }
    guard found.count == 1 else { throw .doubled(name, path: path, count: found.count) }
    return member
  }

  /// The bytes of a member.
  ///
  /// - Parameter limit: how many there may be at most.
  package func read(_ name: String, limit: Int) throws(ArchiveError) -> [UInt8] {
    let member = try member(name)
    guard member.size <= limit else {
      throw .tooLarge(name, path: path, size: member.size, limit: limit)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(member.size)
    try unpack(member) { piece throws(ArchiveError) in bytes += piece }
    return bytes
  }

  /// Unpacks a member into a new file; one that is there is replaced.
  ///
  /// Refuses a member of more than 64 MB that takes less than a hundredth of it in the archive.
  package func extract(_ name: String, to target: String) throws(ArchiveError) {
    let member = try member(name)
    guard member.size <= 64 << 20 || member.size / 100 <= member.storedSize else {
      throw .bomb(name, path: path, size: member.size, stored: member.storedSize)
    }
    guard let file = fopen(target, "wb") else {
      throw .cannotWrite(path: target, reason: systemReason())
    }
    do {
      try unpack(member) { piece throws(ArchiveError) in
        guard fwrite(piece.baseAddress, 1, piece.count, file) == piece.count else {
          throw .cannotWrite(path: target, reason: systemReason())
        }
      }
    } catch {
      fclose(file)
      throw error
    }
    guard fclose(file) == 0 else {
      throw .cannotWrite(path: target, reason: systemReason())
    }
  }

  /// Hands out a member's bytes piece by piece; throws where they are not as many as declared or
  /// do not give the stored checksum.
  private func unpack(
    _ member: Member, _ body: (UnsafeBufferPointer<UInt8>) throws(ArchiveError) -> Void
  ) throws(ArchiveError) {
    if member.isEncrypted { throw .encrypted(member.name, path: path) }
    guard let source = zip_fopen_index(archive, member.index, 0) else {
      throw unreadable(member, String(cString: zip_strerror(archive)))
    }
    defer { zip_fclose(source) }
    var piece = [UInt8](repeating: 0, count: 1 << 20)
    var total = 0
    while true {
      let count = Int(zip_fread(source, &piece, UInt64(piece.count)))
      guard count >= 0 else { throw unreadable(member, String(cString: zip_file_strerror(source))) }
      total += count
      guard total <= member.size else {
        throw unreadable(member, "more than the \(member.size) bytes that it declares")
      }
      if count == 0 { break }
      // A typed closure cannot pass through the standard library's, which only rethrows.
      let result = piece.withUnsafeBufferPointer { pointer in
        Result { () throws(ArchiveError) in
          try body(UnsafeBufferPointer(rebasing: pointer[..<count]))
        }
      }
      try result.get()
    }
    guard total == member.size else {
      throw unreadable(member, "expected \(member.size) bytes, found \(total)")
    }
  }

  private func unreadable(_ member: Member, _ reason: String) -> ArchiveError {
    .cannotRead(member.name, path: path, reason: reason)
  }

  private static func members(
    _ archive: OpaquePointer, _ path: String
  ) throws(ArchiveError) -> [Member] {
    let count = zip_get_num_entries(archive, 0)
    var members: [Member] = []
    for index in 0..<UInt64(max(count, 0)) {
      var status = zip_stat_t()
      guard zip_stat_index(archive, index, 0, &status) == 0, let name = status.name else {
        throw .cannotOpen(path: path, reason: String(cString: zip_strerror(archive)))
      }
      members.append(
        Member(
          name: String(cString: name), size: Int(clamping: status.size),
          storedSize: Int(clamping: status.comp_size),
          isEncrypted: status.encryption_method != UInt16(ZIP_EM_NONE), index: index))
    }
    return members
  }
}

/// What libzip's error code means, in words.
func reason(code: Int32) -> String {
  var error = zip_error_t()
  zip_error_init_with_code(&error, code)
  defer { zip_error_fini(&error) }
  return String(cString: zip_error_strerror(&error))
}

func systemReason() -> String { String(cString: strerror(errno)) }
