import Foundation

/// The photos found in a data folder or among given files, in a fixed order.
package struct PhotoFolder: Sendable {
  /// The class names in the order of their labels; empty where photos have no labels.
  package var classNames: [String] = []
  package var photos: [Photo] = []
  /// Files that are no pictures by their extension, and photos outside the class folders.
  package var ignored: [String] = []
  /// Classes without any photo; they keep their label.
  package var emptyClasses: [String] = []
  /// What could not be listed, with the reason.
  package var problems: [String] = []

  /// The extensions that count as photos: Keras's, and GIF and WebP.
  ///
  /// Those that cannot be decoded fail when they are loaded, with their reason.
  package static let extensions: Set = [
    "jpg", "jpeg", "png", "bmp", "ppm", "tif", "tiff", "gif", "webp",
  ]

  /// A folder with one subfolder per class: classes sorted by name, photos inside found at any
  /// depth, in the order of Keras's `flow_from_directory`; hidden entries are passed over.
  ///
  /// - Throws: `ImagesError.cannotList`, `.noClassFolders`, `.noPhotos`.
  package init(labelled path: String) throws(ImagesError) {
    let top = try FolderListing(path)
    guard !top.folders.isEmpty else {
      throw .noClassFolders(path: path, found: Self.summary(of: top.files))
    }
    classNames = top.folders
    ignored = top.files
    problems = top.unreadableNames.map { "'\(joined(path, $0))': the name is not UTF-8" }
    for (label, name) in classNames.enumerated() {
      let count = photos.count
      do {
        try add(FolderWalk(joined(path, name), in: path), root: path, folder: name, label: label)
      } catch {
        problems.append(error.description)
      }
      if photos.count == count { emptyClasses.append(name) }
    }
    if photos.isEmpty {
      throw .noPhotos(
        path: path,
        found: "\(Self.counted(classNames.count, "folder")!) with \(Self.summary(of: ignored))")
    }
  }

  /// Files in the order given, and all photos of the folders among them, without labels.
  ///
  /// A file given by itself counts as a photo whatever it is called. With one folder, relative
  /// paths are below it; with several paths they start with the path as given.
  /// - Throws: `ImagesError.cannotList` or `.noPhotos`; missing files fail when they are loaded.
  package init(unlabelled paths: [String]) throws(ImagesError) {
    for path in paths {
      if FileFacts(path)?.isFolder == true {
        try add(
          FolderWalk(path), root: paths.count == 1 ? path : "",
          folder: paths.count == 1 ? "" : path, label: nil)
      } else {
        photos.append(Photo(path: path, relativePath: path))
      }
    }
    if photos.isEmpty {
      throw .noPhotos(
        path: paths.joined(separator: "', '"), found: Self.summary(of: ignored))
    }
  }

  /// The folders in a folder that are data folders themselves: at least two hold folders with
  /// photos directly in them, and none holds photos itself.
  package static func splits(in path: String) throws(ImagesError) -> [String] {
    var found: [String] = []
    for name in try FolderListing(path).folders {
      let inner = joined(path, name)
      let listing = try FolderListing(inner)
      if listing.files.contains(where: isPhoto) { return [] }
      let holdsClasses = listing.folders.contains { folder in
        (try? FolderListing(joined(inner, folder)))?.files.contains(where: isPhoto) == true
      }
      if holdsClasses { found.append(inner) }
    }
    let order = ["train", "training", "val", "valid", "validation", "test"]
    return found.count < 2
      ? []
      : found.sorted {
        let first = order.firstIndex(of: String($0.split(separator: "/").last ?? "")) ?? 9
        let second = order.firstIndex(of: String($1.split(separator: "/").last ?? "")) ?? 9
        return (first, $0) < (second, $1)
      }
  }

  /// The folder without some photos, by where their files are.
  ///
  /// - Parameter paths: absolute and without `..` or links to follow in their last part.
  package func leavingOut(_ paths: Set<String>) -> PhotoFolder {
    var folder = self
    folder.photos = photos.filter { !paths.contains(Self.absolute($0.path)) }
    folder.emptyClasses = classNames.indices.filter { label in
      !folder.photos.contains { $0.label == label }
    }.map { classNames[$0] }
    return folder
  }

  /// A path from the root, by its text alone.
  package static func absolute(_ path: String) -> String {
    URL(filePath: path).standardizedFileURL.path(percentEncoded: false)
  }

  private mutating func add(_ walk: FolderWalk, root: String, folder: String, label: Int?) {
    for file in walk.files {
      let relativePath = joined(folder, file)
      if Self.isPhoto(file) {
        photos.append(
          Photo(path: joined(root, relativePath), relativePath: relativePath, label: label))
      } else {
        ignored.append(relativePath)
      }
    }
    problems += walk.problems
  }

  /// Whether a file counts as a photo by its name.
  package static func isPhoto(_ name: String) -> Bool {
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return false }
    return extensions.contains(name[name.utf8.index(after: dot)...].lowercased())
  }

  private static func summary(of files: [String]) -> String {
    let photos = files.count { isPhoto($0) }
    let parts = [counted(photos, "photo"), counted(files.count - photos, "other file")]
    let present = parts.compactMap { $0 }
    return present.isEmpty ? "nothing" : present.joined(separator: " and ")
  }

  private static func counted(_ count: Int, _ noun: String) -> String? {
    count == 0 ? nil : "\(count) \(noun)\(count == 1 ? "" : "s")"
  }
}
