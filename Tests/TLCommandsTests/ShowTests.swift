import Foundation
import HDF5
import Images
import TestSupport
import Testing

/// `tl show` and `tl predict --explain` with the real program.
struct ShowTests {
  static let base = WorkflowTests.base
  static let photos = WorkflowTests.validation
  static let photo = WorkflowTests.train + "/cats/cat.0.jpg"
  /// A model by Keras, its base nested.
  static let model = [
    "--model", Locations.tests("WeightsTests/Fixtures/nested_keras3_full.h5"), "--class-names",
    "cats,dogs", "--preprocess", "caffe",
  ]

  private func succeed(
    _ arguments: [String], in folder: URL, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> RunOutcome {
    let outcome = try runTL(arguments, in: folder)
    #expect(
      outcome.status == 0, "tl \(arguments.joined(separator: " ")): \(outcome.errors)",
      sourceLocation: sourceLocation)
    return outcome
  }

  private func picture(_ path: String) throws -> RGBImage {
    let loader = PhotoLoader(height: 1, width: 1, preprocessing: .none)
    return try loader.original(Photo(path: path, relativePath: path))
  }

  private struct Row: Decodable {
    let path: String
    let label: String
    let probability: Float
    let heatmap: [[Float]]
  }

  /// Without a font there are plain letters and no empty boxes, and the command says so.
  @Test func missingFontsAndLettersAreSaid() throws {
    try Locations.withTemporaryFolder { folder in
      let configuration = folder.appending(path: "fonts.conf")
      let text = "<?xml version=\"1.0\"?><fontconfig><dir>\(folder.path)/none</dir></fontconfig>"
      try Data(text.utf8).write(to: configuration)
      let show = [
        "show", "activations", Self.photo, "--base", Self.base, "--image-size", "64", "--layer",
        "block1_conv1", "--quiet", "--output",
      ]
      let without = try runTL(
        show + ["a.png"], environment: ["FONTCONFIG_FILE": configuration.path], in: folder)
      #expect(without.status == 0)
      #expect(
        without.errors
          == "warning: no font was found: pictures have Cairo's own plain letters; "
          + "`apt-get install fonts-dejavu-core` brings a font\n")
      #expect(try picture(folder.path + "/a.png").width > 300)
      // A letter that no font has: the last of those for private use.
      let odd = folder.appending(path: "\u{10FFFD}.jpg")
      try FileManager.default.copyItem(atPath: Self.photo, toPath: odd.path)
      var arguments = show + ["b.png"]
      arguments[2] = odd.path
      let lacking = try succeed(arguments, in: folder)
      #expect(lacking.errors.contains("'\u{10FFFD}'"), "\(lacking.errors)")
    }
  }

  @Test func heatMapsAreInThePhotosOwnSize() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try succeed(
        ["show", "heatmap", Self.photos] + Self.model
          + ["--output", "maps", "--raw", "maps.json"], in: folder)
      #expect(outcome.errors.contains("Grad-CAM of 'block5_conv3': maps of 2x2"))
      let rows = try JSONDecoder().decode(
        [Row].self, from: Data(contentsOf: folder.appending(path: "maps.json")))
      #expect(rows.count == 12)
      for row in rows {
        let photo = try picture("\(Self.photos)/\(row.path)")
        let map = try picture(folder.appending(path: "maps/\(row.path).heatmap.png").path)
        #expect(map.width == photo.width)
        #expect(map.height > photo.height && map.height < photo.height * 2)
        #expect(row.heatmap.map(\.count) == [2, 2])
        let largest = row.heatmap.joined().max()
        #expect(largest == 1 || largest == 0)
        #expect(row.probability >= 0.5)
      }
      _ = try succeed(
        ["show", "heatmap", Self.photos] + Self.model + ["--raw", "maps.h5"], in: folder)
      let file = try HDF5File.open(folder.appending(path: "maps.h5").path)
      defer { try? file.close() }
      #expect(
        try file.root.dataset("heatmaps").readFloats() == rows.flatMap { $0.heatmap.joined() })
    }
  }

  @Test func classDecidesWhatIsLookedFor() throws {
    try Locations.withTemporaryFolder { folder in
      var maps: [[Row]] = []
      for name in ["cats", "dogs"] {
        _ = try succeed(
          ["show", "heatmap", Self.photo] + Self.model
            + ["--class", name, "--layer", "block3_conv3", "--raw", "\(name).json"], in: folder)
        maps.append(
          try JSONDecoder().decode(
            [Row].self, from: Data(contentsOf: folder.appending(path: "\(name).json"))))
      }
      #expect(abs(maps[0][0].probability + maps[1][0].probability - 1) < 1e-5)
      #expect(maps[0][0].heatmap != maps[1][0].heatmap)
      #expect(maps[0][0].heatmap.count == 8)
    }
  }

  @Test func photosThatFailAreNamedAndCounted() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try runTL(
        ["show", "heatmap", WorkflowTests.photos + "/broken"] + Self.model
          + ["--output", "maps", "--quiet"], in: folder)
      #expect(outcome.status == 2)
      #expect(outcome.errors == "tl show heatmap: warning: 3 of 4 photos failed\n")
      #expect(outcome.output.contains("b_truncated.jpg  error: the JPEG data is truncated"))
      let names = try FileManager.default.contentsOfDirectory(
        atPath: folder.appending(path: "maps").path)
      #expect(names == ["a_good.jpg.heatmap.png"])
    }
  }

  @Test func explainTellsTheSameAsPredict() throws {
    try Locations.withTemporaryFolder { folder in
      let predict = ["predict", Self.photos] + Self.model + ["--format", "csv", "--quiet"]
      let plain = try succeed(predict, in: folder)
      let explained = try succeed(predict + ["--explain", "why"], in: folder)
      #expect(explained.output == plain.output)
      let names = try FileManager.default.subpathsOfDirectory(
        atPath: folder.appending(path: "why").path)
      #expect(names.count { $0.hasSuffix(".heatmap.png") } == 12)
    }
  }

  @Test(arguments: [
    (["--layer", "block5_conv9"], "no layer matches 'block5_conv9': near are 'block5_conv1'"),
    (["--layer", "dense"], "the output of 'dense' is no picture"),
    (["--class", "cat"], "no class 'cat': expected one of 'cats', 'dogs'"),
    (
      ["--method", "cam"], "expected GlobalAveragePooling2D and Dense after it, found MaxPooling2D"
    ),
  ])
  func wrongHeatMapsAreExplained(options: [String], reason: String) throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try runTL(
        ["show", "heatmap", Self.photo] + Self.model + options + ["--raw", "m.json"], in: folder)
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains(reason), "\(outcome.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
  }

  @Test func baseWithoutHeadHasNoHeatMaps() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try runTL(
        ["show", "heatmap", Self.photo, "--model", Self.base, "--output", "maps"], in: folder)
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("found weights alone"))
      #expect(outcome.errors.contains("try: train a head on it"))
    }
  }

  @Test func activationsShowEveryBlock() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try succeed(
        [
          "show", "activations", Self.photo, "--base", Self.base, "--image-size", "64", "--output",
          "a.png", "--html", "a.html",
        ], in: folder)
      for block in 1...5 { #expect(outcome.output.contains("block\(block)_conv")) }
      #expect(try picture(folder.appending(path: "a.png").path).width > 300)
      let page = try String(contentsOf: folder.appending(path: "a.html"), encoding: .utf8)
      // The photo, what the network gets, and five blocks; nothing is fetched from elsewhere.
      #expect(page.components(separatedBy: "src=\"data:image/png;base64,").count == 8)
      #expect(!page.contains("http://") && !page.contains("https://"))
      let wrong = try runTL(
        [
          "show", "activations", Self.photo, "--base", Self.base, "--image-size", "64", "--layer",
          "block1_conv1,blok2", "--output", "b.png",
        ], in: folder)
      #expect(wrong.status == 1)
      #expect(wrong.errors.contains("no layer matches 'blok2': near are 'block2_pool'"))
    }
  }

  @Test func kernelsAndFiltersAreDrawn() throws {
    try Locations.withTemporaryFolder { folder in
      let kernels = try succeed(
        ["show", "kernels", "--base", Self.base, "--output", "k.png"], in: folder)
      #expect(kernels.output == "wrote k.png: 4 kernels of 'block1_conv1'\n")
      let filters = [
        "show", "filters", "--base", Self.base, "--layer", "block2_conv1", "--count", "9",
        "--steps", "4", "--size", "32", "--quiet", "--output",
      ]
      let first = try succeed(filters + ["f.png"], in: folder)
      #expect(first.output.hasPrefix("wrote f.png: filters 0 to 3 of 4 of 'block2_conv1'"))
      _ = try succeed(filters + ["g.png"], in: folder)
      _ = try succeed(filters + ["h.png", "--seed", "1"], in: folder)
      let files = try ["f.png", "g.png", "h.png"].map {
        try Data(contentsOf: folder.appending(path: $0))
      }
      #expect(files[0] == files[1])
      #expect(files[0] != files[2])
    }
  }

  @Test func occlusionTellsEveryPlace() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try succeed(
        ["show", "occlusion", Self.photo] + Self.model
          + ["--patch", "8", "--stride", "8", "--output", "o.png", "--raw", "o.json"], in: folder)
      #expect(outcome.output.contains("under a patch of 8 pixels at 16 places"))
      #expect(try picture(folder.appending(path: "o.png").path).width == picture(Self.photo).width)
      struct Record: Decodable { let covered: [[Float]] }
      let record = try JSONDecoder().decode(
        Record.self, from: Data(contentsOf: folder.appending(path: "o.json")))
      #expect(record.covered.map(\.count) == [4, 4, 4, 4])
      let wrong = try runTL(
        ["show", "occlusion", Self.photo] + Self.model + ["--patch", "32", "--output", "p.png"],
        in: folder)
      #expect(wrong.status == 1)
      #expect(wrong.errors.contains("try: a smaller --patch"))
    }
  }

  @Test func convolveSaysTheSizeFormula() throws {
    try Locations.withTemporaryFolder { folder in
      let photo = try picture(Self.photo)
      let outcome = try succeed(
        [
          "show", "convolve", Self.photo, "--kernel", "sobel-x", "--padding", "valid", "--stride",
          "2", "--output", "s.png",
        ], in: folder)
      let rows = (photo.height - 3) / 2 + 1
      #expect(
        outcome.output.contains("rows:    floor((\(photo.height) + 0 - 3) / 2) + 1 = \(rows)\n"))
      let wrong = try runTL(
        ["show", "convolve", Self.photo, "--kernel", "sobel", "--output", "t.png"], in: folder)
      #expect(wrong.status == 1)
      #expect(wrong.errors.contains("sobel-x, sobel-y, sharpen, mean"))
      #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "t.png").path))
    }
  }

  @Test func mistypedSubcommandsAreGuessed() throws {
    let outcome = try runTL(["show", "heatmpa"])
    #expect(outcome.status == 64)
    #expect(
      outcome.errors.hasPrefix("tl show: error: unknown command 'heatmpa': did you mean 'heatmap'?")
    )
  }

  @Test func outputInTheWayIsSaidBeforeWorkStarts() throws {
    try Locations.withTemporaryFolder { folder in
      try Data("mine".utf8).write(to: folder.appending(path: "maps"))
      let outcome = try runTL(
        ["show", "heatmap", Self.photo] + Self.model + ["--output", "maps"], in: folder)
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("cannot write 'maps': expected a folder, found a file"))
      #expect(try String(contentsOf: folder.appending(path: "maps"), encoding: .utf8) == "mine")
    }
  }
}
