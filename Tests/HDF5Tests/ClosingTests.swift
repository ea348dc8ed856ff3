import Foundation
import HDF5
import TestSupport
import Testing

@Suite struct ClosingTests {
  @Test func closedFilesAreOutOfUse() throws {
    let path = try fixturePath("oldest.h5")
    let file = try HDF5File.open(path)
    let root = try file.root
    let group = try root.group("a")
    let dataset = try group.dataset("inner/values")
    try file.close()
    try file.close()
    #expect(!file.isOpen)
    #expect(messageOf { try file.root } == "cannot use '\(path)': the file is closed")
    #expect(
      messageOf { try dataset.readFloats() }
        == "cannot use '/a/inner/values' in '\(path)': the file is closed")
    #expect(dataset.shape == [3])
    let uses: [() throws -> Void] = [
      { _ = try root.children() }, { _ = try root.walk() },
      { _ = try group.dataset("inner/values") },
      { _ = try group.contains("inner") }, { _ = try group.attributes.names() },
      { _ = try dataset.attributes.value("x") }, { _ = try dataset.storage },
      { try dataset.write([1, 2, 3] as [Float]) }, { try group.createGroup("x") },
      { try file.flush() },
    ]
    for use in uses { #expect(messageOf(use).hasSuffix("the file is closed"), "\(messageOf(use))") }
  }

  /// Other threads' files may be open at the same time: this process's own list tells.
  private func isOpenedByThisProcess(_ path: String) throws -> Bool {
    let links = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
    return links.contains {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0)) == path
    }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self/fd"), "needs /proc"))
  func closingLetsGoOfTheFile() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.resolvingSymlinksInPath().appending(path: "x.h5").path
      let file = try HDF5File.create(path)
      let dataset = try file.root.createDataset("x", shape: [1], type: .float32)
      try dataset.write([1 as Float])
      #expect(try isOpenedByThisProcess(path))
      try file.close()
      #expect(try !isOpenedByThisProcess(path))
      try FileManager.default.moveItem(atPath: path, toPath: path + "2")
      #expect(try HDF5File.open(path + "2").root.dataset("x").readFloats() == [1])
      #expect(try !isOpenedByThisProcess(path + "2"))
      #expect(dataset.name == "/x")
    }
  }

  @Test func objectsKeepAnUnclosedFileOpen() throws {
    let dataset = try fixture("stored.h5").root.dataset("gzip")
    #expect(try dataset.readRows(1..<2) == [6, 7, 8, 9, 10, 11])
  }

  @Test func twoReadersOfOneFile() throws {
    let first = try fixture("stored.h5")
    let second = try fixture("stored.h5")
    let dataset = try second.root.dataset("gzip")
    try first.close()
    #expect(try dataset.readRows(0..<1) == [0, 1, 2, 3, 4, 5])
  }

  @Test func manyThreadsRead() throws {
    let file = try fixture("stored.h5")
    let results = Results()
    DispatchQueue.concurrentPerform(iterations: 64) { row in
      let values = try? file.root.dataset("shuffled").readRows(row % 20..<row % 20 + 1)
      results.add(values == (0..<6).map { Float(row % 20 * 6 + $0) })
    }
    #expect(results.all == [Bool](repeating: true, count: 64))
  }

  @Test func libraryVersion() {
    #expect(HDF5File.libraryVersion.split(separator: ".").count == 3)
    #expect(HDF5File.libraryVersion.hasPrefix("1."))
  }
}

private final class Results: @unchecked Sendable {
  private let lock = NSLock()
  private(set) var all: [Bool] = []

  func add(_ result: Bool) {
    lock.withLock { all.append(result) }
  }
}
