import Foundation

/// Why results could not be written.
package enum OutputError: Error, Equatable, CustomStringConvertible, WithWayOut {
  case cannotWrite(path: String, reason: String)
  case isFolder(path: String)
  case noFolder(path: String, folder: String)
  case isInput(path: String)

  package var description: String {
    switch self {
    case .cannotWrite(let path, let reason): "cannot write '\(path)': \(reason)"
    case .isFolder(let path): "cannot write '\(path)': expected a file, found a folder"
    case .noFolder(let path, let folder): "cannot write '\(path)': no folder '\(folder)'"
    case .isInput(let path): "cannot write '\(path)': it is a file that is read here"
    }
  }

  package var wayOut: String? {
    switch self {
    case .cannotWrite: nil
    case .isFolder: "name a file in it"
    case .noFolder(_, let folder): "mkdir -p '\(folder)'"
    case .isInput: "another --output"
    }
  }
}

/// Sends results to stdout or to a file that changes only when all of them are there.
package enum ResultWriter {
  /// Runs `body` with a sink for the results.
  ///
  /// Without `path` (or with `-`) the sink is stdout. With it, text goes to a file beside `path`
  /// that takes its name at the end; when `body` throws, an old file at `path` stays as it was.
  /// A device or named pipe cannot be replaced and is written to directly.
  package static func write<R>(
    to path: String?, console: Console = .standard, _ body: (any TextSink) throws -> R
  ) throws -> R {
    guard let path, path != "-" else { return try body(ConsoleSink(console: console)) }
    let target = URL(filePath: path).resolvingSymlinksInPath()
    switch try kind(of: target, path: path) {
    case .typeRegular?, nil: return try replace(target, path: path, body)
    default:
      let handle = try opening(path) { try FileHandle(forWritingTo: target) }
      defer { try? handle.close() }
      return try body(FileSink(handle, name: path))
    }
  }

  /// What is at `target`, nil for nothing; refuses folders and places without a folder.
  private static func kind(of target: URL, path: String) throws -> FileAttributeType? {
    let files = FileManager.default
    let attributes = try? files.attributesOfItem(atPath: target.path)
    guard let type = attributes?[.type] as? FileAttributeType else {
      let folder = target.deletingLastPathComponent().path
      guard files.fileExists(atPath: folder) else {
        throw OutputError.noFolder(path: path, folder: folder)
      }
      return nil
    }
    if type == .typeDirectory { throw OutputError.isFolder(path: path) }
    return type
  }

  private static func replace<R>(
    _ target: URL, path: String, _ body: (any TextSink) throws -> R
  ) throws -> R {
    let process = ProcessInfo.processInfo.processIdentifier
    let partial = target.deletingLastPathComponent()
      .appending(path: ".\(target.lastPathComponent).\(process).partial")
    try opening(path) { try Data().write(to: partial) }
    // After the rename there is nothing left to remove.
    defer { try? FileManager.default.removeItem(at: partial) }
    let handle = try opening(path) { try FileHandle(forWritingTo: partial) }
    defer { try? handle.close() }

    let result = try body(FileSink(handle, name: path))
    try opening(path) { try handle.synchronize() }
    keepPermissions(of: target, on: partial)
    try rename(partial, to: target, path: path)
    return result
  }

  private static func keepPermissions(of target: URL, on partial: URL) {
    let files = FileManager.default
    guard let old = try? files.attributesOfItem(atPath: target.path),
      let permissions = old[.posixPermissions]
    else { return }
    try? files.setAttributes([.posixPermissions: permissions], ofItemAtPath: partial.path)
  }

  private static func rename(_ partial: URL, to target: URL, path: String) throws {
    // rename(2) replaces in one step, which FileManager does not promise.
    guard unsafe Foundation.rename(partial.path, target.path) == 0 else {
      let code = POSIXErrorCode(rawValue: errno) ?? .EIO
      throw OutputError.cannotWrite(path: path, reason: systemMessage(for: code))
    }
  }

  private static func opening<R>(_ path: String, _ body: () throws -> R) throws -> R {
    do {
      return try body()
    } catch {
      throw OutputError.cannotWrite(path: path, reason: reason(of: error))
    }
  }
}

/// Stdout as a sink, out of the way of a progress bar on the same terminal.
private struct ConsoleSink: TextSink {
  let console: Console

  func write(_ text: String) throws { try console.write(text) }
}
