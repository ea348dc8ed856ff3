import Foundation
import TensorBoard
import TestSupport
import Testing

/// Event files against those of Keras's TensorBoard callback and tensorboard's own reader.
struct EventFileTests {
  private static func golden(_ name: String) throws -> Data {
    try Data(contentsOf: URL(filePath: Bundle.module.path(to: "Goldens/\(name)")))
  }

  /// What tensorboard's reader says of a golden.
  private static func scalars(_ split: String) throws -> [ScalarEvent] {
    let json = try JSONSerialization.jsonObject(with: golden("scalars.json"))
    let rows = try #require((json as? [String: [[Any]]])?[split])
    return try rows.map { row in
      ScalarEvent(
        tag: try #require(row[0] as? String), step: try #require(row[1] as? Int),
        value: Float(try #require(row[2] as? Double)), wallTime: try #require(row[3] as? Double))
    }
  }

  @Test(arguments: ["train", "validation"]) func readsWhatKerasWrote(split: String) throws {
    let file = try EventFile(Self.golden("\(split).tfevents"))
    #expect(file.isWhole)
    #expect(file.scalars.count >= 6)
    #expect(try file.scalars == Self.scalars(split))
  }

  /// The same scalars at the same times give the same bytes.
  @Test(arguments: ["train", "validation"]) func writesWhatKerasWrites(split: String) throws {
    let golden = try Self.golden("\(split).tfevents")
    // The time of the first record, which holds the version: field 1 of the message.
    let start = golden[13..<21].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let written =
      try EventFileWriter.start(Double(bitPattern: start))
      + EventFileWriter.records(Self.scalars(split))
    #expect(written == golden)
  }

  @Test func aFileGrowsAndCanBeReadWhileItDoes() throws {
    try Locations.withTemporaryFolder { folder in
      let place = folder.appending(path: "events/train").path
      let writer = try EventFileWriter(in: place, wallTime: 1_700_000_000.5)
      let name = URL(filePath: writer.path).lastPathComponent
      #expect(name.wholeMatch(of: /events\.out\.tfevents\.1700000000\..+\.\d+\.0\.v2/) != nil)
      let events = (0..<3).map {
        ScalarEvent(tag: "epoch_loss", step: $0, value: 1 / Float($0 + 1), wallTime: 2e9)
      }
      for (count, event) in events.enumerated() {
        try writer.write([event])
        let file = try EventFile(Data(contentsOf: URL(filePath: writer.path)))
        #expect(file.scalars == Array(events[...count]))
      }
      // Another writer within the same second gets a file of its own.
      let other = try EventFileWriter(in: place, wallTime: 1_700_000_000.5)
      #expect(other.path == writer.path.replacing(".0.v2", with: ".1.v2"))
      #expect(try EventFile(Data(contentsOf: URL(filePath: writer.path))).scalars == events)
    }
  }

  @Test func damageEndsTheReading() throws {
    let golden = try Self.golden("train.tfevents")
    let all = try EventFile(golden).scalars
    let cut = try EventFile(golden.dropLast(1))
    #expect(!cut.isWhole)
    #expect(cut.scalars == all.dropLast())
    var flipped = golden
    flipped[golden.count - 10] ^= 1
    #expect(try !EventFile(flipped).isWhole)
    #expect(try EventFile(flipped).scalars == all.dropLast())
    #expect(try !EventFile(Data([1, 2, 3])).isWhole)
    // A length that no file has.
    #expect(try !EventFile(Data(repeating: 0xFF, count: 40)).isWhole)
  }
}
