import Foundation
import Images
import TestSupport
import Testing

@Suite struct PhotoFolderTests {
  /// A folder with empty files of these names; names that end in '/' are folders.
  private func withFolder(
    _ names: [String], _ body: (String) throws -> Void
  ) throws {
    try Locations.withTemporaryFolder { folder in
      for name in names {
        let place = folder.appending(path: name)
        let parent = name.hasSuffix("/") ? place : place.deletingLastPathComponent()
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        if !name.hasSuffix("/") { try Data().write(to: place) }
      }
      try body(folder.path())
    }
  }

  private func trimmed(_ path: String) -> String {
    path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  @Test func classesAndPhotosAreSortedAsKerasSorts() throws {
    let names = [
      "dogs/b.jpg", "dogs/a.png", "dogs/in/z.jpg", "dogs/in-two/y.jpg", "dogs/in/deep/x.jpg",
      "Zebras/1.JPG", "cats/10.jpg", "cats/9.jpeg", "cats/ä.jpg", "cats/z.jpg", "cats/B.webp",
    ]
    try withFolder(names) { path in
      let folder = try PhotoFolder(labelled: path)
      #expect(folder.classNames == ["Zebras", "cats", "dogs"])
      #expect(
        folder.photos.map(\.relativePath) == [
          "Zebras/1.JPG", "cats/10.jpg", "cats/9.jpeg", "cats/B.webp", "cats/z.jpg", "cats/ä.jpg",
          "dogs/a.png", "dogs/b.jpg", "dogs/in/z.jpg", "dogs/in-two/y.jpg", "dogs/in/deep/x.jpg",
        ])
      #expect(folder.photos.map(\.label) == [0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2])
      #expect(folder.photos[0].path == trimmed(path) + "/Zebras/1.JPG")
    }
  }

  @Test func otherFilesAreListedAndHiddenOnesAreNot() throws {
    let names = [
      "a/1.jpg", "a/notes.txt", "a/.hidden.jpg", ".cache/2.jpg", "a/.git/3.jpg", "b/", "top.png",
      "a/noextension",
    ]
    try withFolder(names) { path in
      let folder = try PhotoFolder(labelled: path)
      #expect(folder.classNames == ["a", "b"])
      #expect(folder.photos.map(\.relativePath) == ["a/1.jpg"])
      #expect(folder.ignored == ["top.png", "a/noextension", "a/notes.txt"])
      #expect(folder.emptyClasses == ["b"])
      #expect(folder.problems.isEmpty)
    }
  }

  @Test func linksAreFollowedAndLoopsAreNot() throws {
    try withFolder(["real/1.jpg", "data/a/2.jpg"]) { path in
      let manager = FileManager.default
      for (link, target) in [
        ("data/b", "real"), ("data/a/again", "data"), ("data/a/more", "real"),
      ] {
        try manager.createSymbolicLink(
          atPath: path + "/" + link, withDestinationPath: trimmed(path) + "/" + target)
      }
      try manager.createSymbolicLink(
        atPath: path + "/data/a/gone.jpg", withDestinationPath: "/nowhere/at/all.jpg")
      let folder = try PhotoFolder(labelled: path + "/data")
      #expect(
        folder.photos.map(\.relativePath) == [
          "a/2.jpg", "a/gone.jpg", "a/more/1.jpg", "b/1.jpg",
        ])
      let again = trimmed(path) + "/data/a/again"
      #expect(folder.problems == ["'\(again)': the link leads back to a folder above it"])
    }
  }

  @Test func sayWhatIsWrongWithAFolder() throws {
    try withFolder(["flat/1.jpg", "flat/2.txt", "empty/", "none/a/readme.md", "none/b/"]) { path in
      let root = trimmed(path)
      let missing = ImagesError.cannotList(path: root + "/x", reason: "No such file or directory")
      #expect(throws: missing) { try PhotoFolder(labelled: root + "/x") }
      #expect(
        throws: ImagesError.noClassFolders(
          path: root + "/flat", found: "1 photo and 1 other file")
      ) { try PhotoFolder(labelled: root + "/flat") }
      #expect(throws: ImagesError.noClassFolders(path: root + "/empty", found: "nothing")) {
        try PhotoFolder(labelled: root + "/empty")
      }
      #expect(
        throws: ImagesError.noPhotos(path: root + "/none", found: "2 folders with 1 other file")
      ) { try PhotoFolder(labelled: root + "/none") }
      #expect(throws: ImagesError.noPhotos(path: root + "/empty", found: "nothing")) {
        try PhotoFolder(unlabelled: [root + "/empty"])
      }
    }
  }

  @Test func unlabelledPhotosKeepTheOrderGiven() throws {
    try withFolder(["a/2.jpg", "a/1.jpg", "a/in/3.png", "z.jpg", "b.dat", "missing/"]) { path in
      let root = trimmed(path)
      let one = try PhotoFolder(unlabelled: [root + "/a"])
      #expect(one.photos.map(\.relativePath) == ["1.jpg", "2.jpg", "in/3.png"])
      #expect(one.photos.allSatisfy { $0.label == nil })
      let many = try PhotoFolder(
        unlabelled: [root + "/z.jpg", root + "/a", root + "/b.dat", root + "/gone.jpg"])
      #expect(
        many.photos.map(\.path)
          == ["z.jpg", "a/1.jpg", "a/2.jpg", "a/in/3.png", "b.dat", "gone.jpg"].map {
            root + "/" + $0
          })
      #expect(many.photos.map(\.path) == many.photos.map(\.relativePath))
    }
  }
}
