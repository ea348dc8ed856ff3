import HDF5
import Testing

@Suite struct StringTests {
  static let words = ["", "a", "grüße", "a longer one"]

  @Test func datasets() throws {
    let root = try fixture("strings.h5").root
    let variable = try root.dataset("variable")
    #expect(variable.elementType == .variableString(encoding: .utf8))
    #expect(try variable.readStrings() == Self.words)
    #expect(try variable.readStrings(rows: 2..<4) == ["grüße", "a longer one"])
    #expect(try root.dataset("variable_2d").readStrings() == ["a", "b", "c", ""])
    let fixed = try root.dataset("fixed")
    #expect(
      fixed.elementType == .fixedString(length: 14, padding: .nullPadded, encoding: .ascii))
    #expect(try fixed.readStrings() == Self.words)
    #expect(try root.dataset("scalar").readStrings() == ["one"])
    #expect(
      messageOf { try fixed.readFloats() }.hasSuffix("expected numbers, found string of 14 bytes"))
  }

  static let values: [(String, HDF5Value)] = [
    ("variable", .string("grüße")),
    ("variable_ascii", .string("plain")),
    ("variable_list", .strings(words, shape: [4])),
    ("fixed", .string("2.15.0")),
    ("fixed_list", .strings(["dense", "dense_1", ""], shape: [3])),
    ("fixed_utf8", .string("grüße")),
    ("empty_list", .floats([], shape: [0])),
    ("empty_text", .string("")),
    ("empty_fixed_list", .strings([], shape: [0])),
    ("null", .empty),
    ("number", .integers([7], shape: [])),
    ("numbers", .floats([1.5, -2], shape: [2])),
    ("matrix", .integers([0, 1, 2, 3, 4, 5], shape: [2, 3])),
    ("largest", .unsignedIntegers([.max], shape: [])),
    ("boolean", .booleans([true], shape: [])),
    ("pair", .unsupported(.unsupported("compound"), shape: [])),
    ("naïve", .integers([1], shape: [])),
    ("space_padded", .strings(["ab", "c d", ""], shape: [3])),
    ("null_terminated", .strings(["ab", "cd"], shape: [2])),
    ("null_padded", .strings(["abcde", "a\0b"], shape: [2])),
    ("not_utf8", .string("a\u{FFFD}")),
  ]

  @Test(arguments: values)
  func attributes(name: String, expected: HDF5Value) throws {
    #expect(try fixture("strings.h5").root.attributes.value(name) == expected)
  }

  @Test func everyAttributeIsListed() throws {
    let names = try fixture("strings.h5").root.attributes.names()
    #expect(Set(names) == Set(Self.values.map(\.0)))
    #expect(names.count == Self.values.count)
  }

  @Test func conveniences() throws {
    let attributes = try fixture("strings.h5").root.attributes
    #expect(try attributes.string("fixed") == "2.15.0")
    #expect(try attributes.string("variable") == "grüße")
    #expect(try attributes.string("nothing") == nil)
    #expect(try attributes.strings("fixed_list") == ["dense", "dense_1", ""])
    #expect(try attributes.strings("variable_list") == Self.words)
    #expect(try attributes.strings("empty_list") == [])
    #expect(try attributes.strings("empty_fixed_list") == [])
    #expect(try attributes.strings("null") == [])
    #expect(try attributes.strings("nothing") == nil)
    #expect(try attributes.integer("number") == 7)
    #expect(try attributes.integer("boolean") == 1)
    #expect(try attributes.double("number") == 7)
    #expect(try attributes.doubles("numbers") == [1.5, -2])
    #expect(try attributes.integers("matrix") == [0, 1, 2, 3, 4, 5])
    #expect(
      messageOf { try attributes.string("numbers") }
        .hasPrefix("cannot use attribute 'numbers' of '/' in '"))
    #expect(
      messageOf { try attributes.strings("numbers") }
        .hasSuffix("expected strings, found floats of shape [2]"))
  }
}
