import HDF5
import Testing

@Suite struct TreeTests {
  @Test(arguments: ["oldest.h5", "latest.h5"])
  func nestedGroups(name: String) throws {
    let root = try fixture(name).root
    #expect(try root.children().map(\.name) == ["a", "b", "c", "empty", "grüße"])
    #expect(try root.children().map(\.kind) == [.group, .group, .group, .group, .dataset])
    let inner = try root.group("b").group("inner")
    #expect(inner.name == "/b/inner")
    #expect(try inner.attributes.strings("weight_names") == ["b/kernel:0", "bias:0"])
    #expect(try inner.dataset("values").readFloats() == [0, 1, 2])
    #expect(try inner.dataset("/a//inner/./values").name == "/a/inner/values")
    #expect(try root.attributes.names().filter { $0.hasPrefix("attribute") }.count == 12)
    #expect(try root.attributes.integer("attribute11") == 11)
    #expect(try root.contains("c/inner/values"))
    #expect(try !root.contains("c/inner/nothing"))
    #expect(try !root.contains("c/inner/values/further"))
  }

  @Test func walkGoesDepthFirst() throws {
    let entries = try fixture("oldest.h5").root.walk()
    #expect(
      entries.map(\.path) == [
        "/a", "/a/inner", "/a/inner/values", "/b", "/b/inner", "/b/inner/values", "/c",
        "/c/inner", "/c/inner/values", "/empty", "/grüße",
      ])
    #expect(entries[2].shape == [3])
    #expect(entries[2].elementType == .float32)
    #expect(entries[2].storage?.bytesStored == 12)
    #expect(entries[0].shape == nil)
    let inner = try fixture("oldest.h5").root.group("a").walk()
    #expect(inner.map(\.path) == ["/a/inner", "/a/inner/values"])
  }

  @Test func attributesBeyond64KB() throws {
    let values = try fixture("latest.h5").root.attributes.doubles("large")
    #expect(values == (0..<9000).map { Double($0) })
  }

  @Test func linksInsideAreFollowed() throws {
    let root = try fixture("links.h5").root
    for path in [
      "soft", "hard", "group/relative", "soft_group/values", "soft_group/relative",
      "group/cycle/cycle/values",
    ] {
      #expect(try root.dataset(path).readFloats() == [0, 1, 2, 3])
      #expect(try root.dataset(path).name == "/" + path)
    }
    let children = try root.group("soft_group").children()
    #expect(children.map(\.name) == ["cycle", "relative", "values"])
    #expect(children.map(\.kind) == [.group, .softLink(target: "values"), .dataset])
    #expect(try !root.contains("dangling"))
    #expect(errorOf { try root.dataset("dangling") } == .notFound(place("/dangling")))
  }

  @Test func whatLeavesTheFileIsRefused() throws {
    let root = try fixture("links.h5").root
    let refusals: [(String, HDF5Refusal)] = [
      ("external", .externalLink(file: "numbers.h5", path: "/f4")),
      ("through_external", .externalLink(file: "oldest.h5", path: "/a")),
      ("external_group/inner/values", .externalLink(file: "oldest.h5", path: "/a")),
      ("outside", .externalStorage(files: 1)),
      ("virtual", .virtualDataset),
      ("loop", .tooManySoftLinks),
    ]
    for (path, refusal) in refusals {
      #expect(errorOf { try root.dataset(path) } == .refused(place("/" + path), refusal))
    }
    #expect(
      messageOf { try root.group("external_group") }.hasSuffix(
        "refused to open '/external_group' in '\(place("").file)': an external link to '/a' in "
          + "another file, 'oldest.h5'"))
  }

  @Test(arguments: ["huge_chunked", "huge_contiguous", "huge_chunk", "uncountable"])
  func moreThanTheFileHolds(name: String) throws {
    let dataset = try fixture("links.h5").root.dataset(name)
    guard case .refused(_, let refusal) = errorOf({ try dataset.readFloats() }) else {
      Issue.record("'\(name)' was read")
      return
    }
    switch refusal {
    case .oversized(let declared, let stored):
      #expect(declared >= 1 << 31)
      #expect(stored == 0)
    case .uncountable(let shape): #expect(shape == [1 << 40, 1 << 40])
    default: Issue.record("\(refusal)")
    }
    #expect(errorOf { try dataset.requireReadable() } != nil)
  }

  @Test func aFewRowsOfAHugeDatasetRead() throws {
    let dataset = try fixture("links.h5").root.dataset("huge_chunked")
    #expect(try dataset.readRows(5..<8) == [0, 0, 0])
  }

  @Test func declaredBeyondTheEnd() throws {
    let root = try fixture("oversized.h5").root
    #expect(try root.dataset("fine").readFloats() == [0, 1, 2])
    let dataset = try root.dataset("values")
    #expect(dataset.shape == [2_000_000_000_000])
    #expect(messageOf { try dataset.readFloats() }.contains("it declares 2000000000000 bytes"))
    #expect(messageOf { try dataset.readRows(0..<1) }.contains("it declares 2000000000000 bytes"))
  }

  @Test func walkListsWhatItRefuses() throws {
    let entries = try fixture("links.h5").root.walk()
    let kinds = Dictionary(uniqueKeysWithValues: entries.map { ($0.path, $0.kind) })
    #expect(kinds["/hard"] == .dataset)
    #expect(kinds["/group/cycle"] == .group)
    #expect(kinds["/group/cycle/values"] == nil)
    #expect(kinds["/type"] == .namedType)
    #expect(kinds["/soft"] == .softLink(target: "/group/values"))
    #expect(kinds["/dangling"] == .softLink(target: "/nowhere"))
    let refused = entries.filter { if case .refused = $0.kind { true } else { false } }
    #expect(
      refused.map(\.path) == [
        "/external", "/external_group", "/huge_chunk", "/huge_chunked", "/huge_contiguous",
        "/outside", "/uncountable", "/virtual",
      ])
    #expect(refused[3].shape == [1 << 40])
    #expect(refused[3].elementType == .float32)
  }

  @Test func theWrongKind() throws {
    let root = try fixture("oldest.h5").root
    #expect(messageOf { try root.dataset("a") }.hasSuffix("expected a dataset, found a group"))
    #expect(messageOf { try root.group("grüße") }.hasSuffix("expected a group, found a dataset"))
    #expect(messageOf { try root.group("a/b/c") }.hasPrefix("cannot find '/a/b/c' in '"))
    #expect(messageOf { try root.group("a\0b") }.contains("it is empty or holds a NUL"))
  }

  private func place(_ object: String) -> HDF5Place {
    HDF5Place(file: (try? fixturePath("links.h5")) ?? "", object: object)
  }
}
