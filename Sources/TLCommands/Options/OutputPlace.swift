import Foundation

/// Whether an output file can be made where it is wanted, asked before long work starts.
enum OutputPlace {
  /// Throws `OutputError` where `path` is one of the files that are read.
  static func check(_ path: String, isNoneOf inputs: [String]) throws {
    let target = real(path)
    guard !inputs.contains(where: { real($0) == target }) else {
      throw OutputError.isInput(path: path)
    }
  }

  /// - Parameter inputs: files that must not be overwritten, as they are read.
  static func check(_ path: String, inputs: [String] = []) throws {
    guard !path.isEmpty else {
      throw OutputError.cannotWrite(path: path, reason: "expected a file's name, found nothing")
    }
    try check(path, isNoneOf: inputs)
    let url = URL(filePath: path)
    var isFolder: ObjCBool = false
    if unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
      isFolder.boolValue
    {
      throw OutputError.isFolder(path: path)
    }
    let folder = url.deletingLastPathComponent().path
    guard FileManager.default.fileExists(atPath: folder) else {
      throw OutputError.noFolder(path: path, folder: folder)
    }
    guard FileManager.default.isWritableFile(atPath: folder) else {
      throw OutputError.cannotWrite(path: path, reason: "no permission to write in '\(folder)'")
    }
  }

  private static func real(_ path: String) -> String {
    URL(filePath: path).resolvingSymlinksInPath().path
  }
}
