import Foundation
import HDF5
import TestSupport
import Testing

@Suite struct SharedFilesTests {
  static let files: [String] = {
    guard let folder = Locations.shared?.appending(path: "weights"),
      let paths = FileManager.default.enumerator(atPath: folder.path)
    else { return [] }
    return paths.compactMap { $0 as? String }
      .filter { $0.hasSuffix("h5") || $0.hasSuffix("hdf5") }
      .map { folder.appending(path: $0).path }.sorted()
  }()

  /// Real weights of many writers: everything in them can be listed and read.
  @Test(.enabled(if: Locations.shared != nil, "needs TL_SHARED"), arguments: files)
  func everythingReads(path: String) throws {
    let file = try HDF5File.open(path)
    let root = try file.root
    _ = try root.attributes.names().map { try root.attributes.value($0) }
    var datasets = 0
    for entry in try root.walk() {
      switch entry.kind {
      case .group:
        let attributes = try root.group(entry.path).attributes
        for name in try attributes.names() { #expect(try attributes.value(name) != nil) }
      case .dataset:
        let dataset = try root.dataset(entry.path)
        let count = dataset.shape.reduce(1, *)
        if dataset.elementType.isString {
          #expect(try dataset.readStrings().count == count)
        } else {
          #expect(try dataset.readFloats().count == count)
        }
        datasets += 1
      default: Issue.record("\(entry.path): \(entry.kind)")
      }
    }
    #expect(datasets > 0)
    try file.close()
  }
}
