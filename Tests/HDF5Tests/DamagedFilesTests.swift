import Foundation
import HDF5
import TestSupport
import Testing

@Suite struct DamagedFilesTests {
  /// Reads everything that can be read, and gives back what could not.
  private func readAll(_ path: String) -> [HDF5Error] {
    var errors: [HDF5Error] = []
    func attempt(_ body: () throws -> Void) {
      if let error = errorOf(body) { errors.append(error) }
    }
    attempt {
      let file = try HDF5File.open(path)
      let root = try file.root
      for entry in try root.walk() {
        switch entry.kind {
        case .group: attempt { try readAttributes(root.group(entry.path).attributes) }
        case .dataset:
          attempt { try readAttributes(root.dataset(entry.path).attributes) }
          attempt {
            let dataset = try root.dataset(entry.path)
            _ =
              dataset.elementType.isString
              ? try dataset.readStrings().count : try dataset.readFloats().count
          }
        case .refused(let error): errors.append(error)
        default: break
        }
      }
      attempt { try readAttributes(root.attributes) }
    }
    return errors
  }

  private func readAttributes(_ attributes: HDF5Attributes) throws {
    for name in try attributes.names() { _ = try attributes.value(name) }
  }

  @Test(arguments: fixtureNames)
  func truncated(name: String) throws {
    let whole = try Data(contentsOf: URL(filePath: fixturePath(name)))
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "cut.h5").path
      let lengths = [
        1, 7, 8, 20, 48, 95, 96, 100, 500, 1000, 2048, whole.count / 2, whole.count - 1,
      ]
      for length in lengths where length < whole.count {
        try whole.prefix(length).write(to: URL(filePath: path))
        let errors = readAll(path)
        #expect(errors.count == 1, "cut to \(length) bytes")
        let message = errors.first?.description ?? ""
        #expect(message.hasPrefix("cannot open '\(path)': "), "\(length): \(message)")
        #expect(!message.contains("\n"))
        if length >= 96 {
          #expect(
            errors.first
              == .truncated(HDF5Place(file: path), expected: whole.count, found: length))
        }
      }
    }
  }

  /// Changed elements are found where the storage can tell, and the rest still reads.
  @Test func changedBytes() throws {
    var data = try Data(contentsOf: URL(filePath: fixturePath("stored.h5")))
    let row = (0..<30).map { Float($0) }.withUnsafeBytes { Data($0) }
    let checked = data.ranges(of: row).map(\.lowerBound)
    let zlib = data.ranges(of: Data([0x78, 0xDA])).map(\.lowerBound)
    // The same numbers are in `contiguous`, `checked`, `growing` and `compact`.
    #expect(checked.count == 4)
    #expect(!zlib.isEmpty)
    for at in checked { data[at + 5] ^= 1 }
    for at in zlib { data[at + 2] = 0xFF }
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "changed.h5").path
      try data.write(to: URL(filePath: path))
      let root = try HDF5File.open(path).root
      #expect(
        messageOf { try root.dataset("checked").readFloats() }
          == "cannot read '/checked' in '\(path)': data error detected by Fletcher32 checksum")
      #expect(
        messageOf { try root.dataset("shuffled").readFloats() }
          == "cannot read '/shuffled' in '\(path)': inflate() failed")
      #expect(try root.dataset("chunked").readFloats() == (0..<120).map { Float($0) })
    }
  }

  @Test func whatIsNoHDF5File() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "x.h5").path
      #expect(messageOf { try HDF5File.open(path) } == "cannot open '\(path)': no such file")
      #expect(messageOf { try HDF5File.openForWriting(path) }.hasSuffix("no such file"))
      try Data().write(to: URL(filePath: path))
      #expect(messageOf { try HDF5File.open(path) } == "cannot open '\(path)': the file is empty")
      try Data("PK\u{3}\u{4} and so on, for long enough to be more than any header".utf8)
        .write(to: URL(filePath: path))
      #expect(messageOf { try HDF5File.open(path) } == "cannot open '\(path)': not an HDF5 file")
      #expect(
        messageOf { try HDF5File.open(folder.path) }
          == "cannot open '\(folder.path)': expected a file, found a directory")
      #expect(
        messageOf { try HDF5File.open("/dev/null") }
          == "cannot open '/dev/null': expected a file, found a device, pipe or socket")
      #expect(messageOf { try HDF5File.open(path + "/y") }.hasSuffix("errno = 20, Not a directory"))
      #expect(
        messageOf { try HDF5File.create(folder.path + "/none/x.h5") }
          == "cannot create '\(folder.path)/none/x.h5': errno = 2, No such file or directory")
      #expect(
        messageOf { try HDF5File.create(folder.path) }.hasSuffix("errno = 21, Is a directory"))
    }
  }

  /// libhdf5 prints errors unless each thread forbids it; new threads have not.
  @Test func nothingIsPrinted() throws {
    try Locations.withTemporaryFolder { folder in
      let broken = folder.appending(path: "broken.h5").path
      try Data(contentsOf: URL(filePath: fixturePath("numbers.h5"))).prefix(3000)
        .write(to: URL(filePath: broken))
      let log = folder.appending(path: "stderr").path
      let stored = try fixturePath("stored.h5")
      let saved = dup(2)
      let file = open(log, O_CREAT | O_RDWR, 0o600)
      dup2(file, 2)
      for _ in 0..<4 {
        let done = DispatchSemaphore(value: 0)
        Thread {
          _ = try? HDF5File.open(broken)
          _ = try? HDF5File.open(stored).root.dataset("lzf").readFloats()
          _ = try? HDF5File.open(stored).root.dataset("nothing")
          done.signal()
        }.start()
        done.wait()
      }
      dup2(saved, 2)
      close(file)
      close(saved)
      let text = try String(contentsOfFile: log, encoding: .utf8)
      FileHandle.standardError.write(Data(text.utf8))
      #expect(!text.contains("HDF5-DIAG"))
    }
  }
}
