import Foundation
import HDF5
import TestSupport
import Testing

@Suite struct WritingTests {
  /// Writes a file with `write`, closes it and gives it to `read` opened again.
  private func roundTrip(
    format: HDF5File.Format = .compatible, write: (HDF5Group) throws -> Void,
    read: (HDF5Group) throws -> Void
  ) throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "new.h5").path
      let file = try HDF5File.create(path, format: format)
      try write(try file.root)
      try file.close()
      let again = try HDF5File.open(path)
      try read(try again.root)
      try again.close()
    }
  }

  static let integers: [(HDF5ElementType, [Int64])] = [
    (.int8, [-128, 0, 127]), (.int16, [-32768, 0, 32767]),
    (.int32, [Int64(Int32.min), 0, Int64(Int32.max)]), (.int64, [.min, 0, .max]),
    (.uint8, [0, 1, 255]), (.uint16, [0, 1, 65535]), (.uint32, [0, 1, Int64(UInt32.max)]),
    (.uint64, [0, 1, .max]), (.boolean, [0, 1, 1]),
  ]

  @Test(arguments: integers)
  func integerTypes(type: HDF5ElementType, values: [Int64]) throws {
    try roundTrip { root in
      try root.createDataset("x", shape: [3], type: type).write(values)
    } read: { root throws in
      let dataset = try root.dataset("x")
      #expect(dataset.elementType == type)
      #expect(!dataset.isBigEndian)
      #expect(try dataset.storage.layout == .contiguous)
      #expect(try dataset.readIntegers() == values)
    }
  }

  @Test func largeUnsigned() throws {
    try roundTrip { root in
      try root.createDataset("x", shape: [2], type: .uint64).write([0, UInt64.max])
    } read: { root throws in
      #expect(try root.dataset("x").readUnsignedIntegers() == [0, .max])
    }
  }

  @Test(arguments: [
    (HDF5ElementType.int8, Int64(128)), (.int8, -129), (.uint8, -1), (.uint8, 256),
    (.uint64, -1), (.uint64, .min), (.boolean, 2),
  ])
  func valuesThatDoNotFit(type: HDF5ElementType, value: Int64) throws {
    try roundTrip { root in
      let dataset = try root.createDataset("x", shape: [1], type: type)
      #expect(
        messageOf { try dataset.write([value]) }
          .hasSuffix("expected values that \(type) holds, found \(value)"))
    } read: { root throws in
      #expect(try root.dataset("x").readIntegers() == [0])
    }
  }

  @Test(arguments: [HDF5ElementType.float16, .float32, .float64])
  func floatTypes(type: HDF5ElementType) throws {
    let values: [Float] = [-1.5, 0, 0.25, 1024, 65504, .infinity]
    try roundTrip { root in
      try root.createDataset("x", shape: [2, 3], type: type).write(values)
      try root.createDataset("d", shape: [1], type: type).write([0.1 as Double])
      try root.createDataset("i", shape: [2], type: type).write([-3, 4] as [Int64])
      try root.createDataset("s", shape: [], type: type).write([7 as Float])
    } read: { root throws in
      #expect(try root.dataset("x").elementType == type)
      #expect(try root.dataset("x").shape == [2, 3])
      #expect(try root.dataset("x").readFloats() == values)
      #expect(abs(try root.dataset("d").readDoubles()[0] - 0.1) < (type == .float16 ? 1e-4 : 1e-8))
      #expect(try root.dataset("i").readFloats() == [-3, 4])
      #expect(try root.dataset("s").readFloats() == [7])
      #expect(try root.dataset("s").shape == [])
    }
  }

  /// Ties, tiny and too large numbers become the halves that NumPy makes of them.
  @Test func halvesAreRoundedAsNumPyDoes() throws {
    let numbers = try fixture("numbers.h5").root
    let source = try numbers.dataset("half_source").readFloats()
    let expected = try numbers.dataset("half").readFloats()
    try roundTrip { root in
      try root.createDataset("x", shape: [source.count], type: .float16).write(source)
    } read: { root throws in
      let found = try root.dataset("x").readFloats()
      let wrong = found.indices.filter {
        found[$0] != expected[$0] && !(found[$0].isNaN && expected[$0].isNaN)
      }
      #expect(found.count == expected.count)
      #expect(wrong.map { "\(source[$0]): \(found[$0]), not \(expected[$0])" } == [])
    }
  }

  @Test func growingInPieces() throws {
    try roundTrip { root in
      let rows = try root.createDataset(
        "a/b/rows", shape: [0, 3], type: .float32, chunk: [4, 3], deflate: 6, shuffle: true,
        maximumShape: [nil, 3])
      let labels = try root.createDataset(
        "labels", shape: [0], type: .int32, chunk: [4], maximumShape: [10])
      let paths = try root.createDataset(
        "paths", shape: [0], type: .variableString(), chunk: [4], maximumShape: [nil])
      for piece in 0..<5 {
        let start = piece * 2
        for dataset in [rows, labels, paths] {
          try dataset.resize(to: [start + 2] + dataset.shape.dropFirst())
        }
        try rows.writeRows((start * 3..<start * 3 + 6).map { Float($0) }, at: start)
        try labels.writeRows([Int64(start), Int64(start + 1)], at: start)
        try paths.writeStrings(["\(start)", "ü"], at: start)
      }
      #expect(rows.shape == [10, 3])
      #expect(messageOf { try labels.resize(to: [11]) }.hasSuffix("at most [10], found [11]"))
      #expect(
        messageOf { try rows.writeRows([1, 2] as [Float], at: 0) }.hasSuffix("3 elements, found 2"))
      #expect(
        messageOf { try rows.writeRows([1, 2, 3] as [Float], at: 10) }.contains("rows 10..<11 of"))
      #expect(
        messageOf { try rows.writeRows([1, 2, 3] as [Float], at: -1) }.contains("rows in 0..<10"))
    } read: { root throws in
      let rows = try root.dataset("a/b/rows")
      #expect(try rows.storage.description == "chunked [4, 3], shuffle, gzip")
      #expect(try rows.maximumShape == [nil, 3])
      #expect(try rows.readFloats() == (0..<30).map { Float($0) })
      #expect(try root.dataset("labels").readIntegers() == Array(0..<10))
      #expect(
        try root.dataset("paths").readStrings()
          == ["0", "ü", "2", "ü", "4", "ü", "6", "ü", "8", "ü"])
    }
  }

  @Test func shrinkingLosesRows() throws {
    try roundTrip { root in
      let dataset = try root.createDataset(
        "x", shape: [4], type: .float32, chunk: [2], maximumShape: [4])
      try dataset.write([1, 2, 3, 4] as [Float])
      try dataset.resize(to: [1])
      try dataset.resize(to: [3])
    } read: { root throws in
      #expect(try root.dataset("x").readFloats() == [1, 0, 0])
    }
  }

  static let stringTypes: [HDF5ElementType] = [
    .variableString(), .fixedString(length: 8),
    .fixedString(length: 8, padding: .nullTerminated),
    .fixedString(length: 8, padding: .spacePadded),
  ]

  @Test(arguments: stringTypes)
  func stringDatasets(type: HDF5ElementType) throws {
    let words = ["", "grüße", "a b", "abcdefg"]
    try roundTrip { root in
      let dataset = try root.createDataset("x", shape: [2, 2], type: type)
      try dataset.writeStrings(words)
      try root.createDataset("none", shape: [0], type: type).writeStrings([])
      if case .fixedString = type {
        #expect(
          messageOf { try dataset.writeStrings(["", "", "", "more than fits"]) }
            .hasSuffix("expected values that string of 8 bytes holds, found 'more than fits'"))
      }
      #expect(messageOf { try dataset.writeStrings(["", "a\0b", "", ""]) }.contains("a NUL"))
    } read: { root throws in
      #expect(try root.dataset("x").elementType == type)
      #expect(try root.dataset("x").readStrings() == words)
      #expect(try root.dataset("none").readStrings() == [])
    }
  }

  static let attributeValues: [(String, HDF5Value)] = [
    ("variable", .string("grüße")),
    ("fixed", .string("2.15")),
    ("empty text", .string("")),
    ("empty fixed", .string("")),
    ("fixed list", .strings(["a", "", "grüße"], shape: [3])),
    ("variable list", .strings(["a", "", "grüße"], shape: [3])),
    ("empty list", .floats([], shape: [0])),
    ("integer", .integers([-7], shape: [])),
    ("integers", .integers([1, 2], shape: [2])),
    ("double", .floats([0.1], shape: [])),
    ("doubles", .floats([0.1, 0.2], shape: [2])),
    ("floats", .floats([Double(Float(0.1))], shape: [1])),
    ("boolean", .booleans([true], shape: [])),
    ("naïve", .integers([1], shape: [])),
  ]

  private func setAll(_ attributes: HDF5Attributes) throws {
    try attributes.set("variable", string: "grüße")
    try attributes.set("fixed", string: "2.15", storage: .fixed)
    try attributes.set("empty text", string: "")
    try attributes.set("empty fixed", string: "", storage: .fixed)
    try attributes.set("fixed list", strings: ["a", "", "grüße"])
    try attributes.set("variable list", strings: ["a", "", "grüße"], storage: .variable)
    try attributes.set("empty list", strings: [])
    try attributes.set("integer", integer: -7)
    try attributes.set("integers", integers: [1, 2])
    try attributes.set("double", double: 0.1)
    try attributes.set("doubles", doubles: [0.1, 0.2])
    try attributes.set("floats", floats: [0.1])
    try attributes.set("boolean", boolean: true)
    try attributes.set("naïve", integer: 1)
  }

  @Test(arguments: [HDF5File.Format.compatible, .latest])
  func attributes(format: HDF5File.Format) throws {
    try roundTrip(format: format) { root in
      let group = try root.createGroup("a/b")
      try setAll(root.attributes)
      try setAll(group.attributes)
      try setAll(try group.createDataset("x", shape: [], type: .float32).attributes)
      #expect(messageOf { try root.attributes.set("", integer: 1) }.contains("it is empty"))
    } read: { root throws in
      let group = try root.group("a/b")
      for attributes in [root.attributes, group.attributes, try group.dataset("x").attributes] {
        #expect(try Set(attributes.names()) == Set(Self.attributeValues.map(\.0)))
        for (name, expected) in Self.attributeValues {
          #expect(try attributes.value(name) == expected)
        }
      }
    }
  }

  @Test func replacingAttributes() throws {
    try roundTrip { root in
      try root.attributes.set("x", string: "first")
      try root.attributes.set("x", integers: [1, 2])
      try root.attributes.set("gone", double: 1)
      try root.attributes.remove("gone")
      #expect(messageOf { try root.attributes.remove("gone") }.hasPrefix("cannot find attribute"))
      #expect(
        messageOf { try root.attributes.set("x", strings: names(9000)) }
          .hasSuffix("expected at most 64 KB, found 90000 bytes"))
    } read: { root throws in
      #expect(try root.attributes.names() == ["x"])
      #expect(try root.attributes.value("x") == .integers([1, 2], shape: [2]))
    }
  }

  @Test func largeAttributesInTheLatestFormat() throws {
    try roundTrip(format: .latest) { root in
      try root.attributes.set("names", strings: names(9000))
      try root.attributes.set("texts", strings: names(9000), storage: .variable)
    } read: { root throws in
      #expect(try root.attributes.strings("names") == names(9000))
      #expect(try root.attributes.strings("texts") == names(9000))
    }
  }

  @Test func theSameContentGivesTheSameBytes() throws {
    try Locations.withTemporaryFolder { folder in
      let paths = ["one.h5", "two.h5"].map { folder.appending(path: $0).path }
      for path in paths {
        let file = try HDF5File.create(path)
        let group = try file.root.createGroup("a/b")
        try group.attributes.set("names", strings: ["a", "bc"], storage: .variable)
        try group.createDataset("x", shape: [3], type: .float32).write([1, 2, 3] as [Float])
        try group.createDataset("s", shape: [1], type: .variableString()).writeStrings(["text"])
        try file.close()
        // Times are in seconds: without a pause they could be equal by chance.
        if path == paths[0] { Thread.sleep(forTimeInterval: 1.1) }
      }
      let contents = try paths.map { try Data(contentsOf: URL(filePath: $0)) }
      #expect(contents[0] == contents[1])
    }
  }

  @Test func datasetsThatCannotBe() throws {
    try roundTrip { root in
      try root.createDataset("x", shape: [2], type: .float32).write([1, 2] as [Float])
      let problems: [(String, () throws -> HDF5Dataset)] = [
        ("it exists already", { try root.createDataset("x", shape: [2], type: .float32) }),
        (
          "expected a group, found a dataset",
          { try root.createDataset("x/y", shape: [], type: .int8) }
        ),
        (
          "a positive chunk for each axis of [2], found [0]",
          { try root.createDataset("y", shape: [2], type: .int8, chunk: [0]) }
        ),
        (
          "which compressing and growing need, found none",
          { try root.createDataset("y", shape: [2], type: .int8, deflate: 1) }
        ),
        (
          "a gzip level in 0...9, found 10",
          { try root.createDataset("y", shape: [2], type: .int8, chunk: [1], deflate: 10) }
        ),
        (
          "at most 32 axes, none negative, found [-1]",
          { try root.createDataset("y", shape: [-1], type: .int8) }
        ),
        (
          "a maximum shape of at least [2], found [Optional(1)]",
          { try root.createDataset("y", shape: [2], type: .int8, chunk: [1], maximumShape: [1]) }
        ),
        (
          "a type that can be created, found compound",
          { try root.createDataset("y", shape: [2], type: .unsupported("compound")) }
        ),
        ("it is empty or holds a NUL", { try root.createDataset("", shape: [], type: .int8) }),
      ]
      for (message, create) in problems {
        #expect(messageOf(create).hasSuffix(message), "\(messageOf(create))")
      }
      #expect(
        messageOf { try root.dataset("x").write([1] as [Float]) }.hasSuffix("2 elements, found 1"))
      #expect(messageOf { try root.createGroup("x") }.hasSuffix("it exists already"))
    } read: { root throws in
      #expect(try root.children().map(\.name) == ["x"])
      #expect(try root.dataset("x").readFloats() == [1, 2])
      #expect(
        messageOf { try root.dataset("x").write([1, 2] as [Float]) }.hasSuffix("for reading only"))
      #expect(messageOf { try root.createGroup("y") }.hasSuffix("open for reading only"))
      #expect(messageOf { try root.attributes.set("y", integer: 1) }.hasSuffix("for reading only"))
      #expect(messageOf { try root.remove("x") }.hasSuffix("open for reading only"))
    }
  }

  @Test func changingAnExistingFile() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "copy.h5").path
      try FileManager.default.copyItem(atPath: try fixturePath("stored.h5"), toPath: path)
      let file = try HDF5File.openForWriting(path)
      try file.root.dataset("growing").resize(to: [21, 6])
      try file.root.dataset("growing").writeRows([1, 2, 3, 4, 5, 6] as [Float], at: 20)
      try file.root.remove("lzf")
      try file.flush()
      try file.close()
      let again = try HDF5File.open(path)
      #expect(
        try again.root.dataset("growing").readFloats()
          == (0..<120).map { Float($0) } + [1, 2, 3, 4, 5, 6])
      #expect(try !again.root.contains("lzf"))
    }
  }

  private func names(_ count: Int) -> [String] {
    (0..<count).map { "layer_" + String(String($0 + 10_000).suffix(4)) }
  }
}
