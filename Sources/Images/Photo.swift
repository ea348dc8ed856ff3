/// A photo file, before it is opened.
package struct Photo: Sendable, Hashable {
  /// Where the file is: the data folder's path as given, then the relative path.
  package var path: String
  /// The path below the data folder, with '/'; for a file given by itself the path as given.
  package var relativePath: String
  /// The index of its class, nil where photos have no labels.
  package var label: Int?

  package init(path: String, relativePath: String, label: Int? = nil) {
    self.path = path
    self.relativePath = relativePath
    self.label = label
  }
}
