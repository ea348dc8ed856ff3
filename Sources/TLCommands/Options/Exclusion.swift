import Foundation
import Images

/// A list of photos to leave out, as `tl check-data --quarantine` writes it: a path a line, and what
/// follows a tab is a reason.
struct ExclusionList {
  let path: String
  private let paths: Set<String>

  /// Relative paths start from the working folder.
  init(_ path: String) throws {
    self.path = path
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw ImagesError.cannotRead(path: path, reason: "expected a text file of paths")
    }
    paths = Set(
      text.split(separator: "\n").compactMap { line in
        line.split(separator: "\t").first.map { PhotoFolder.absolute(String($0)) }
      })
  }

  /// The folder without the listed photos; says how many they are.
  func applied(to folder: PhotoFolder, _ name: String, _ console: Console) throws -> PhotoFolder {
    let rest = folder.leavingOut(paths)
    let count = folder.photos.count - rest.photos.count
    if count == 0 {
      console.warning("'\(path)' names no photo of '\(name)'")
    } else {
      console.note("'\(name)': \(count) photos of '\(path)' are left out")
    }
    guard !rest.photos.isEmpty else {
      throw ImagesError.noPhotos(path: name, found: "only what '\(path)' leaves out")
    }
    return rest
  }
}
