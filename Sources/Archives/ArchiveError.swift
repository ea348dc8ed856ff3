/// What can go wrong with an archive; every case says which file.
package enum ArchiveError: Error, Sendable, Equatable {
  /// It is no zip file, or its directory is damaged.
  case cannotOpen(path: String, reason: String)
  /// There is no member of this name.
  case missing(String, path: String, holds: [String])
  /// A name is there more than once: which is meant nobody knows.
  case doubled(String, path: String, count: Int)
  /// A member needs a password.
  case encrypted(String, path: String)
  /// A member has more bytes than such a member can need.
  case tooLarge(String, path: String, size: Int, limit: Int)
  /// A member of a few bytes that unpacks to very many.
  case bomb(String, path: String, size: Int, stored: Int)
  /// A member's bytes are damaged.
  case cannotRead(String, path: String, reason: String)
  /// The operating system refused to write.
  case cannotWrite(path: String, reason: String)
}

extension ArchiveError: CustomStringConvertible {
  /// One line: what failed, what was expected and found, and where.
  package var description: String {
    String(
      text.unicodeScalars.map { scalar in
        scalar.properties.generalCategory == .control ? "\u{FFFD}" : Character(scalar)
      })
  }

  private var text: String {
    switch self {
    case .cannotOpen(let path, let reason): "cannot open the archive '\(path)': \(reason)"
    case .missing(let name, let path, let holds):
      "cannot use the archive '\(path)': expected a member '\(name)', found \(Self.list(holds))"
    case .doubled(let name, let path, let count):
      "refused to open '\(name)' in the archive '\(path)': it is there \(count) times"
    case .encrypted(let name, let path):
      "cannot read '\(name)' in the archive '\(path)': it needs a password"
    case .tooLarge(let name, let path, let size, let limit):
      "refused to open '\(name)' in the archive '\(path)': expected at most \(limit) bytes, "
        + "found \(size)"
    case .bomb(let name, let path, let size, let stored):
      "refused to open '\(name)' in the archive '\(path)': \(stored) bytes that declare to "
        + "unpack to \(size)"
    case .cannotRead(let name, let path, let reason):
      "cannot read '\(name)' in the archive '\(path)': \(reason)"
    case .cannotWrite(let path, let reason): "cannot write '\(path)': \(reason)"
    }
  }

  private static func list(_ names: [String]) -> String {
    if names.isEmpty { return "none" }
    let shown = names.prefix(5).map { "'\($0)'" }.joined(separator: ", ")
    return names.count > 5 ? "\(shown), ..." : shown
  }
}
