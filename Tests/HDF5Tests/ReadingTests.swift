import HDF5
import Testing

@Suite struct ReadingTests {
  static let integers: [(String, HDF5ElementType, [Int64])] = [
    ("i1", .int8, [-128, 0, 1, 2, 100, 127]),
    ("i2", .int16, [-32768, 0, 1, 2, 100, 32767]),
    ("i4", .int32, [-2_147_483_648, 0, 1, 2, 100, 2_147_483_647]),
    ("i8", .int64, [.min, 0, 1, 2, 100, .max]),
    ("u1", .uint8, [0, 0, 1, 2, 100, 255]),
    ("u2", .uint16, [0, 0, 1, 2, 100, 65535]),
    ("u4", .uint32, [0, 0, 1, 2, 100, 4_294_967_295]),
  ]

  @Test(arguments: integers, ["", "_big"])
  func integerTypes(row: (name: String, type: HDF5ElementType, values: [Int64]), order: String)
    throws
  {
    let dataset = try fixture("numbers.h5").root.dataset(row.name + order)
    #expect(dataset.elementType == row.type)
    #expect(dataset.shape == [2, 3])
    #expect(dataset.isBigEndian == (order == "_big" && !row.name.hasSuffix("1")))
    #expect(try dataset.readIntegers() == row.values)
    #expect(try dataset.readFloats() == row.values.map { Float($0) })
    #expect(try dataset.readDoubles() == row.values.map { Double($0) })
  }

  @Test(arguments: ["u8", "u8_big"])
  func largeUnsigned(name: String) throws {
    let dataset = try fixture("numbers.h5").root.dataset(name)
    #expect(dataset.elementType == .uint64)
    #expect(try dataset.readUnsignedIntegers() == [0, 0, 1, 2, 100, .max])
    #expect(try dataset.readIntegers(rows: 0..<1) == [0, 0, 1])
    #expect(
      messageOf { try dataset.readIntegers() }.contains(
        "expected values that int64 holds, found 18446744073709551615"))
  }

  @Test(arguments: ["", "_big"])
  func floatTypes(order: String) throws {
    let root = try fixture("numbers.h5").root
    let exact: [Double] = [-1.5, 0, 0.1, 1 / 3, 1024, 65504]
    let half = try root.dataset("f2" + order)
    #expect(half.elementType == .float16)
    #expect(try half.readDoubles() == exact.map { Double(Float16($0)) })
    let single = try root.dataset("f4" + order)
    #expect(single.elementType == .float32)
    #expect(try single.readFloats() == exact.map { Float($0) })
    let double = try root.dataset("f8" + order)
    #expect(double.elementType == .float64)
    #expect(try double.readDoubles() == exact)
    #expect(try double.readFloats() == exact.map { Float($0) })
  }

  @Test func otherTypes() throws {
    let root = try fixture("numbers.h5").root
    let booleans = try root.dataset("booleans")
    #expect(booleans.elementType == .boolean)
    #expect(try booleans.readIntegers() == [1, 0, 1])
    #expect(try booleans.readFloats() == [1, 0, 1])
    let names = try root.dataset("enumeration")
    #expect(names.elementType == .enumeration(bits: 16, signed: true))
    #expect(try names.readIntegers() == [300, 1, 300])
    let compound = try root.dataset("compound")
    #expect(compound.elementType == .unsupported("compound"))
    #expect(
      messageOf { try compound.readFloats() }.hasSuffix("expected numbers, found compound"))
  }

  @Test func scalarAndEmpty() throws {
    let root = try fixture("numbers.h5").root
    let scalar = try root.dataset("scalar")
    #expect(scalar.shape == [])
    #expect(try scalar.readFloats() == [2.5])
    let null = try root.dataset("null")
    #expect(null.isNull)
    #expect(null.shape == [0])
    #expect(try null.readFloats() == [])
    let none = try root.dataset("no_rows")
    #expect(!none.isNull)
    #expect(none.shape == [0, 3])
    #expect(try none.readFloats() == [])
    #expect(try none.readRows(0..<0) == [])
  }

  static let layouts: [(String, String)] = [
    ("contiguous", "contiguous"),
    ("chunked", "chunked [7, 4]"),
    ("gzip", "chunked [7, 4], gzip"),
    ("shuffled", "chunked [7, 4], shuffle, gzip"),
    ("checked", "chunked [5, 6], fletcher32"),
    ("growing", "chunked [5, 6]"),
    ("compact", "compact"),
  ]

  @Test(arguments: layouts)
  func everyStorage(name: String, storage: String) throws {
    let dataset = try fixture("stored.h5").root.dataset(name)
    let expected = (0..<120).map { Float($0) }
    #expect(try dataset.storage.description == storage)
    #expect(try dataset.readFloats() == expected)
    #expect(try dataset.readRows(3..<9) == Array(expected[18..<54]))
    #expect(try dataset.readRows(0..<0) == [])
    var memory = [Float](repeating: -1, count: 120)
    try memory.withUnsafeMutableBufferPointer { try dataset.readFloats(into: $0) }
    #expect(memory == expected)
    try memory.withUnsafeMutableBufferPointer { memory in
      try dataset.readRows(19..<20, into: UnsafeMutableBufferPointer(rebasing: memory[0..<6]))
    }
    #expect(memory == Array(expected[114...]) + expected[6...])
  }

  @Test func storageDetails() throws {
    let root = try fixture("stored.h5").root
    #expect(try root.dataset("contiguous").storage.bytesStored == 480)
    #expect(try root.dataset("growing").maximumShape == [nil, 6])
    #expect(try root.dataset("chunked").maximumShape == [20, 6])
    let missing = try root.dataset("missing_chunks").readRows(4..<6)
    #expect(missing == [Float](repeating: -1, count: 6) + [Float](repeating: 3, count: 6))
    let unknown = try root.dataset("lzf")
    #expect(try unknown.storage.filters == ["lzf"])
    #expect(messageOf { try unknown.readFloats() }.contains("filter 'lzf' is not registered"))
  }

  @Test(arguments: [-1..<2, 19..<21, 21..<21, 30..<40])
  func rowsOutside(rows: Range<Int>) throws {
    let file = try fixture("stored.h5")
    let dataset = try file.root.dataset("gzip")
    #expect(
      messageOf { try dataset.readRows(rows) }
        == "cannot use rows \(rows.lowerBound)..<\(rows.upperBound) of '/gzip' in "
        + "'\(file.path)': expected rows in 0..<20")
  }

  @Test func memoryOfAnotherSize() throws {
    let dataset = try fixture("stored.h5").root.dataset("gzip")
    var memory = [Float](repeating: -1, count: 119)
    memory.withUnsafeMutableBufferPointer { memory in
      #expect(
        messageOf { try dataset.readFloats(into: memory) }
          .hasSuffix("expected 120 elements, found 119"))
    }
  }
}
