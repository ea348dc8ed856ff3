import Foundation

/// The files that an extraction keeps beside its output.
///
/// Every run writes to a file of its own: two runs at once must not write into each other's.
struct RunFiles {
  /// What the complete file is called.
  let output: String
  /// This run's file until it is complete.
  let inProgress: String

  /// What an interrupted run leaves for the next one.
  var partial: String { output + Self.suffix }

  private static let suffix = ".partial"
  private static let markLength = 8

  init(output: String) {
    self.output = output
    inProgress = "\(output).\(UUID().uuidString.prefix(Self.markLength))\(Self.suffix)"
  }

  /// The files of runs that were killed, which nobody writes to any more.
  func abandoned() -> [String] {
    let target = URL(filePath: output)
    let start = target.lastPathComponent + "."
    let folder = target.deletingLastPathComponent().path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let own = URL(filePath: inProgress).lastPathComponent
    let length = own.utf8.count
    return names.sorted().filter {
      $0.hasPrefix(start) && $0.hasSuffix(Self.suffix) && $0.utf8.count == length && $0 != own
    }.map { (folder as NSString).appendingPathComponent($0) }.filter(Self.isUnlocked)
  }

  /// libhdf5 holds a lock on a file that it writes to; the system ends it with the process.
  private static func isUnlocked(_ path: String) -> Bool {
    guard let file = FileHandle(forReadingAtPath: path) else { return false }
    defer { try? file.close() }
    return flock(file.fileDescriptor, LOCK_EX | LOCK_NB) == 0
  }
}
