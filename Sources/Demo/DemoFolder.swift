import Compute
import Drawing
import Foundation
import Images
import Synchronization

/// A data set of drawn pictures: `train`, `validation` and `test`, each with `cats` and `dogs`.
package struct DemoFolder: Sendable {
  /// How many pictures in all; half of them train, a quarter each validation and test.
  package let photos: Int
  /// The longer side of the largest pictures, in pixels.
  package let size: Int
  package let seed: UInt64

  package static let photoLimits = 8...100_000
  package static let sizeLimits = 32...2048

  package init(photos: Int, size: Int, seed: UInt64) {
    precondition(
      Self.photoLimits.contains(photos) && Self.sizeLimits.contains(size),
      "\(Self.photoLimits) photos of \(Self.sizeLimits) pixels, got \(photos) of \(size)")
    (self.photos, self.size, self.seed) = (photos, size, seed)
  }

  /// One picture and where it goes.
  package struct Item: Sendable, Equatable {
    /// Such as `train/cats/cat.0.jpg`.
    package let path: String
    package let species: Species
    let seed: UInt64
  }

  /// All pictures; numbers go on from `train` to `test`, as in the book.
  package var items: [Item] {
    var items: [Item] = []
    for (offset, species) in Species.allCases.enumerated() {
      let count = (photos + 1 - offset) / 2
      for number in 0..<count {
        let split =
          number >= count - count / 4
          ? "test" : number >= count - count / 4 * 2 ? "validation" : "train"
        // Odd factors keep the seeds of all pictures of all data sets apart.
        let seed = (seed &* 2_862_933_555_777_941_757) &+ UInt64(number * 2 + offset)
        items.append(
          Item(
            path: "\(split)/\(species.folder)/\(species.rawValue).\(number).jpg", species: species,
            seed: seed))
      }
    }
    return items
  }

  /// Draws all pictures into a new folder; it appears at `path` when it is complete.
  ///
  /// - Parameters:
  ///   - path: must be free, or an empty folder.
  ///   - progress: gets how many are done; what it throws stops the work and leaves nothing.
  package func write(to path: String, progress: (Int) throws -> Void) throws {
    try Self.check(path)
    let target = URL(filePath: path).standardizedFileURL
    let temporary = target.deletingLastPathComponent()
      .appending(path: ".\(target.lastPathComponent).\(UUID().uuidString.prefix(8)).partial")
    do {
      try explained(path) {
        try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: true)
      }
      try draw(into: temporary, path, progress)
      guard rename(temporary.path, target.path) == 0 else {
        throw DemoError.cannotWrite(path, reason: String(cString: strerror(errno)))
      }
    } catch {
      try? FileManager.default.removeItem(at: temporary)
      throw error
    }
  }

  /// Throws `DemoError` where `path` is neither free nor an empty folder.
  package static func check(_ path: String) throws {
    var isFolder: ObjCBool = false
    guard !path.isEmpty else { throw DemoError.cannotWrite(path, reason: "it has no name") }
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return }
    guard isFolder.boolValue else { throw DemoError.isFile(path) }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    guard names.isEmpty else { throw DemoError.notEmpty(path, files: names.count) }
  }

  private func draw(into folder: URL, _ path: String, _ progress: (Int) throws -> Void) throws {
    let items = items
    for place in Set(items.map { ($0.path as NSString).deletingLastPathComponent }) {
      try explained(path) {
        try FileManager.default.createDirectory(
          at: folder.appending(path: place), withIntermediateDirectories: true)
      }
    }
    let atOnce = 32
    for start in stride(from: 0, to: items.count, by: atOnce) {
      let some = Array(items[start..<min(start + atOnce, items.count)])
      let files = Mutex([Int: Result<[UInt8], ImagesError>]())
      parallel(some.count) { range in
        for index in range {
          let file = encoded(some[index])
          files.withLock { $0[index] = file }
        }
      }
      for (index, file) in files.withLock({ $0 }) {
        let bytes = try file.get()
        try explained(path) {
          try Data(bytes).write(to: folder.appending(path: some[index].path))
        }
      }
      try progress(start + some.count)
    }
  }

  private func encoded(_ item: Item) -> Result<[UInt8], ImagesError> {
    let image = DemoPicture.draw(item.species, size: size, seed: item.seed)
    return Result { () throws(ImagesError) in try image.jpeg(quality: 75 + Int(item.seed % 16)) }
  }
}

/// What can go wrong when pictures are made; `description` is one line.
package enum DemoError: Error, CustomStringConvertible, Equatable {
  case notEmpty(String, files: Int)
  case isFile(String)
  case cannotWrite(String, reason: String)

  package var description: String {
    switch self {
    case .notEmpty(let path, let files):
      "'\(path)' is not empty: expected a new or an empty folder, found \(files) "
        + (files == 1 ? "entry" : "entries")
    case .isFile(let path): "'\(path)' is a file: expected a new or an empty folder"
    case .cannotWrite(let path, let reason): "cannot write '\(path)': \(reason)"
    }
  }

  /// What the user can do about it.
  package var wayOut: String? {
    switch self {
    case .notEmpty, .isFile: "another name, or remove it first"
    case .cannotWrite: nil
    }
  }
}

/// Runs `body`, whose errors by the system become ours.
private func explained(_ path: String, _ body: () throws -> Void) throws {
  do {
    try body()
  } catch {
    let error = error as NSError
    let under = error.userInfo[NSUnderlyingErrorKey] as? any Error
    let code = under.map { ($0 as NSError).code } ?? error.code
    throw DemoError.cannotWrite(
      path,
      reason: POSIXErrorCode(rawValue: Int32(code)).map { String(cString: strerror($0.rawValue)) }
        ?? error.localizedDescription)
  }
}
