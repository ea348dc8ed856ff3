import Glibc

/// Folders whose names start with a dot, which listings pass over.
enum HiddenFolders {
  /// Those directly in a data folder that hold photos somewhere, such as `.ipynb_checkpoints`.
  static func withPhotos(in path: String) -> [String] {
    guard let stream = opendir(path) else { return [] }
    defer { closedir(stream) }
    var found: [String] = []
    while let entry = readdir(stream) {
      guard let name = String(validating: FolderListing.nameBytes(entry), as: UTF8.self),
        name.hasPrefix("."), name != ".", name != ".."
      else { continue }
      let folder = joined(path, name)
      guard FileFacts(folder)?.isFolder == true, let walk = try? FolderWalk(folder),
        walk.files.contains(where: { PhotoFolder.isPhoto($0) })
      else { continue }
      found.append(folder)
    }
    return found.sorted(by: isBefore)
  }
}
