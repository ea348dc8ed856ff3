import Architectures
import Foundation
import TestSupport
import Testing
import Training
import Weights

/// `tl weights` and names of bases with the real program.
struct WeightsCommandTests {
  private static let fixture = Locations.tests("WeightsTests/Fixtures/vgg16_keras1.h5")
  private static let published = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"

  /// Runs in an empty folder, which is also the cache folder's parent, without proxies or mirrors.
  private func run(
    _ arguments: [String], in folder: URL, environment: [String: String] = [:]
  ) throws -> RunOutcome {
    var clean = ["XDG_CACHE_HOME": folder.path + "/cache", "TL_WEIGHTS_MIRROR": ""]
    for name in ["http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY", "no_proxy"] {
      clean[name] = ""
    }
    return try runTL(arguments, environment: clean.merging(environment) { $1 }, in: folder)
  }

  private func put(_ source: String, _ path: String, in folder: URL) throws {
    let target = folder.appending(path: path)
    try FileManager.default.createDirectory(
      at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: source, toPath: target.path)
  }

  private func kept(_ folder: URL) -> [String] {
    let cache = folder.path + "/cache/tl/weights"
    return ((try? FileManager.default.contentsOfDirectory(atPath: cache)) ?? []).sorted()
  }

  @Test func listsWhatIsHereAndWhatCanBePulled() throws {
    try Locations.withTemporaryFolder { folder in
      try put(Self.fixture, "weights/vgg19_notop.h5", in: folder)
      try put(Self.fixture, "weights/mine.h5", in: folder)
      try put(Self.fixture, "cache/tl/weights/\(Self.published).partial", in: folder)
      let outcome = try run(["weights"], in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let lines = outcome.output.split(separator: "\n").map(String.init)
      func line(_ name: String) -> String { lines.first { $0.hasPrefix(name + " ") } ?? "" }
      #expect(line("vgg16").contains("begun: 45 kB are in the cache"), "\(outcome.output)")
      #expect(line("vgg16-top").contains("553.5 MB  to be pulled"))
      #expect(line("vgg16-top").hasSuffix("64373286793e3c8b2b4e3219cbf3544b"))
      #expect(line("vgg19").contains("weights/vgg19_notop.h5"))
      #expect(line("-").contains("weights/mine.h5"))
      #expect(line("resnet50").contains("MIT"))
      let json = try run(["weights", "list", "--json", "--quiet"], in: folder)
      #expect(json.errors == "")
      let rows = try #require(
        JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]])
      let vgg = try #require(rows.first { $0["name"] as? String == "vgg19" })
      #expect(vgg["path"] as? String == "weights/vgg19_notop.h5")
    }
  }

  @Test func namesFindFilesInOrder() throws {
    try Locations.withTemporaryFolder { folder in
      let command = ["summary", "--base", "vgg16", "--image-size", "64"]
      let missing = try run(command, in: folder)
      #expect(missing.status == 1)
      #expect(
        missing.errors.contains("no weights file for the base 'vgg16': looked for vgg16_notop.h5"))
      #expect(missing.errors.contains("try: `tl weights pull vgg16`, or download https://storage."))
      #expect(missing.errors.contains("put it into '\(folder.path)/cache/tl/weights'"))
      try put(Self.fixture, "weights/vgg16.h5", in: folder)
      let here = try run(command, in: folder)
      #expect(here.status == 0)
      #expect(here.errors.contains("'vgg16' is weights/vgg16.h5\n"))
      try put(Self.fixture, "cache/tl/weights/\(Self.published)", in: folder)
      let cached = try run(command, in: folder)
      #expect(
        cached.errors.contains("'vgg16' is \(folder.path)/cache/tl/weights/\(Self.published)\n"))
      let top = try run(["summary", "--base", "vgg16-top"], in: folder)
      #expect(top.errors.contains("no weights file for the base 'vgg16-top'"))
      let unknown = try run(["summary", "--base", "vgg61"], in: folder)
      #expect(unknown.errors.contains("cannot find the base 'vgg61': expected a file or one of "))
    }
  }

  @Test func verifyTellsGoodFromBad() throws {
    try Locations.withTemporaryFolder { folder in
      try put(Self.fixture, "weights/vgg16_notop.h5", in: folder)
      try put(Self.fixture, "weights/mine.h5", in: folder)
      let own = try run(["weights", "verify"], in: folder)
      #expect(own.status == 0, "\(own.errors)")
      let line = own.output.split(separator: "\n").first { $0.hasPrefix("weights/vgg16_notop.h5 ") }
      #expect(line?.contains("  45 kB  a file of yours: md5 ") == true)
      #expect(own.output.contains("weights/mine.h5"))
      // The card's digest is that of the file that comes with the project.
      #expect(own.output.contains("  good: md5 is that of mini\n"))
      try put(Self.fixture, "cache/tl/weights/\(Self.published)", in: folder)
      let bad = try run(["weights", "verify", "vgg16"], in: folder)
      #expect(bad.status == 2)
      #expect(bad.output.contains("WRONG: expected 58889256 bytes, found "))
      #expect(bad.errors.contains("1 of 2 files failed"))
      let pull = try run(["weights", "pull", "vgg16"], in: folder)
      #expect(pull.status == 1)
      #expect(pull.errors.contains("is not the published file: expected 58889256 bytes"))
      #expect(pull.errors.contains("try: remove it, then `tl weights pull` brings it anew"))
      let none = try run(["weights", "verify", "vgg19"], in: folder)
      #expect(none.errors.contains("no weights file for the base 'vgg19'"))
    }
  }

  @Test func whatComesIsChecked() throws {
    try Locations.withTemporaryFolder { folder in
      let server = try LoopbackServer { .file([UInt8](repeating: 0, count: 58_889_256), $0) }
      defer { server.stop() }
      let outcome = try run(["weights", "pull", "vgg16", "--mirror", server.address], in: folder)
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("pulling vgg16 from \(server.address)"))
      #expect(outcome.errors.contains("vgg16: 59 "), "\(outcome.errors)")
      #expect(
        outcome.errors.contains("expected md5 6d6bbae143d832006294945121d1f1fc, found "),
        "\(outcome.errors)")
      #expect(kept(folder) == [])
    }
  }

  @Test func aFullDiskKeepsWhatFits() throws {
    try Locations.withTemporaryFolder { folder in
      let server = try LoopbackServer { .file([UInt8](repeating: 0, count: 58_889_256), $0) }
      defer { server.stop() }
      // The system refuses files above 2 MB, as it refuses all when the disk is full.
      let process = Process()
      process.executableURL = URL(filePath: "/bin/bash")
      process.arguments = [
        "-c", "trap '' XFSZ; ulimit -f 2000; exec \"$0\" weights pull vgg16 --mirror \"$1\"",
        RunningTL.executable.path, server.address,
      ]
      process.environment = ["XDG_CACHE_HOME": folder.path + "/cache"]
      let errors = Pipe()
      process.standardError = errors
      try process.run()
      let text = String(
        decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 1)
      #expect(
        text.contains("cannot write '\(folder.path)/cache/tl/weights/\(Self.published).partial'"))
      #expect(text.contains("File too large"), "\(text)")
      #expect(text.contains("try: make room or set XDG_CACHE_HOME to another disk"))
      #expect(kept(folder) == [Self.published + ".partial"])
    }
  }

  @Test func interruptedItKeepsTheBytes() throws {
    try Locations.withTemporaryFolder { folder in
      let server = try LoopbackServer { _ in
        .init(body: [UInt8](repeating: 0, count: 1_000_000), length: 58_889_256, stays: true)
      }
      defer { server.stop() }
      let run = try RunningTL(
        ["weights", "pull", "vgg16"],
        environment: [
          "XDG_CACHE_HOME": folder.path + "/cache", "TL_WEIGHTS_MIRROR": server.address,
        ],
        in: folder)
      #expect(run.waitForErrors("vgg16: 1 of 59 MB"))
      run.send(SIGINT)
      #expect(run.finish().status == 130)
      #expect(kept(folder) == [Self.published + ".partial"])
      #expect(
        WeightStore.size("\(folder.path)/cache/tl/weights/\(Self.published).partial") == 1_000_000)
    }
  }

  @Test func proxiesAreAsked() throws {
    try Locations.withTemporaryFolder { folder in
      let proxy = try LoopbackServer { _ in .init(status: 404) }
      defer { proxy.stop() }
      let outcome = try run(
        ["weights", "pull", "vgg19", "--mirror", "http://weights.invalid/keras/"], in: folder,
        environment: ["http_proxy": proxy.address])
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("HTTP status 404"), "\(outcome.errors)")
      #expect(
        proxy.requests.map(\.target)
          == ["http://weights.invalid/keras/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"])
    }
  }

  @Test func wrongNamesAreRefused() throws {
    try Locations.withTemporaryFolder { folder in
      let unknown = try run(["weights", "pull", "vgg17"], in: folder)
      #expect(unknown.status == 1)
      #expect(unknown.errors.contains("no weights are known as 'vgg17': expected one of "))
      let mistyped = try run(["weights", "pul"], in: folder)
      #expect(mistyped.status == 64)
      #expect(mistyped.errors == "tl weights: error: unknown command 'pul': did you mean 'pull'?\n")
      let none = try run(["weights", "pull"], in: folder)
      #expect(none.status == 64)
      #expect(none.errors.hasPrefix("tl weights pull: error: Missing expected argument"))
    }
  }

  @Test func everyPublishedFileIsDescribed() {
    for base in NamedBase.all {
      // Keras says no digest of MobileNet, and SqueezeNet's author none of his.
      let hasDigest = !["mobilenet", "squeezenet"].contains { base.name.hasPrefix($0) }
      #expect(base.md5?.count == (hasDigest ? 32 : nil), "\(base.name)")
      #expect(base.fileNames.allSatisfy { $0.hasSuffix(".h5") })
      #expect(NamedBase.named(base.name)?.fileNames == base.fileNames)
      if let file = base.published {
        #expect(URL(string: file.url)?.scheme == "https", "\(file.url)")
      }
    }
    let files = NamedBase.all.compactMap(\.fileNames.last)
    #expect(Set(files).count == files.count, "two bases would share a file: \(files)")
  }
}
