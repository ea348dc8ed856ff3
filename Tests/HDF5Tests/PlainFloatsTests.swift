import Foundation
import HDF5
import TestSupport
import Testing

/// Float32 that lie in one piece are read around libhdf5: the numbers are the same.
struct PlainFloatsTests {
  private func values(_ count: Int) -> [Float] { (0..<count).map { Float($0) * 0.5 - 3 } }

  @Test func everyLayoutGivesTheSameNumbers() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.path + "/a.h5"
      let file = try HDF5File.create(path)
      let numbers = values(70_000)
      let plain = try file.root.createDataset("plain", shape: [700, 100], type: .float32)
      let pieces = try file.root.createDataset(
        "pieces", shape: [700, 100], type: .float32, chunk: [64, 64], deflate: 1)
      let wide = try file.root.createDataset("wide", shape: [700, 100], type: .float64)
      try file.root.createDataset("unwritten", shape: [30], type: .float32)
      let rows = try file.root.createDataset(
        "rows", shape: [700, 100], type: .float32, chunk: [64, 100])
      let corners = try file.root.createDataset(
        "corners", shape: [700, 100], type: .float32, chunk: [64, 30])
      for dataset in [plain, pieces, wide, rows, corners] { try dataset.write(numbers) }
      let gaps = try file.root.createDataset(
        "gaps", shape: [0, 100], type: .float32, chunk: [2, 100], maximumShape: [nil, 100])
      try gaps.resize(to: [7, 100])
      try gaps.writeRows(Array(numbers.prefix(200)), at: 4)
      // What was written may still be with libhdf5.
      #expect(try plain.readFloats() == numbers)
      try file.close()

      let stored = try HDF5File.open(path)
      for name in ["plain", "pieces", "wide", "rows", "corners"] {
        let dataset = try stored.root.dataset(name)
        #expect(try dataset.readFloats() == numbers)
        for rows in [5..<7, 60..<68, 63..<64, 64..<192, 640..<700, 700..<700] {
          let expected = Array(numbers[rows.lowerBound * 100..<rows.upperBound * 100])
          #expect(try dataset.readRows(rows) == expected, "\(rows) of \(name)")
        }
      }
      let zeros = [Float](repeating: 0, count: 400)
      #expect(
        try stored.root.dataset("gaps").readFloats() == zeros + numbers[..<200] + zeros[..<100])
      #expect(
        try stored.root.dataset("unwritten").readFloats() == [Float](repeating: 0, count: 30))
      try stored.close()
      #expect(throws: HDF5Error.self) { try stored.root.dataset("plain").readFloats() }
    }
  }

  @Test func severalThreadsReadAtOnce() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.path + "/a.h5"
      let file = try HDF5File.create(path)
      for index in 0..<8 {
        let numbers = values(300_000 + index)
        try file.root.createDataset("\(index)", shape: [numbers.count], type: .float32)
          .write(numbers)
      }
      try file.close()
      let stored = try HDF5File.open(path)
      let datasets = try (0..<8).map { try stored.root.dataset("\($0)") }
      let expected = values(300_007)
      DispatchQueue.concurrentPerform(iterations: 32) { turn in
        let index = turn % 8
        #expect((try? datasets[index].readFloats()) == Array(expected.prefix(300_000 + index)))
      }
      try stored.close()
    }
  }

  @Test func whatLiesInOnePieceIsMapped() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.path + "/a.h5"
      let file = try HDF5File.create(path)
      let numbers = values(7000)
      let plain = try file.root.createDataset("plain", shape: [70, 100], type: .float32)
      let one = try file.root.createDataset(
        "one", shape: [70, 100], type: .float32, chunk: [70, 100])
      let pieces = try file.root.createDataset(
        "pieces", shape: [70, 100], type: .float32, chunk: [64, 100])
      let packed = try file.root.createDataset(
        "packed", shape: [70, 100], type: .float32, chunk: [70, 100], deflate: 1)
      let wide = try file.root.createDataset("wide", shape: [70, 100], type: .float64)
      let half = try file.root.createDataset("half", shape: [70, 100], type: .float16)
      try file.root.createDataset("unwritten", shape: [30], type: .float32)
      try file.root.createDataset("empty", shape: [0], type: .float32)
      for dataset in [plain, one, pieces, packed, wide, half] { try dataset.write(numbers) }
      #expect(try plain.mapFloats() == nil, "libhdf5 may not have written it yet")
      try file.close()

      let stored = try HDF5File.open(path)
      let mappings = try ["plain", "one"].map {
        try #require(try stored.root.dataset($0).mapFloats())
      }
      for name in ["pieces", "packed", "wide", "half", "unwritten", "empty"] {
        #expect(try stored.root.dataset(name).mapFloats() == nil, "\(name)")
      }
      let closed = try stored.root.dataset("plain")
      try stored.close()
      #expect(throws: HDF5Error.self) { try closed.mapFloats() }
      try FileManager.default.removeItem(atPath: path)
      for mapping in mappings {
        #expect(Array(mapping.floats) == numbers)
        mapping.letGo()
        #expect(Array(mapping.floats) == numbers, "they come back from the file")
      }
    }
  }

  @Test func aShortenedFileIsNotMapped() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.path + "/a.h5"
      let file = try HDF5File.create(path)
      try file.root.createDataset("x", shape: [70_000], type: .float32).write(values(70_000))
      try file.close()
      let stored = try HDF5File.open(path)
      let dataset = try stored.root.dataset("x")
      #expect(truncate(path, 200_000) == 0)
      #expect(try dataset.mapFloats() == nil)
      #expect(throws: HDF5Error.self) { try dataset.readFloats() }
    }
  }

  /// Everything that a descriptor is lent for gives it back.
  @Test func noDescriptorIsLeftOpen() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.path + "/a.h5"
      let file = try HDF5File.create(path)
      try file.root.createDataset("x", shape: [3], type: .float32).write([1, 2, 3] as [Float])
      try file.close()
      let stored = try HDF5File.open(path)
      let dataset = try stored.root.dataset("x")
      // More than a process may have open by default.
      for _ in 0..<5000 {
        #expect(try dataset.readFloats() == [1, 2, 3])
        #expect(try dataset.mapFloats() != nil)
      }
      try stored.close()
    }
  }
}
