import Foundation
import Scratch
import TestSupport
import Testing

@Suite struct ScratchRowsTests {
  /// What rows hold: each number tells its row and its place.
  private func values(_ rows: Range<Int>, rowSize: Int) -> [Float] {
    rows.flatMap { row in (0..<rowSize).map { Float(row * 1000 + $0) } }
  }

  @Test(arguments: [1, 7, 1024, 40_001])
  func givesRowsBackInAnyOrder(rowSize: Int) throws {
    try Locations.withTemporaryFolder { place throws in
      let folder = place.path
      let rows = try ScratchRows(rowSize: rowSize, capacity: 20, folder: folder)
      for start in stride(from: 0, to: 20, by: 4) {
        try rows.append(values(start..<start + 4, rowSize: rowSize))
      }
      #expect(rows.count == 20)
      #expect(try rows.rows(at: []) == [])
      rows.prepare([3])
      for order in [[0], [19, 0, 7, 7], Array((0..<20).reversed())] {
        let expected = order.flatMap { values($0..<$0 + 1, rowSize: rowSize) }
        #expect(try rows.rows(at: order) == expected)
        rows.prepare(order)
      }
    }
  }

  @Test func rowsWrittenAfterReadingAreThereToo() throws {
    try Locations.withTemporaryFolder { place throws in
      let folder = place.path
      let rows = try ScratchRows(rowSize: 3, capacity: 1, folder: folder)
      try rows.append([1, 2, 3])
      #expect(try rows.rows(at: [0]) == [1, 2, 3])
      // More than was said are taken where the disk has room.
      try rows.append([4, 5, 6])
      #expect(try rows.rows(at: [1, 0]) == [4, 5, 6, 1, 2, 3])
    }
  }

  @Test func theFileHasNoNameWhileItIsUsed() throws {
    try Locations.withTemporaryFolder { place throws in
      let folder = place.path
      let rows = try ScratchRows(rowSize: 2, capacity: 2, folder: folder)
      try rows.append([1, 2, 3, 4])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
      #expect(try rows.rows(at: [1]) == [3, 4])
    }
  }

  /// Reading far more than may lie in memory at once does not make the process as large.
  @Test func readingAllRowsLeavesLittleInMemory() throws {
    try Locations.withTemporaryFolder { place throws in
      let folder = place.path
      let (rowSize, count) = (1 << 18, 300)
      let rows = try ScratchRows(rowSize: rowSize, capacity: count, folder: folder)
      let row = [Float](repeating: 1, count: rowSize)
      for _ in 0..<count { try rows.append(row) }
      for _ in 0..<2 {
        for index in 0..<count { #expect(try rows.rows(at: [index]) == row) }
      }
      // The file has 315 MB; 67 may be there, and some of other tests' files.
      #expect(try megabytesOfDeletedFiles() < 120)
    }
  }

  /// What lies in this process's memory of files that have no name any more.
  private func megabytesOfDeletedFiles() throws -> Int {
    let maps = try String(contentsOfFile: "/proc/self/smaps", encoding: .utf8)
    var isDeleted = false
    var kilobytes = 0
    for line in maps.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words[0].contains("-") { isDeleted = line.hasSuffix("(deleted)") }
      if isDeleted, words[0] == "Rss:" { kilobytes += Int(words[1]) ?? 0 }
    }
    return kilobytes / 1024
  }

  @Test func roomThatTheDiskLacksIsNoticedAtOnce() throws {
    try Locations.withTemporaryFolder { place throws in
      let folder = place.path
      let error = #expect(throws: ScratchError.self) {
        _ = try ScratchRows(rowSize: 1 << 20, capacity: 1 << 30, folder: folder)
      }
      guard case .noRoom(folder, let bytes, _) = error else {
        Issue.record("expected no room, found \(String(describing: error))")
        return
      }
      #expect(bytes == 1 << 52)
      #expect(error?.description.hasPrefix("no room for 4503599628 MB in '\(folder)': ") == true)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    }
  }

  @Test func aFolderThatIsNotThereIsNamed() {
    #expect(
      throws: ScratchError.failed(
        doing: "make", folder: "/nowhere/at/all", reason: "No such file or directory")
    ) {
      _ = try ScratchRows(rowSize: 1, capacity: 1, folder: "/nowhere/at/all")
    }
  }
}
