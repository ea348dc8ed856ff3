import Foundation
import TestSupport
import Testing

/// A base cut within its own Dense layers: those stay base, and stay frozen.
struct DenseBaseTests {
  @Test func aSharedLayerIsTrainedOnce() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try runTL(
        [
          "fine-tune", WorkflowTests.train, "--base",
          Locations.tests("WeightsTests/Fixtures/graph_shared_keras3.h5"), "--preprocess",
          "rescale", "--image-size", "16", "--hidden", "4", "--unfreeze", "all", "--epochs",
          "1", "--output", "a.h5",
        ], in: folder)
      try #require(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("training stem, twice, inner_conv, inner_bn and the head;"))
      let counts = "2 tensors of the base unchanged, 8 of the base and 4 of the head trained"
      #expect(outcome.errors.contains(counts), "\(outcome.errors)")
    }
  }

  @Test func denseLayersOfTheBaseStayFrozen() throws {
    try Locations.withTemporaryFolder { folder in
      let base = Locations.tests("WeightsTests/Fixtures/vgg16_top_keras1.h5")
      for (arguments, proof) in [
        (
          [
            "extract-features", WorkflowTests.train, "--base", base, "--layer", "fc2",
            "--image-size", "32", "--output", "f.h5",
          ], "30 tensors loaded, 2 skipped"
        ),
        (
          ["train-head", "f.h5", "--output", "head.h5", "--hidden", "4", "--epochs", "1"],
          "30 tensors of the base unchanged, 4 of the head trained"
        ),
        (
          [
            "fine-tune", WorkflowTests.train, "--model", "head.h5", "--unfreeze", "none",
            "--epochs", "1", "--output", "a.h5",
          ], "30 tensors of the base unchanged, 4 of the head trained"
        ),
        (
          [
            "fine-tune", WorkflowTests.train, "--model", "head.h5", "--unfreeze", "fc2",
            "--epochs", "1", "--output", "b.h5",
          ], "28 tensors of the base unchanged, 2 of the base and 4 of the head trained"
        ),
      ] {
        let outcome = try runTL(arguments, in: folder)
        try #require(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains(proof), "\(outcome.errors)")
      }
    }
  }
}
