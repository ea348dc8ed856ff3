/// What can be wrong with a scratch file.
package enum ScratchError: Error, Equatable, CustomStringConvertible {
  /// The disk cannot promise as many bytes.
  case noRoom(folder: String, bytes: Int, reason: String)
  case failed(doing: String, folder: String, reason: String)

  /// One line that says what failed.
  package var description: String {
    switch self {
    case .noRoom(let folder, let bytes, let reason):
      "no room for \((bytes + 999_999) / 1_000_000) MB in '\(folder)': \(reason)"
    case .failed(let doing, let folder, let reason):
      "cannot \(doing) a scratch file in '\(folder)': \(reason)"
    }
  }
}
