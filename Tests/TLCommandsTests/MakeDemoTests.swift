import Demo
import Foundation
import Images
import TestSupport
import Testing

/// `tl make-demo` with the real program.
struct MakeDemoTests {
  private func files(_ folder: URL) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
      let place = folder.appending(path: path)
      if path.hasSuffix(".jpg") { files[path] = try Data(contentsOf: place) }
    }
    return files
  }

  private func make(_ name: String, _ options: [String], in folder: URL) throws -> [String: Data] {
    let outcome = try runTL(["make-demo", name] + options, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return try files(folder.appending(path: name))
  }

  @Test func theFolderIsThatOfTheBook() throws {
    try Locations.withTemporaryFolder { folder in
      let made = try make("demo", ["--photos", "17", "--size", "64"], in: folder)
      var counts: [String: Int] = [:]
      for path in made.keys {
        counts[(path as NSString).deletingLastPathComponent, default: 0] += 1
      }
      #expect(
        counts == [
          "train/cats": 5, "train/dogs": 4, "validation/cats": 2, "validation/dogs": 2,
          "test/cats": 2, "test/dogs": 2,
        ])
      #expect(made["train/cats/cat.0.jpg"] != nil && made["test/dogs/dog.7.jpg"] != nil)
      for (path, data) in made {
        let image = try DecodedPicture(bytes: [UInt8](data)).image
        #expect(max(image.width, image.height) <= 64 && min(image.width, image.height) >= 29)
        // Neither empty nor all of one colour.
        #expect(Set(image.pixels).count > 30, "\(path)")
      }
      #expect(Set(made.values).count == 17, "no two pictures are the same")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["demo"])
    }
  }

  @Test func theSeedDecidesEverything() throws {
    try Locations.withTemporaryFolder { folder in
      let options = ["--photos", "12", "--size", "48"]
      let first = try make("a", options, in: folder)
      #expect(try make("b", options + ["--seed", "0"], in: folder) == first)
      let threads = try runTL(
        ["make-demo", "c"] + options, environment: ["TL_THREADS": "1"], in: folder)
      #expect(threads.status == 0)
      #expect(try files(folder.appending(path: "c")) == first)
      let other = try make("d", options + ["--seed", "1"], in: folder)
      #expect(first.allSatisfy { other[$0.key] != nil && other[$0.key] != $0.value })
      // More pictures are not the same ones in other places.
      #expect(Set(first.values).isDisjoint(with: other.values))
    }
  }

  @Test func nothingIsOverwritten() throws {
    try Locations.withTemporaryFolder { folder in
      try Data("mine".utf8).write(to: folder.appending(path: "notes.txt"))
      let full = try runTL(["make-demo", "."], in: folder)
      #expect(full.status == 1)
      #expect(
        full.errors.contains("'.' is not empty: expected a new or an empty folder, found 1 entry"))
      #expect(full.errors.contains("try: another name, or remove it first"))
      let file = try runTL(["make-demo", "notes.txt"], in: folder)
      #expect(file.status == 1)
      #expect(file.errors.contains("'notes.txt' is a file"))
      let nowhere = try runTL(["make-demo", "notes.txt/demo"], in: folder)
      #expect(nowhere.status == 1)
      #expect(nowhere.errors.contains("cannot write 'notes.txt/demo': Not a directory"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["notes.txt"])
    }
  }

  @Test func anEmptyFolderIsFilled() throws {
    try Locations.withTemporaryFolder { folder in
      try FileManager.default.createDirectory(
        at: folder.appending(path: "demo"), withIntermediateDirectories: true)
      #expect(try make("demo/", ["--photos", "8", "--size", "32"], in: folder).count == 8)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["demo"])
    }
  }

  @Test func anInterruptedRunLeavesNothing() throws {
    try Locations.withTemporaryFolder { folder in
      let run = try RunningTL(["make-demo", "demo", "--photos", "100000"], in: folder)
      #expect(run.waitForErrors("pictures: "))
      run.send(SIGINT)
      #expect(run.finish().status == 130)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }
  }

  @Test(arguments: [
    (["--photos", "7"], "--photos must be 8 to 100000, found 7"),
    (["--size", "31"], "--size must be 32 to 2048, found 31"),
    (["--seed=-1"], "'-1' is invalid"),
  ])
  func wrongOptionsAreRefused(options: [String], message: String) throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try runTL(["make-demo", "demo"] + options, in: folder)
      #expect(outcome.status == 64)
      #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }
  }

  /// Place and colour give nothing away: the classes' mean pictures are nearly the same.
  @Test func meansOfTheClassesAreAlike() {
    let count = 150
    let means = Species.allCases.map { species in
      let colors = (0..<count).map { number in
        let pixels = DemoPicture.draw(species, size: 48, seed: UInt64(number * 2 + 1)).pixels
        return Double(pixels.reduce(0) { $0 + Int($1) }) / Double(pixels.count)
      }
      return colors.reduce(0, +) / Double(count)
    }
    #expect(abs(means[0] - means[1]) < 12, "mean brightness \(means)")
  }
}
