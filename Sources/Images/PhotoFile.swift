import Crypto
import Glibc

/// A digest that tells photos apart by their content.
package enum PhotoFingerprint {
  /// The SHA-256 of a file's bytes, 64 hexadecimal digits.
  package static func sha256(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(64)
    for byte in SHA256.hash(data: bytes) {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The fingerprint of a file that need not be a picture.
  ///
  /// - Throws: `ImagesError.cannotRead`.
  package static func sha256(ofFile path: String) throws(ImagesError) -> String {
    sha256(try readFile(path))
  }
}

/// A larger file is no photo, and is not read.
private let fileSizeLimit = 1 << 30

/// All bytes of a file.
///
/// - Throws: `ImagesError.cannotRead`, also for what is not a plain file: reading from a pipe
///   might never end.
///
/// - Parameter limit: read no more bytes than that, and accept files of any size.
func readFile(_ path: String, atMost limit: Int? = nil) throws(ImagesError) -> [UInt8] {
  let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
  guard file >= 0 else { throw .cannotRead(path: path, reason: systemReason()) }
  defer { close(file) }
  var status = stat()
  guard fstat(file, &status) == 0 else { throw .cannotRead(path: path, reason: systemReason()) }
  if status.st_mode & S_IFMT == S_IFDIR { throw .cannotRead(path: path, reason: "it is a folder") }
  guard status.st_mode & S_IFMT == S_IFREG else {
    throw .cannotRead(path: path, reason: "it is not a plain file")
  }
  guard limit != nil || status.st_size <= fileSizeLimit else {
    throw .cannotRead(
      path: path, reason: "expected at most \(fileSizeLimit) bytes, found \(status.st_size)")
  }
  var failure: String?
  let bytes = [UInt8](
    unsafeUninitializedCapacity: min(Int(status.st_size), limit ?? fileSizeLimit)
  ) { buffer, count in
    while count < buffer.count {
      let got = read(file, buffer.baseAddress! + count, buffer.count - count)
      if got < 0 && errno == EINTR { continue }
      if got < 0 { failure = systemReason() }
      if got <= 0 { break }
      count += got
    }
  }
  if let failure { throw .cannotRead(path: path, reason: failure) }
  return bytes
}
