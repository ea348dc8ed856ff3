internal import Crypto
internal import Foundation

/// Digests of whole files.
package enum FileDigest {
  /// The MD5 of a file as 32 hexadecimal digits, by which Keras's published files are known.
  ///
  /// The file is read in pieces; throws `WeightsError.cannotRead`.
  package static func md5(_ path: String) throws -> String {
    var hash = Insecure.MD5()
    unsafe try read(path) { unsafe hash.update(bufferPointer: $0) }
    return hexadecimal(hash.finalize())
  }

  /// The SHA-256 of a file, or of so many bytes at its start, as 64 hexadecimal digits.
  package static func sha256(_ path: String, bytes: Int = .max) throws -> String {
    var hash = SHA256()
    unsafe try read(path, bytes: bytes) { unsafe hash.update(bufferPointer: $0) }
    return hexadecimal(hash.finalize())
  }

  /// The first bytes of a file.
  static func start(of path: String, bytes: Int) throws -> [UInt8] {
    do {
      let file = try FileHandle(forReadingFrom: URL(filePath: path))
      defer { try? file.close() }
      return [UInt8](try file.read(upToCount: bytes) ?? Data())
    } catch {
      throw WeightsError.cannotRead(path: path, reason: reason(error))
    }
  }

  /// How many bytes a file has.
  static func size(_ path: String) throws -> Int {
    do {
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      return (attributes[.size] as? NSNumber)?.intValue ?? 0
    } catch {
      throw WeightsError.cannotRead(path: path, reason: reason(error))
    }
  }

  /// Some bytes of a file, all of which must be there.
  static func bytes(_ path: String, _ range: Range<Int>) throws -> [UInt8] {
    do {
      let file = try FileHandle(forReadingFrom: URL(filePath: path))
      defer { try? file.close() }
      try file.seek(toOffset: UInt64(range.lowerBound))
      let bytes = [UInt8](try file.read(upToCount: range.count) ?? Data())
      guard bytes.count == range.count else {
        throw WeightsError.cannotRead(path: path, reason: "it became shorter")
      }
      return bytes
    } catch let error as WeightsError {
      throw error
    } catch {
      throw WeightsError.cannotRead(path: path, reason: reason(error))
    }
  }

  /// Calls `body` with so many bytes of an open file; Foundation would read a page at a time.
  private static func forEachPiece(
    of file: FileHandle, bytes: Int, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws {
    try unsafe withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 64) { memory in
      var left = bytes
      while left > 0 {
        let count = unsafe Foundation.read(
          file.fileDescriptor, memory.baseAddress, min(left, memory.count))
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        guard count > 0 else { return }
        unsafe body(UnsafeRawBufferPointer(rebasing: memory[..<count]))
        left -= count
      }
    }
  }

  private static func read(
    _ path: String, bytes: Int = .max, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws {
    do {
      let file = try FileHandle(forReadingFrom: URL(filePath: path))
      defer { try? file.close() }
      unsafe try forEachPiece(of: file, bytes: bytes, body)
    } catch {
      throw WeightsError.cannotRead(path: path, reason: reason(error))
    }
  }
}

/// Files that are either as they were or complete.
package enum AtomicFile {
  /// Lets `body` write a new file beside `path`, brings it to the disk and puts it in its place.
  ///
  /// On any error the new file is removed and what was at `path` stays.
  ///
  /// - Parameter isSynced: false where a new version comes soon: the file is whole then too, but
  ///   what the machine's own end leaves of it is the system's choice.
  package static func write<R>(
    _ path: String, isSynced: Bool = true, _ body: (String) throws -> R
  ) throws -> R {
    let folder = URL(filePath: path).deletingLastPathComponent().path
    guard FileManager.default.fileExists(atPath: folder) else {
      throw WeightsError.cannotWrite(path: path, reason: "there is no folder '\(folder)'")
    }
    let temporary = path + ".\(UUID().uuidString.prefix(8)).partial"
    do {
      let result = try body(temporary)
      try rename(temporary, to: path, isSynced: isSynced)
      return result
    } catch {
      try? FileManager.default.removeItem(atPath: temporary)
      throw error
    }
  }

  /// Writes a whole file.
  package static func write(_ path: String, bytes: [UInt8]) throws {
    try write(path) { temporary in
      try FileWriting.write(temporary, path: path) { try $0.write(contentsOf: bytes) }
    }
  }

  /// Brings a file to the disk, then gives it another name in one step, replacing what is there.
  package static func rename(
    _ path: String, to target: String, isSynced: Bool = true
  ) throws {
    if isSynced { try synchronize(path, for: target) }
    // rename(2) replaces in one step, which FileManager does not promise.
    guard unsafe Foundation.rename(path, target) == 0 else {
      throw WeightsError.cannotWrite(
        path: target, reason: unsafe String(cString: strerror(errno)))
    }
    guard isSynced else { return }
    // The new name itself; a file system that cannot do this has nothing better to offer.
    let folder = URL(filePath: target).deletingLastPathComponent()
    try? FileHandle(forReadingFrom: folder).synchronize()
  }

  private static func synchronize(_ path: String, for target: String) throws {
    do {
      let file = try FileHandle(forUpdating: URL(filePath: path))
      defer { try? file.close() }
      try file.synchronize()
    } catch {
      throw WeightsError.cannotWrite(path: target, reason: reason(error))
    }
  }
}

/// New files written piece by piece.
enum FileWriting {
  /// Creates the file `temporary` for `body` to write; errors name `path`, which it stands for.
  static func write(
    _ temporary: String, path: String, _ body: (FileHandle) throws -> Void
  ) throws {
    do {
      let place = URL(filePath: temporary)
      try Data().write(to: place)
      let file = try FileHandle(forWritingTo: place)
      defer { try? file.close() }
      try body(file)
    } catch {
      throw WeightsError.cannotWrite(path: path, reason: reason(error))
    }
  }
}

/// The digits of a digest.
func hexadecimal(_ digest: some Sequence<UInt8>) -> String {
  digest.map { byte in
    let digits = String(byte, radix: 16)
    return digits.utf8.count == 1 ? "0" + digits : digits
  }.joined()
}

/// What a Foundation error says, without its domain and code.
private func reason(_ error: any Error) -> String {
  let error = error as NSError
  let missing = [CocoaError.fileReadNoSuchFile.rawValue, CocoaError.fileNoSuchFile.rawValue]
  if error.domain == NSCocoaErrorDomain, missing.contains(error.code) { return "no such file" }
  let under = error.userInfo[NSUnderlyingErrorKey] as? any Error as NSError? ?? error
  if under.domain == NSPOSIXErrorDomain {
    return unsafe String(cString: strerror(Int32(under.code)))
  }
  return error.localizedDescription
}
