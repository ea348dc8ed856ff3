import Foundation
import HDF5
import TestSupport
import Testing

/// Results must not depend on the number of threads, nor on how many photos run at once.
struct RepeatabilityTests {
  /// The features of the small photos, with these threads and this batch size.
  private func features(threads: String, batch: String, in folder: URL) throws -> [Float] {
    let output = "features-\(threads)-\(batch).h5"
    let outcome = try runTL(
      [
        "extract-features", WorkflowTests.train, "--base", WorkflowTests.base, "--output", output,
        "--image-size", "80", "--batch-size", batch,
      ], environment: ["TL_THREADS": threads], in: folder)
    try #require(outcome.status == 0, "\(outcome.errors)")
    let file = try HDF5File.open(folder.appending(path: output).path)
    defer { try? file.close() }
    return try file.root.dataset("features").readFloats()
  }

  @Test func featuresDependNeitherOnThreadsNorOnBatches() throws {
    try Locations.withTemporaryFolder { folder in
      let expected = try features(threads: "1", batch: "1", in: folder)
      #expect(expected.count == 24 * 2 * 2 * 6)
      for (threads, batch) in [("1", "7"), ("2", "1"), ("2", "24"), ("3", "5")] {
        let found = try features(threads: threads, batch: batch, in: folder)
        #expect(found == expected, "\(threads) threads, \(batch) photos at once")
      }
    }
  }

  @Test func trainingDependsNeitherOnThreadsNorOnTheRun() throws {
    try Locations.withTemporaryFolder { folder in
      _ = try features(threads: "2", batch: "20", in: folder)
      func model(_ threads: String, _ output: String) throws -> Data {
        for arguments in [
          [
            "train-head", "features-2-20.h5", "--output", "head.h5", "--hidden", "8", "--epochs",
            "2", "--learning-rate", "1e-3",
          ],
          [
            "fine-tune", WorkflowTests.train, "--model", "head.h5", "--unfreeze", "block5",
            "--epochs", "2", "--output", output,
          ],
        ] {
          let outcome = try runTL(arguments, environment: ["TL_THREADS": threads], in: folder)
          try #require(outcome.status == 0, "\(outcome.errors)")
        }
        return try Data(contentsOf: folder.appending(path: output))
      }
      let expected = try model("1", "a.h5")
      #expect(try model("2", "b.h5") == expected)
      #expect(try model("1", "c.h5") == expected)
    }
  }
}
