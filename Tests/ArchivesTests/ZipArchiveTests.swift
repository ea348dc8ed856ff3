import Archives
import Foundation
import TestSupport
import Testing

@Suite struct ZipArchiveTests {
  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  /// The archive of one stored member `a` = "hello", written by hand: see APPNOTE.TXT 4.3.
  private func handMade(
    names: [String] = ["a"], declared: UInt32 = 5, method: UInt16 = 0, flags: UInt16 = 0
  ) -> Data {
    func bytes<T: FixedWidthInteger>(_ number: T) -> Data {
      withUnsafeBytes(of: number.littleEndian) { Data($0) }
    }
    let checksum: UInt32 = 0x3610_A686
    var file = Data()
    var directory = Data()
    for name in names {
      let fields =
        bytes(UInt16(20)) + bytes(flags) + bytes(method) + bytes(UInt32(0)) + bytes(checksum)
        + bytes(UInt32(5)) + bytes(declared) + bytes(UInt16(name.utf8.count)) + bytes(UInt16(0))
      directory +=
        Data([0x50, 0x4B, 1, 2]) + bytes(UInt16(20)) + fields + Data(count: 10)
        + bytes(UInt32(file.count)) + Data(name.utf8)
      file += Data([0x50, 0x4B, 3, 4]) + fields + Data(name.utf8) + Data("hello".utf8)
    }
    let end =
      Data([0x50, 0x4B, 5, 6]) + Data(count: 4) + bytes(UInt16(names.count))
      + bytes(UInt16(names.count)) + bytes(UInt32(directory.count)) + bytes(UInt32(file.count))
      + Data(count: 2)
    return file + directory + end
  }

  private func opened<R>(_ data: Data, _ body: (ZipArchive, String) throws -> R) throws -> R {
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "x.zip").path
      try data.write(to: URL(filePath: path))
      return try body(ZipArchive(path), path)
    }
  }

  @Test func writesAndReads() throws {
    try Locations.withTemporaryFolder { folder in
      let (path, other) = (folder.path + "/a.zip", folder.path + "/b.zip")
      let large = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
      let source = folder.path + "/large"
      try Data(large).write(to: URL(filePath: source))
      let members: [ZipArchive.NewMember] = [
        .init("config.json", .bytes(Array("{}".utf8))), .init("empty", .bytes([])),
        .init("ordner/größe", .file(source)),
      ]
      try ZipArchive.write(path, members)
      try ZipArchive.write(other, members)
      #expect(try Data(contentsOf: URL(filePath: path)) == Data(contentsOf: URL(filePath: other)))
      let archive = try ZipArchive(path)
      #expect(archive.members.map(\.name) == ["config.json", "empty", "ordner/größe"])
      #expect(archive.members.map(\.size) == [2, 0, large.count])
      #expect(archive.members.map(\.storedSize) == [2, 0, large.count])
      #expect(try archive.read("config.json", limit: 2) == Array("{}".utf8))
      #expect(try archive.read("empty", limit: 0) == [])
      try archive.extract("ordner/größe", to: folder.path + "/again")
      #expect(try Data(contentsOf: URL(filePath: folder.path + "/again")) == Data(large))
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
          == ["a.zip", "again", "b.zip", "large"])
    }
  }

  @Test func whatIsThere() throws {
    try opened(handMade()) { archive, path in
      let text = try archive.read("a", limit: 5)
      #expect(text == Array("hello".utf8))
      #expect(
        message { _ = try archive.read("b", limit: 5) }
          == "cannot use the archive '\(path)': expected a member 'b', found 'a'")
      #expect(
        message { _ = try archive.read("a", limit: 4) }
          == "refused to open 'a' in the archive '\(path)': expected at most 4 bytes, found 5")
    }
    try opened(handMade(names: ["a", "b", "a"])) { archive, path in
      let text = try archive.read("b", limit: 5)
      #expect(text == Array("hello".utf8))
      #expect(
        message { _ = try archive.read("a", limit: 5) }
          == "refused to open 'a' in the archive '\(path)': it is there 2 times")
    }
    try opened(handMade(flags: 1)) { archive, path in
      #expect(
        message { _ = try archive.read("a", limit: 5) }
          == "cannot read 'a' in the archive '\(path)': it needs a password")
    }
  }

  @Test func absurdSizes() throws {
    try opened(handMade(declared: 3_000_000_000, method: 8)) { archive, path in
      #expect(
        message { try archive.extract("a", to: path + ".out") }
          == "refused to open 'a' in the archive '\(path)': 5 bytes that declare to unpack to "
          + "3000000000")
      #expect(!FileManager.default.fileExists(atPath: path + ".out"))
    }
    // "hello" is no deflated data.
    try opened(handMade(declared: 50_000_000, method: 8)) { archive, path in
      #expect(
        message { try archive.extract("a", to: path + ".out") }
          .hasPrefix("cannot read 'a' in the archive '\(path)': "))
    }
  }

  @Test func damage() throws {
    var changed = handMade()
    changed[changed.firstRange(of: Data("hello".utf8))!.lowerBound] = UInt8(ascii: "j")
    try opened(changed) { archive, path in
      #expect(
        message { _ = try archive.read("a", limit: 5) }
          == "cannot read 'a' in the archive '\(path)': CRC error")
    }
    let whole = handMade()
    for length in 0..<whole.count {
      #expect(throws: ArchiveError.self, "\(length) bytes") {
        try opened(whole.prefix(length)) { _, _ in }
      }
    }
    #expect(
      message { _ = try ZipArchive("/nowhere/x.zip") }
        == "cannot open the archive '/nowhere/x.zip': No such file")
  }

  @Test func whatCannotBeWritten() throws {
    #expect(
      message { try ZipArchive.write("/nowhere/x.zip", [.init("a", .bytes([1]))]) }
        .hasPrefix("cannot write '/nowhere/x.zip': "))
    try Locations.withTemporaryFolder { folder in
      let path = folder.path + "/x.zip"
      try handMade().write(to: URL(filePath: path))
      #expect(
        message { try ZipArchive.write(path, [.init("a", .file(folder.path + "/none"))]) }
          .hasPrefix("cannot write '\(path)': "))
      #expect(try Data(contentsOf: URL(filePath: path)) == handMade())
    }
  }
}
