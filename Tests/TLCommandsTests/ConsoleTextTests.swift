import Foundation
import TLCommands
import Testing
import Training

@Suite struct ConsoleTextTests {
  @Test func columnsLineUp() {
    var table = TextTable([.text("path"), .number("probability"), .text("label")])
    table.add(["cats/1.jpg", "0.98", "cat"])
    table.add(["猫.jpg", "1", ""])
    table.add(["cafe\u{301}.png", "0.125", "dog"])
    #expect(
      table.lines == [
        "path        probability  label",
        "cats/1.jpg         0.98  cat",
        "猫.jpg                1",
        "cafe\u{301}.png          0.125  dog",
      ])
  }

  @Test func aTableWithoutRowsIsItsHeader() {
    #expect(TextTable([.text("a"), .number("b")]).text == "a  b")
  }

  @Test func aFileNameCannotBreakARowNorCommandTheTerminal() {
    var table = TextTable([.text("path")])
    table.add(["a\nb\u{1B}[2J\r"])
    #expect(table.lines == ["path", "a\\nb\\u{1B}[2J\\r"])
  }

  @Test(arguments: [
    ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("猫", 2), ("한국", 4), ("ａ", 2), ("ｱ", 1),
    ("👩‍👩‍👧", 2), ("🇨🇭", 2), ("☃", 1), ("☃\u{FE0F}", 2), ("a\u{200B}b", 2), ("€", 1),
  ])
  func widths(text: String, width: Int) {
    #expect(text.displayWidth == width)
  }

  @Test func cutsAtColumns() {
    #expect("猫猫a".prefix(displayWidth: 3) == "猫")
    #expect("abc".prefix(displayWidth: 3) == "abc")
  }

  @Test(arguments: [
    (["a", "b c", "d'e"], "a,b c,d'e"), (["a,b", ""], "\"a,b\","),
    (["say \"hi\""], "\"say \"\"hi\"\"\""),
    (["a\r\nb", "c\nd", "e\rf"], "\"a\r\nb\",\"c\nd\",\"e\rf\""),
    ([""], "\"\""), (["", ""], ","), (["\"\u{301}x"], "\"\"\"\u{301}x\""), (["猫,"], "\"猫,\""),
  ])
  func csvQuotes(fields: [String], row: String) {
    #expect(CSV.row(fields) == row)
  }

  static let floats: [Float] = [
    0, 1, -2.5, 0.1, 1 / 3, 1e-7, 16_777_216, .greatestFiniteMagnitude, .leastNonzeroMagnitude,
    .ulpOfOne, 0.9999999,
  ]

  @Test func numbersReadBackAsTheSameFloat() throws {
    #expect(Self.floats.map { Float(CSV.number($0)) } == Self.floats)
    let json = try JSONText.encode(Self.floats)
    #expect(try JSONDecoder().decode([Float].self, from: Data(json.utf8)) == Self.floats)
    #expect(try JSONText.encode([Float(0.1), 1 / 3]) == "[0.1,0.33333334]")
  }

  @Test func numbersThatAreNoneHaveNames() throws {
    let values: [Float] = [.nan, .infinity, -.infinity]
    #expect(values.map(CSV.number) == ["nan", "inf", "-inf"])
    #expect(try JSONText.encode(values) == #"["NaN","Infinity","-Infinity"]"#)
  }

  struct Row: Codable, Equatable {
    var path: String
    var label: String?
    var error: String?
  }

  @Test func jsonKeysAreSortedAndSlashesPlain() throws {
    let row = Row(path: "cats/\"1\"\n.jpg", label: "猫")
    #expect(try JSONText.encode(row) == #"{"label":"猫","path":"cats/\"1\"\n.jpg"}"#)
  }

  @Test(arguments: 0...3) func arraysAreWrittenPieceByPiece(count: Int) throws {
    let rows = (0..<count).map { Row(path: "\($0).jpg", error: "bad") }
    let sink = MemorySink()
    var writer = JSONArrayWriter(sink)
    for row in rows { try writer.append(row) }
    try writer.finish()
    #expect(try JSONDecoder().decode([Row].self, from: Data(sink.text.utf8)) == rows)
    #expect(sink.lines.count == (count == 0 ? 1 : count + 2))
    #expect(sink.text.hasSuffix("]\n"))
  }
}
