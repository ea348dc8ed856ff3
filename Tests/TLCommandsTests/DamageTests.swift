import Compute
import Foundation
import TestSupport
import Testing

/// Damaged copies of weight files, given to the real program: each loads or is refused in one line,
/// in time and within memory.
///
/// `TL_DAMAGED_COPIES=2000` makes so many copies and takes real files where they are at hand.
@Suite struct DamageTests {
  private static let asked = ProcessInfo.processInfo.environment["TL_DAMAGED_COPIES"].flatMap {
    Int($0)
  }

  /// Files, and how `tl summary` takes them.
  private static let files: [(path: String, option: String)] = {
    let weights = Locations.tests("WeightsTests/Fixtures") + "/"
    let torch = Locations.tests("TrainingTests/Goldens/Torch/resnet18.safetensors")
    if asked != nil, let shared = Locations.shared?.appending(path: "weights").path {
      return [
        (shared + "/vgg16_notop.h5", "--base"),
        (shared + "/found/bwd_cats_and_dogs_small_1.h5", "--model"),
        (shared + "/found/afrozenmushroom_my_model.keras", "--model"),
        (weights + "nested_keras3_full.h5", "--model"), (torch, "--base"),
      ]
    }
    return [
      (weights + "vgg16_keras1.h5", "--base"), (weights + "nested_keras3_full.h5", "--model"),
      (weights + "Formats/keras3.keras", "--model"),
      (weights + "vgg16_keras3.weights.h5", "--base"), (torch, "--base"),
    ]
  }()

  /// What was done to a copy.
  private enum Damage: CaseIterable { case bytes, structure, cut, length }

  /// A copy with damage by `seed`: bytes anywhere or near the start, an end that is missing, or
  /// eight bytes, as lengths and addresses have, that are absurd.
  private func damaged(_ file: Data, seed: UInt64) -> (Data, Damage) {
    var random = SeededRandom(seed: seed)
    var copy = file
    let damage = Damage.allCases[Int.random(in: 0..<4, using: &random)]
    // Structure lies at the start, and in small files everywhere.
    let start = min(file.count, 16384)
    switch damage {
    case .bytes:
      for _ in 0..<Int.random(in: 1...200, using: &random) {
        copy[Int.random(in: 0..<file.count, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
    case .structure:
      for _ in 0..<Int.random(in: 1...20, using: &random) {
        copy[Int.random(in: 0..<start, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
    case .cut: copy = file.prefix(Int.random(in: 0..<file.count, using: &random))
    case .length:
      let values: [UInt64] = [
        0, .max, .max >> 1, 1 << 32, 1 << 31 - 1, UInt64(file.count), random.next(),
      ]
      let at = Int.random(in: 0..<(start / 8), using: &random) * 8
      let value = values[Int.random(in: 0..<values.count, using: &random)]
      for byte in 0..<8 { copy[at + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
    }
    return (copy, damage)
  }

  @Test func loadsOrIsRefusedInOneLine() throws {
    let copies = Self.asked ?? 40
    let originals = try Self.files.map { try Data(contentsOf: URL(filePath: $0.path)) }
    var counts: [String: Int] = [:]
    var slowest = 0.0
    try Locations.withTemporaryFolder { folder in
      for seed in 0..<copies {
        let number = seed % originals.count
        let (original, option) = Self.files[number]
        let (copy, damage) = damaged(originals[number], seed: UInt64(seed))
        let path = folder.appending(path: "copy." + URL(filePath: original).pathExtension).path
        try copy.write(to: URL(filePath: path))
        let start = Date.now
        let outcome = try runTL(
          ["summary", option, path], environment: ["XDG_CACHE_HOME": folder.path],
          megabytes: 2000)
        let seconds = Date.now.timeIntervalSince(start)
        slowest = max(slowest, seconds)
        let what: Comment =
          "seed \(seed), \(damage) of \(URL(filePath: original).lastPathComponent)"
        // A build for debugging on a busy machine takes most of it to start.
        #expect(seconds < 15, what)
        try expectAnswer(outcome, what)
        let answer = outcome.status == 0 ? "loaded" : "refused"
        counts[answer, default: 0] += 1
        if outcome.errors.contains("damaged:") { counts["contained", default: 0] += 1 }
      }
    }
    print("\(copies) damaged copies, seeds 0 to \(copies - 1): \(counts), slowest \(slowest) s")
  }

  /// What crashes libhdf5 is refused every time; what does not is remembered and read at once.
  @Test func crashesAreContained() throws {
    let fixtures = Locations.tests("WeightsTests/Fixtures/Formats") + "/"
    try Locations.withTemporaryFolder { folder in
      func run(_ file: String) throws -> RunOutcome {
        try runTL(
          ["inspect", file, "--no-attributes"], environment: ["XDG_CACHE_HOME": folder.path])
      }
      func seen() -> [Substring] {
        let text = try? String(contentsOfFile: folder.path + "/tl/checked", encoding: .utf8)
        return (text ?? "").split(separator: "\n")
      }
      let crash = fixtures + "wrong_crash.weights.h5"
      for _ in 0..<2 {
        let outcome = try run(crash)
        #expect(outcome.status == 1)
        #expect(
          outcome.errors == "tl inspect: error: cannot read '\(crash)': damaged: its structure "
            + "makes libhdf5 crash\n")
      }
      #expect(seen().isEmpty)
      for _ in 0..<2 {
        #expect(try run(fixtures + "keras3.weights.h5").status == 0)
        #expect(seen().count == 1)
      }
      #expect(try run(fixtures + "keras3.keras").status == 0)
      #expect(seen().count == 2)
    }
  }

  /// A file of features that `tl` wrote is known to be whole; another is checked.
  @Test func featuresAreChecked() throws {
    try Locations.withTemporaryFolder { folder in
      func run(_ words: [String]) throws -> RunOutcome {
        try runTL(words, environment: ["XDG_CACHE_HOME": folder.path], in: folder)
      }
      func seen() throws -> Int {
        try String(contentsOfFile: folder.path + "/tl/checked", encoding: .utf8)
          .split(separator: "\n").count
      }
      let extraction = try run([
        "extract-features", WorkflowTests.train, "--base", WorkflowTests.base, "--image-size",
        "64", "--output", "f.h5",
      ])
      try #require(extraction.status == 0, "\(extraction.errors)")
      // The base and the features.
      #expect(try seen() == 2)
      #expect(try run(["train-head", "f.h5", "--epochs", "1", "--output", "a.h5"]).status == 0)
      #expect(try seen() == 2)
      let crash = Locations.tests("WeightsTests/Fixtures/Formats/wrong_crash.weights.h5")
      let refused = try run(["train-head", crash, "--output", "b.h5"])
      #expect(refused.status == 1)
      #expect(
        refused.errors == "tl train-head: error: cannot read '\(crash)': damaged: its structure "
          + "makes libhdf5 crash\n")
    }
  }

  private func expectAnswer(_ outcome: RunOutcome, _ what: Comment) throws {
    if outcome.status == 0 { return }
    #expect(outcome.status == 1, what)
    let lines = outcome.errors.split(separator: "\n")
    let errors = lines.filter { $0.hasPrefix("tl summary: error: ") }
    #expect(errors.count == 1 && !outcome.output.contains("layer"), what)
    let others = lines.filter { !$0.hasPrefix("tl summary: error: ") && !$0.hasPrefix("  try: ") }
    #expect(others.isEmpty, "\(what): \(outcome.errors)")
  }
}
