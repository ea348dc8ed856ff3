import Foundation

/// Where tests find and put files.
package enum Locations {
  /// Real photos and weights, or nil where they are not at hand (`TL_SHARED`, default `../shared`).
  package static let shared: URL? = {
    let path =
      ProcessInfo.processInfo.environment["TL_SHARED"]
      ?? FileManager.default.currentDirectoryPath + "/../shared"
    return FileManager.default.fileExists(atPath: path + "/weights")
      ? URL(filePath: path) : nil
  }()

  /// A new empty folder that `body` may fill; it is deleted afterwards.
  package static func withTemporaryFolder<R>(_ body: (URL) throws -> R) throws -> R {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "tl-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }
}

extension Locations {
  /// A file among the tests of this repository, such as `WeightsTests/Fixtures/vgg16_keras1.h5`.
  package static func tests(_ path: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: path).path
  }
}
