package import Foundation

/// A place that text is written to: stdout, stderr, a file, or memory in tests.
package protocol TextSink: Sendable {
  /// Writes `text` as UTF-8, all of it; throws `BrokenPipe` when the reader is gone.
  func write(_ text: String) throws
}

extension TextSink {
  /// Writes `text` and a line end.
  package func line(_ text: String) throws {
    try write(text + "\n")
  }
}

/// The reader of our output is gone, as with `tl predict | head -1`: end without a word.
package struct BrokenPipe: Error, Equatable {
  /// What a shell reports for a program ended by SIGPIPE: 128 + 13.
  package static let status: Int32 = 141

  package init() {}
}

/// Writes straight to a file descriptor, without a buffer, so that lines come as they are made.
package struct FileSink: TextSink {
  private let handle: FileHandle
  private let name: String

  /// - Parameter name: what an error calls this place, e.g. `stdout` or a path.
  package init(_ handle: FileHandle, name: String) {
    self.handle = handle
    self.name = name
  }

  package static let standardOutput = FileSink(.standardOutput, name: "stdout")
  package static let standardError = FileSink(.standardError, name: "stderr")

  package func write(_ text: String) throws {
    do {
      try handle.write(contentsOf: Data(text.utf8))
    } catch {
      if systemErrorCode(of: error) == EPIPE { throw BrokenPipe() }
      throw OutputError.cannotWrite(path: name, reason: reason(of: error))
    }
  }
}

/// The `errno` value under a Foundation error, or nil.
func systemErrorCode(of error: any Error) -> Int32? {
  let outer = error as NSError
  // FileHandle puts an NSError under its error, FileManager and Data a POSIXError.
  let error = (outer.userInfo[NSUnderlyingErrorKey] as? any Error).map { $0 as NSError } ?? outer
  return error.domain == NSPOSIXErrorDomain ? Int32(exactly: error.code) : nil
}

/// What the system says about a Foundation error, as in `no space left on device`.
func reason(of error: any Error) -> String {
  guard let code = systemErrorCode(of: error), let known = POSIXErrorCode(rawValue: code) else {
    return (error as NSError).localizedDescription
  }
  return systemMessage(for: known)
}

/// The system's words for an error code, in lower case.
func systemMessage(for code: POSIXErrorCode) -> String {
  let message = NSError(domain: NSPOSIXErrorDomain, code: Int(code.rawValue)).localizedDescription
  // Foundation puts a sentence of its own before the words that say something.
  let words = message.split(separator: ". ").last.map(String.init) ?? message
  return words.prefix(1).lowercased() + words.dropFirst()
}
