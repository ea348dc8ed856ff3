internal import Foundation

/// Brings one file from an address to the disk, going on where an earlier run broke off.
///
/// Bytes go to `partial` while they come; whoever calls moves the complete file to its place.
package struct Download {
  package enum Event: Sendable {
    /// So many bytes are there, `total` if the server says how many there are in all.
    case progress(done: Int, total: Int?)
    /// So many bytes of an earlier run are used.
    case resuming(from: Int)
    /// The bytes of an earlier run are of no use.
    case startingOver(why: String)
    /// The connection broke and is tried once more.
    case retrying(reason: String)
  }

  package let url: String
  /// Where the bytes are kept until the file is complete.
  package let partial: String
  /// How large the file must be, if that is known.
  package let size: Int?
  /// How often a broken connection is taken up again without a single new byte.
  private static let attempts = 3
  /// Seconds without data after which a connection counts as broken.
  private static let patience = 30

  package init(url: String, partial: String, size: Int?) {
    (self.url, self.partial, self.size) = (url, partial, size)
  }

  /// Downloads what is missing; afterwards `partial` is complete.
  ///
  /// - Parameter report: what it throws ends the download and comes out here. Bytes are kept on
  ///   every error.
  /// - Throws: `DownloadError`.
  package func run(_ report: @escaping (Event) throws -> Void) throws {
    let file = try PartialFile(partial)
    defer { file.close() }
    if let size, file.count > size {
      try report(.startingOver(why: "the earlier bytes are more than the file has"))
      try file.cut(to: 0)
    }
    if file.count > 0, file.count != size { try report(.resuming(from: file.count)) }
    var failures = 0
    while file.count != size {
      let before = file.count
      do {
        try attempt(file, report)
        return
      } catch let error as DownloadError {
        guard case .broken(_, let reason) = error else { throw error }
        failures = file.count > before ? 1 : failures + 1
        guard failures < Self.attempts else { throw error }
        try report(.retrying(reason: reason))
        Thread.sleep(forTimeInterval: 0.5)
      }
    }
  }

  private func attempt(_ file: PartialFile, _ report: @escaping (Event) throws -> Void) throws {
    let asked = file.count
    var total = size
    var status = 0
    let request = HTTPRequest(
      answer: { answer in
        status = answer.status
        guard (200...299).contains(answer.status) else { return }
        guard answer.start == asked || answer.start == 0 else {
          throw DownloadError.broken(
            url: self.url, reason: "asked for byte \(asked), the answer is another part")
        }
        if answer.start != asked {
          try report(.startingOver(why: "the server sends files only as a whole"))
          try file.cut(to: 0)
        }
        total = answer.total ?? self.size
        try self.requireSpace(for: total, having: file.count)
      },
      bytes: { bytes in
        // The body of a refusal is a page for people.
        guard (200...299).contains(status) else { return }
        try file.append(bytes)
        try report(.progress(done: file.count, total: total))
      },
      pulse: { try report(.progress(done: file.count, total: total)) })
    try request.get(url, from: asked, patience: Self.patience)
    if status == 416, asked > 0 {
      // There is nothing from there on: the file has changed, or the bytes are none of its.
      try report(.startingOver(why: "the server has no bytes from \(asked) on"))
      try file.cut(to: 0)
      return try attempt(file, report)
    }
    guard (200...299).contains(status) else {
      throw DownloadError.refused(url: url, status: status)
    }
    guard file.count == total ?? file.count else {
      throw DownloadError.broken(
        url: url, reason: "\(file.count) of \(total ?? 0) bytes came")
    }
  }

  /// Says that the disk is too full before it is.
  private func requireSpace(for total: Int?, having count: Int) throws {
    let folder = URL(filePath: partial).deletingLastPathComponent().path
    guard let total,
      let system = try? FileManager.default.attributesOfFileSystem(forPath: folder),
      let free = (system[.systemFreeSize] as? NSNumber)?.int64Value, free < Int64(total - count)
    else { return }
    throw DownloadError.cannotWrite(
      path: partial, reason: "\(total - count) bytes are needed, \(free) are free on the disk")
  }
}

/// A file that grows, locked against other runs.
private final class PartialFile {
  private let path: String
  private let handle: FileHandle
  private(set) var count: Int

  init(_ path: String) throws {
    self.path = path
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw DownloadError.cannotWrite(path: path, reason: String(cString: strerror(errno)))
    }
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw DownloadError.busy(path: path) }
    count = Int(lseek(descriptor, 0, SEEK_END))
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while let start = rest.baseAddress, !rest.isEmpty {
      let written = write(handle.fileDescriptor, start, rest.count)
      if written < 0, errno == EINTR { continue }
      guard written > 0 else {
        throw DownloadError.cannotWrite(path: path, reason: String(cString: strerror(errno)))
      }
      count += written
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  func cut(to size: Int) throws {
    guard ftruncate(handle.fileDescriptor, off_t(size)) == 0 else {
      throw DownloadError.cannotWrite(path: path, reason: String(cString: strerror(errno)))
    }
    lseek(handle.fileDescriptor, off_t(size), SEEK_SET)
    count = size
  }

  /// Leaves no file behind that holds nothing.
  func close() {
    if count == 0 { unlink(path) }
    try? handle.close()
  }
}
