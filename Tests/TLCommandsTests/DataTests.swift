import Foundation
import TestSupport
import Testing

/// `tl check-data`, `tl split`, and lists of photos to leave out.
@Suite struct DataTests {
  /// Pictures of another test target, which decode.
  private static let pictures = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "ImagesTests/Fixtures/Photos")

  /// Makes `class/name` files in a folder out of pictures.
  private func place(_ files: [String: String], in folder: URL) throws {
    for (name, picture) in files {
      let target = folder.appending(path: name)
      try FileManager.default.createDirectory(
        at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
      try FileManager.default.copyItem(at: Self.pictures.appending(path: picture), to: target)
    }
  }

  private struct Report: Decodable {
    struct Finding: Decodable {
      let kind: String
      let hurts: Bool
      let places: [String]
    }
    struct Left: Decodable {
      let path: String
      let reason: String
    }
    let hurts: Bool
    let findings: [Finding]
    let quarantine: [Left]

    func places(_ kind: String) -> [String] {
      findings.first { $0.kind == kind }?.places ?? []
    }
  }

  private func check(_ arguments: [String], in folder: URL) throws -> (Report, Int32) {
    let outcome = try runTL(["check-data", "--json"] + arguments, in: folder)
    return (try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8)), outcome.status)
  }

  @Test func findsWhatWouldHurt() throws {
    try Locations.withTemporaryFolder { folder in
      try place(
        [
          "train/a/1.jpg": "444.jpg", "train/a/2.jpg": "large.jpg", "train/a/3.png": "rgb.png",
          "train/b/1.png": "rgb.png", "train/b/gray.jpg": "gray.jpg",
          "train/b/misnamed.jpg": "misnamed-png.jpg", "train/b/cmyk.jpg": "cmyk.jpg",
          "train/b/turned.jpg": "exif6.jpg", "train/b/alpha.webp": "alpha.webp",
          "train/.ipynb_checkpoints/x.jpg": "444.jpg", "train/b/photo": "444.jpg",
          "validation/a/again.jpg": "large.jpg",
          "validation/a/damaged.jpg": "damaged-but-whole.jpg",
        ], in: folder)
      try Data("no photo".utf8).write(to: folder.appending(path: "train/b/text.jpg"))
      let whole = try Data(contentsOf: Self.pictures.appending(path: "large.jpg"))
      try whole.prefix(1500).write(to: folder.appending(path: "train/b/half.jpg"))
      try FileManager.default.createDirectory(
        at: folder.appending(path: "validation/c"), withIntermediateDirectories: true)
      let (report, status) = try check(
        ["train", "validation", "--image-size", "100", "--quarantine", "list.txt"], in: folder)
      #expect(status == 1 && report.hurts)
      #expect(
        report.places("does not decode") == [
          "train/b/text.jpg: not a JPEG, PNG, WebP, BMP or GIF picture: found text"
        ])
      #expect(report.places("truncated") == ["train/b/half.jpg (JPEG)"])
      #expect(report.places("damaged but decodable").count == 1)
      #expect(
        report.places("same photo in two splits") == ["train/a/2.jpg = validation/a/again.jpg"])
      #expect(
        report.places("same photo in two classes").first?.contains(
          "train/a/3.png = train/b/1.png") == true)
      #expect(report.places("class without photos") == ["'c' in validation"])
      #expect(
        report.places("class not in every split") == [
          "'c' is not in train", "'b' is not in validation",
        ])
      #expect(report.places("hidden folder with photos") == ["train/.ipynb_checkpoints"])
      #expect(report.places("photo without a photo's extension") == ["train/b/photo"])
      #expect(report.places("wrong extension") == ["train/b/misnamed.jpg is PNG"])
      #expect(report.places("gray") == ["train/b/gray.jpg"])
      #expect(report.places("CMYK") == ["train/b/cmyk.jpg"])
      #expect(report.places("with transparency") == ["train/b/alpha.webp"])
      #expect(report.places("turned by EXIF") == ["train/b/turned.jpg"])
      #expect(report.places("smaller than the input").contains("train/a/1.jpg is 37 x 53"))
      let listed = try String(
        contentsOf: folder.appending(path: "list.txt"), encoding: .utf8
      ).split(separator: "\n").map { String($0.split(separator: "\t")[0]) }
      #expect(listed == report.quarantine.map(\.path))
      #expect(listed.contains("train/b/text.jpg") && listed.contains("train/a/2.jpg"))
      #expect(!listed.contains("validation/a/again.jpg"))
    }
  }

  @Test func nothingToSayIsGood() throws {
    try Locations.withTemporaryFolder { folder in
      try place(["a/1.jpg": "444.jpg", "b/2.jpg": "large.jpg"], in: folder)
      let outcome = try runTL(["check-data", ".", "--image-size", "30"], in: folder)
      #expect(outcome.status == 0)
      #expect(outcome.output.hasSuffix("nothing found\n"))
    }
  }

  @Test func splitsEveryClassAndKeepsDuplicatesTogether() throws {
    try Locations.withTemporaryFolder { folder in
      var files: [String: String] = [:]
      let many = ["444.jpg", "large.jpg", "rgb.png", "gray.jpg", "progressive.jpg"]
      for (index, name) in many.enumerated() {
        files["in/a/\(index).\(name.suffix(3))"] = name
        files["in/a/again\(index).\(name.suffix(3))"] = name
      }
      for index in 0..<10 { files["in/b/\(index).png"] = "rgb16.png" }
      try place(files, in: folder)
      try Data("x".utf8).write(to: folder.appending(path: "in/a/broken.jpg"))
      let arguments = [
        "split", "in", "--train", "0.6", "--validation", "0.2", "--test", "0.2", "--seed", "3",
      ]
      let outcome = try runTL(arguments + ["--output", "out"], in: folder)
      #expect(outcome.status == 0)
      #expect(outcome.errors.contains("skipped 'a/broken.jpg'"))
      func found(_ output: String) -> [String] {
        let walker = FileManager.default.enumerator(atPath: folder.appending(path: output).path())
        return (walker?.allObjects as? [String] ?? []).filter { $0.contains(".") }.sorted()
      }
      let first = found("out")
      #expect(first.count == 20)
      let sizes = ["train", "validation", "test"].map { part in
        first.count { $0.hasPrefix("\(part)/a/") }
      }
      #expect(sizes == [6, 2, 2])
      for index in 0..<5 {
        let parts = Set(
          first.filter {
            $0.contains("/a/\(index).") || $0.contains("/a/again\(index).")
          }.map { $0.prefix { $0 != "/" } })
        #expect(parts.count == 1, "both copies of photo \(index) are in one part")
      }
      #expect(Set(first.filter { $0.contains("/b/") }.map { $0.prefix { $0 != "/" } }).count == 1)
      _ = try runTL(arguments + ["--output", "again", "--as", "link"], in: folder)
      #expect(found("again") == first)
      let again = try runTL(arguments + ["--output", "out"], in: folder)
      #expect(again.status != 0 && again.errors.contains("it is there already"))
    }
  }

  @Test func sharesMustAddUp() throws {
    let outcome = try runTL(["split", "x", "--output", "y", "--train", "0.5"])
    #expect(outcome.status != 0 && outcome.errors.contains("must add up to 1, found 0.7"))
  }

  /// 3000 JPEG and PNG files, each damaged in some way; always the same ones.
  @Test(.timeLimit(.minutes(10)))
  func damagedFilesDoNoHarm() throws {
    try Locations.withTemporaryFolder { folder in
      let names = try FileManager.default.contentsOfDirectory(atPath: Self.pictures.path())
        .filter { $0.hasSuffix(".jpg") || $0.hasSuffix(".png") }.sorted()
      let wholes = try names.map {
        [UInt8](try Data(contentsOf: Self.pictures.appending(path: $0)))
      }
      var random = SmallGenerator(state: 2026)
      try FileManager.default.createDirectory(
        at: folder.appending(path: "all/damaged"), withIntermediateDirectories: true)
      for index in 0..<3000 {
        let place = index % names.count
        let bytes = damaged(wholes[place], &random)
        let target = "all/damaged/\(index)-\(names[place])"
        try Data(bytes).write(to: folder.appending(path: target))
      }
      let outcome = try runTL(["check-data", "all", "--json"], in: folder, megabytes: 3000)
      let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
      #expect(outcome.status == 1)
      let refused = report.places("does not decode").count + report.places("truncated").count
      #expect((1000..<3000).contains(refused), "\(refused) of 3000 were refused")
    }
  }

  /// Changed, removed, doubled or cut bytes.
  private func damaged(_ whole: [UInt8], _ random: inout SmallGenerator) -> [UInt8] {
    var bytes = whole
    for _ in 0..<random.next(below: 8) + 1 where bytes.count > 8 {
      // Half of the hits go to the first bytes, where the headers are.
      let reach = random.next(below: 2) == 0 ? bytes.count : min(300, bytes.count)
      let place = random.next(below: reach)
      let end = min(place + random.next(below: 40), bytes.count)
      switch random.next(below: 6) {
      case 0: bytes.removeSubrange(place..<end)
      case 1: bytes.insert(contentsOf: bytes[place..<end], at: place)
      case 2: bytes.removeLast(random.next(below: bytes.count / 4 + 1))
      default: bytes[place] = UInt8(random.next(below: 256))
      }
    }
    return bytes
  }
}

/// A small linear congruential generator, so that every run damages the same bytes.
private struct SmallGenerator {
  var state: UInt64

  mutating func next(below bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % bound
  }
}
