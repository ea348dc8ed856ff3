import Drawing
import Explain
import Foundation
import Images
import Training
import Weights

/// Writes pictures, pages and numbers so that an old file stays until the new one is complete.
enum PictureOutput {
  static func write(_ image: RGBImage, to path: String) throws {
    let bytes = try image.png()
    try AtomicFile.write(path) { try Data(bytes).write(to: URL(filePath: $0)) }
  }

  static func write(_ page: HTMLPage, to path: String) throws {
    try AtomicFile.write(path) { try Data(page.text.utf8).write(to: URL(filePath: $0)) }
  }

  /// The sheet as a picture; refuses one that is too large.
  static func image(_ sheet: PictureSheet, _ what: String) throws -> RGBImage {
    let size = sheet.size
    guard size.width <= PictureSheet.limit, size.height <= PictureSheet.limit else {
      throw ExplainError.tooLarge(what: what, width: size.width, height: size.height)
    }
    return sheet.image()
  }

  /// Refuses a folder's name that a file has.
  static func checkFolder(_ path: String) throws {
    var isFolder: ObjCBool = false
    if unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
      !isFolder.boolValue
    {
      throw OutputError.cannotWrite(path: path, reason: "expected a folder, found a file")
    }
  }

  /// Makes the folder for many pictures where it is not there yet.
  private static func makeFolder(_ path: String) throws {
    try checkFolder(path)
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true)
    } catch {
      throw OutputError.cannotWrite(path: path, reason: reason(of: error))
    }
  }

  /// A PNG file for each photo in `folder`, all different: named after the path below a folder that
  /// was given, or after the photo's own name.
  static func places(for photos: [Photo], in folder: String, suffix: String) throws -> [String] {
    let names = photos.map { URL(filePath: $0.relativePath).lastPathComponent }
    let isPlain = Set(names).count == names.count
    let hasFolders = photos.allSatisfy { $0.path != $0.relativePath }
    let places = zip(photos, names).map { photo, name in
      let relative =
        hasFolders
        ? photo.relativePath
        : isPlain ? name : photo.relativePath.replacingOccurrences(of: "/", with: "_")
      return "\(folder)/\(relative)\(suffix)"
    }
    for parent in Set(places.map { ($0 as NSString).deletingLastPathComponent }) {
      try makeFolder(parent)
    }
    return places
  }
}
