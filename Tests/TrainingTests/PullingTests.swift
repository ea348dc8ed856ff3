import Architectures
import Downloads
import Foundation
import Synchronization
import TestSupport
import Testing
import Training
import Weights

/// Downloads from a real server on the loopback address.
struct PullingTests {
  private static let bytes = (0..<300_000).map {
    UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7)
  }

  /// A cache folder and a base whose published file is `bytes`.
  private struct Place {
    let store: WeightStore
    let base: NamedBase
    var target: String { store.cache + "/tiny_notop.h5" }
    var partial: String { target + ".partial" }
    var names: [String] {
      ((try? FileManager.default.contentsOfDirectory(atPath: store.cache)) ?? []).sorted()
    }
  }

  private func withPlace(
    size: Int? = bytes.count, md5: String? = nil, url: String = "http://127.0.0.1:9/tiny_notop.h5",
    _ body: (Place) throws -> Void
  ) throws {
    try Locations.withTemporaryFolder { folder in
      let original = folder.appending(path: "original")
      try Data(Self.bytes).write(to: original)
      let file = WeightCard.PublishedFile(
        name: "tiny", includesTop: false, md5: try md5 ?? FileDigest.md5(original.path),
        bytes: size, url: url)
      let base = NamedBase(
        name: "tiny", card: VGG.vgg16.card, published: file, fileNames: [file.fileName])
      try body(
        Place(store: WeightStore(cache: folder.path + "/tl/weights", others: []), base: base))
    }
  }

  /// What a download told, as words.
  private final class Log: Sendable {
    private let words = Mutex([String]())
    var all: [String] { words.withLock { $0 } }

    func add(_ event: WeightStore.PullEvent) {
      let word: String? =
        switch event {
        case .startingAnew: "anew"
        case .download(.resuming(let from)): "from \(from)"
        case .download(.startingOver): "over"
        case .download(.retrying): "retry"
        case .download(.progress): nil
        }
      if let word { words.withLock { $0.append(word) } }
    }
  }

  @discardableResult
  private func pull(_ place: Place, _ server: LoopbackServer) throws -> [String] {
    let log = Log()
    let path = try place.store.pull(place.base, mirror: server.address + "/keras/") { log.add($0) }
    #expect(path == place.target)
    #expect(try [UInt8](Data(contentsOf: URL(filePath: path))) == Self.bytes)
    #expect(place.names == ["tiny_notop.h5"])
    return log.all
  }

  private func expectFailure(
    _ place: Place, _ server: LoopbackServer, _ words: String, wayOut: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    do {
      _ = try place.store.pull(place.base, mirror: server.address) { _ in }
      Issue.record("it succeeded", sourceLocation: sourceLocation)
    } catch {
      #expect("\(error)".contains(words), "\(error)", sourceLocation: sourceLocation)
      let found = (error as? PullError)?.wayOut ?? ""
      #expect(found.contains(wayOut), "\(found)", sourceLocation: sourceLocation)
      #expect(
        !FileManager.default.fileExists(atPath: place.target), sourceLocation: sourceLocation)
    }
  }

  @Test func bringsTheFileOfTheMirror() throws {
    try withPlace { place in
      let server = try LoopbackServer { .file(Self.bytes, $0) }
      defer { server.stop() }
      #expect(try pull(place, server) == [])
      #expect(server.requests.map(\.target) == ["/keras/tiny_notop.h5"])
    }
  }

  @Test func takesTheAddressOfTheCard() throws {
    let server = try LoopbackServer { .file(Self.bytes, $0) }
    defer { server.stop() }
    try withPlace(url: server.address + "/here/tiny_notop.h5") { place in
      _ = try place.store.pull(place.base, mirror: nil) { _ in }
      #expect(server.requests.map(\.target) == ["/here/tiny_notop.h5"])
      #expect(place.names == ["tiny_notop.h5"])
    }
  }

  @Test func followsRedirects() throws {
    try withPlace { place in
      let server = try LoopbackServer { request in
        guard request.target == "/far/away" else {
          return .init(status: 302, headers: ["Location: /far/away"], body: Array("moved".utf8))
        }
        return .file(Self.bytes, request)
      }
      defer { server.stop() }
      #expect(try pull(place, server) == [])
      #expect(server.requests.map(\.target) == ["/keras/tiny_notop.h5", "/far/away"])
    }
  }

  /// Twice the connection ends early; the same run goes on at the byte where it broke off.
  @Test func takesUpABrokenConnection() throws {
    try withPlace { place in
      let server = try LoopbackServer { request in
        var reply = LoopbackServer.Reply.file(Self.bytes, request)
        if request.start < 200_000 {
          reply.length = reply.body.count
          reply.body = Array(reply.body.prefix(100_000))
        }
        return reply
      }
      defer { server.stop() }
      #expect(try pull(place, server) == ["retry", "retry"])
      #expect(server.requests.map(\.start) == [0, 100_000, 200_000])
    }
  }

  /// A server that gives up for good leaves the bytes so far; the next run needs only the rest.
  @Test func anotherRunGoesOn() throws {
    try withPlace { place in
      let broken = try LoopbackServer { request in
        request.start > 0
          ? .init(status: 206, body: [], length: 10)
          : .init(body: Array(Self.bytes.prefix(70_000)), length: Self.bytes.count)
      }
      expectFailure(
        place, broken, "broke off", wayOut: "run `tl weights pull tiny` again: it goes on")
      broken.stop()
      #expect(place.names == ["tiny_notop.h5.partial"])
      #expect(place.store.partialBytes(place.base) == 70_000)
      let server = try LoopbackServer { .file(Self.bytes, $0) }
      defer { server.stop() }
      #expect(try pull(place, server) == ["from 70000"])
      #expect(server.requests.map(\.start) == [70_000])
    }
  }

  @Test func aServerWithoutRangesSendsAllAgain() throws {
    try withPlace { place in
      try begin(place, Array(Self.bytes.prefix(1000)))
      let server = try LoopbackServer { _ in .init(body: Self.bytes) }
      defer { server.stop() }
      #expect(try pull(place, server) == ["from 1000", "over"])
    }
  }

  @Test func bytesOfAnotherFileAreDroppedOnce() throws {
    try withPlace { place in
      try begin(place, [UInt8](repeating: 7, count: 1000))
      let server = try LoopbackServer { .file(Self.bytes, $0) }
      defer { server.stop() }
      #expect(try pull(place, server) == ["from 1000", "anew"])
      #expect(server.requests.map(\.start) == [1000, 0])
    }
  }

  /// Without a known size an unfinished file may be as long as the whole or longer.
  @Test(arguments: [300_000, 400_000]) func tooManyBytesAreDropped(count: Int) throws {
    for size in [nil, 300_000] {
      try withPlace(size: size) { place in
        try begin(place, [UInt8](repeating: 7, count: count))
        let server = try LoopbackServer { .file(Self.bytes, $0) }
        defer { server.stop() }
        _ = try pull(place, server)
      }
    }
  }

  private func begin(_ place: Place, _ bytes: [UInt8]) throws {
    try FileManager.default.createDirectory(
      atPath: place.store.cache, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(filePath: place.partial))
  }

  @Test func aWrongChecksumLeavesNothing() throws {
    try withPlace { place in
      let server = try LoopbackServer {
        .file([1] + Self.bytes.dropFirst(), $0)
      }
      defer { server.stop() }
      expectFailure(
        place, server, "is not the published file: expected md5 ", wayOut: "by hand and put it into"
      )
      #expect(place.names == [])
    }
  }

  @Test func aWrongSizeLeavesNothing() throws {
    try withPlace { place in
      let server = try LoopbackServer { .file(Array(Self.bytes.dropLast()), $0) }
      defer { server.stop() }
      expectFailure(
        place, server, "expected 300000 bytes, found 299999; nothing was kept",
        wayOut: "another place with --mirror URL")
      #expect(place.names == [])
    }
  }

  @Test(arguments: [404, 403, 500]) func aRefusalIsNotTheFile(status: Int) throws {
    try withPlace { place in
      let server = try LoopbackServer { _ in
        .init(status: status, body: Array("<html>no</html>".utf8))
      }
      defer { server.stop() }
      expectFailure(place, server, "HTTP status \(status)", wayOut: "by hand")
      #expect(place.names == [])
    }
  }

  @Test func offlineItSaysWhatToDo() throws {
    try withPlace(url: "http://127.0.0.1:9/x/tiny_notop.h5") { place in
      do {
        _ = try place.store.pull(place.base, mirror: nil) { _ in }
        Issue.record("it succeeded")
      } catch let error as PullError {
        #expect("\(error)".contains("cannot reach http://127.0.0.1:9/x/tiny_notop.h5"))
        #expect(
          error.wayOut?.hasSuffix(
            "download http://127.0.0.1:9/x/tiny_notop.h5 by hand and put it into "
              + "'\(place.store.cache)'") == true)
      }
    }
  }

  @Test func twoRunsDoNotShareAFile() throws {
    try withPlace { place in
      try begin(place, [])
      let other = open(place.partial, O_RDWR)
      defer { close(other) }
      #expect(flock(other, LOCK_EX) == 0)
      let server = try LoopbackServer { .file(Self.bytes, $0) }
      defer { server.stop() }
      expectFailure(place, server, "by another run", wayOut: "wait")
      #expect(server.requests.isEmpty)
    }
  }

  @Test func onlyTheWebIsAsked() throws {
    try withPlace(url: "file:///etc/hostname") { place in
      #expect(throws: PullError.self) {
        _ = try place.store.pull(place.base, mirror: nil) { _ in }
      }
      let server = try LoopbackServer { _ in
        .init(status: 302, headers: ["Location: file:///etc/hostname"])
      }
      defer { server.stop() }
      expectFailure(place, server, "cannot", wayOut: "by hand")
    }
  }
}
