import Foundation
import HDF5
import Images
import Layers
import TestSupport
import Testing
import Training

/// What an extraction does with files of earlier runs, other runs and bad photos.
struct FeatureExtractionTests {
  private struct Stop: Error {}

  private static let source = FeatureSource(
    base: "mean", baseFile: "mean.h5", baseFingerprint: "0", layer: "mean", pooling: .none,
    loader: PhotoLoader(height: 8, width: 8, interpolation: .nearest, preprocessing: .rescale))

  /// A base that takes the mean of each colour.
  private func extraction() throws -> FeatureExtraction {
    var network = Network(name: "mean", inputShape: [8, 8, 3], inputName: "input")
    try network.add(GlobalAveragePooling2D(name: "mean"))
    return FeatureExtraction(base: network, source: Self.source, batchSize: 2, isStrict: false)
  }

  /// A run over 24 photos or those in `data`, and what it reported.
  private func run(
    _ folder: URL, _ data: String? = nil, stopsAt limit: Int = .max
  ) throws -> (summary: FeatureExtraction.Summary?, events: [FeatureExtraction.Event]) {
    let data = data ?? Locations.tests("TLCommandsTests/Fixtures/photos/train")
    var events: [FeatureExtraction.Event] = []
    var progress = 0
    do {
      let summary = try extraction().run(
        PhotoFolder(labelled: data), output: folder.path + "/f.h5"
      ) { event in
        events.append(event)
        if case .progress = event { progress += 1 }
        if progress > limit { throw Stop() }
      }
      return (summary, events)
    } catch is Stop {
      return (nil, events)
    }
  }

  private func names(_ folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  private func rows(_ path: String) throws -> Int {
    let file = try FeatureFile(path)
    defer { file.close() }
    return file.rows.count
  }

  @Test func progressCountsWhatWasTakenOver() throws {
    try Locations.withTemporaryFolder { folder in
      _ = try run(folder, stopsAt: 6)
      #expect(try names(folder) == ["f.h5.partial"])
      let taken = try rows(folder.path + "/f.h5.partial")
      #expect(taken == 12)
      let (summary, events) = try run(folder)
      let done = events.compactMap { if case .progress(let done, _) = $0 { done } else { nil } }
      #expect(done == done.sorted() && done.first == taken && done.last == 24)
      #expect(summary?.reused == taken)
      #expect(summary?.tally.used == 24)
      #expect(try names(folder) == ["f.h5"])
    }
  }

  @Test func anEarlyStopLosesNoRowsOfThePartialFile() throws {
    try Locations.withTemporaryFolder { folder in
      _ = try run(folder, stopsAt: 6)
      let taken = try rows(folder.path + "/f.h5.partial")
      _ = try run(folder, stopsAt: 2)
      #expect(try rows(folder.path + "/f.h5.partial") == taken)
      #expect(try names(folder) == ["f.h5.partial"])
    }
  }

  @Test func theFileWithTheMostValidRowsIsTaken() throws {
    try Locations.withTemporaryFolder { folder in
      let data = folder.appending(path: "data")
      try FileManager.default.copyItem(
        atPath: Locations.tests("TLCommandsTests/Fixtures/photos/train"), toPath: data.path)
      _ = try run(folder, data.path)
      let cat = data.appending(path: "cats/cat.0.jpg")
      try FileManager.default.removeItem(at: cat)
      try FileManager.default.copyItem(at: data.appending(path: "dogs/dog.0.jpg"), to: cat)
      _ = try run(folder, data.path, stopsAt: 1)
      #expect(try rows(folder.path + "/f.h5.partial") < 23)
      let (summary, _) = try run(folder, data.path)
      #expect(summary?.reused == 23)
      #expect(try names(folder) == ["data", "f.h5"])
    }
  }

  @Test func aFileOfAKilledRunGoesAndThatOfAnotherRunStays() throws {
    try Locations.withTemporaryFolder { folder in
      let (killed, running) = ("f.h5.0123ABCD.partial", "f.h5.4567ABCD.partial")
      try Data("half a file".utf8).write(to: folder.appending(path: killed))
      try Data("mine".utf8).write(to: folder.appending(path: "f.h5.mine.partial"))
      let other = try HDF5File.create(folder.appending(path: running).path)
      let (_, events) = try run(folder)
      try other.close()
      #expect(try names(folder) == ["f.h5", running, "f.h5.mine.partial"])
      let refused = events.compactMap { event in
        if case .startingOver(let path, let why) = event {
          "\(URL(filePath: path).lastPathComponent): \(why)"
        } else {
          nil
        }
      }
      #expect(refused == ["\(killed): the run that wrote it was killed"])
    }
  }

  @Test func aFolderWithoutAGoodPhotoLeavesNoFile() throws {
    try Locations.withTemporaryFolder { folder in
      let data = folder.appending(path: "data/cats")
      try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
      try Data().write(to: data.appending(path: "empty.jpg"))
      let error = #expect(throws: TrainingError.self) {
        try run(folder, folder.appending(path: "data").path)
      }
      #expect(
        error?.description
          == "no photo is left: all 1 were skipped, the first, 'cats/empty.jpg', because the file "
          + "is empty: expected a JPEG, PNG, WebP, BMP or GIF picture, found 0 bytes")
      #expect(try names(folder) == ["data"])
    }
  }

  @Test func aFileWithoutItsClassNamesIsRefused() throws {
    try Locations.withTemporaryFolder { folder in
      _ = try run(folder)
      let path = folder.path + "/f.h5"
      let file = try HDF5File.openForWriting(path)
      try file.root.dataset("class_names").writeStrings(["", ""])
      try file.close()
      #expect(throws: TrainingError.self) { try FeatureFile(path) }
      let (summary, _) = try run(folder)
      #expect(summary?.computed == 24)
    }
  }
}
