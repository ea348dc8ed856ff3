import Foundation
import HDF5
import Images
import TestSupport
import Testing
import Training
import Weights

/// Freezing and learning with the real program on small photos.
struct LearningTests {
  private static let train = WorkflowTests.train
  private static let validation = WorkflowTests.validation
  private static let base = ["--base", WorkflowTests.base, "--image-size", "64"]

  private func run(_ arguments: [String], in folder: URL) throws -> RunOutcome {
    let outcome = try runTL(arguments, in: folder)
    try #require(outcome.status == 0, "tl \(arguments.joined(separator: " ")): \(outcome.errors)")
    return outcome
  }

  @Test func unfreezesStepByStep() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try run(
        ["fine-tune", Self.train, "--validation", Self.validation] + Self.base + [
          "--schedule", "head:2, block5:1, block4:1", "--freeze", "block5_conv1", "--scale",
          "block5=0.1,block4=0.03", "--layer-decay", "0.9", "--hidden", "4", "--ema", "0.9",
          "--weight-decay", "0.01", "--early-stopping", "5", "--output", "m.h5",
        ], in: folder)
      for line in [
        "the head starts from random weights (--schedule trains it)",
        "stage 1 of 3: head, 2 epochs", "training the head; all up to 'flatten' is frozen",
        "stage 2 of 3: block5, 1 epochs",
        "training block5_conv2, block5_conv3 and the head; all up to 'block5_conv1' is frozen",
        "training block4_conv1, block4_conv2, block4_conv3, block5_conv2, block5_conv3 and the "
          + "head; all up to 'block3_pool' is frozen",
        "epoch 4 of 4: loss ",
        "freeze: 16 tensors of the base unchanged, 10 of the base and 4 of the head trained",
        "frozen tensors: sha256 ", "the weights are averages over the steps (--ema)",
        "weight decay 0.01, rate of block5 times 0.1, rate of block4 times 0.03, layer decay 0.9, "
          + "average of weights with momentum 0.9",
      ] {
        #expect(outcome.errors.contains(line), "'\(line)' in \(outcome.errors)")
      }
      let last = try #require(
        try ClassifierModel.load(folder.appending(path: "m.h5").path).history.last)
      #expect(last.unfreezing == "head:2, block5:1, block4:1")
      #expect(last.frozenDigest?.count == 64)
      #expect(last.bestEpoch != nil)
      #expect(last.learning?.contains("weight decay 0.01") == true)
    }
  }

  /// The loss turns into no number in the second epoch: the first one's weights are kept.
  @Test func aBrokenRunKeepsItsGoodWeights() throws {
    try Locations.withTemporaryFolder { folder in
      for (data, output) in [(Self.train, "f.h5"), (Self.validation, "v.h5")] {
        _ = try run(["extract-features", data, "--output", output] + Self.base, in: folder)
      }
      let options = [
        "--hidden", "4", "--optimizer", "sgd", "--batch-size", "100", "--seed", "3",
        "--learning-rate", "1e30", "--warm-up", "2",
      ]
      let broken = try runTL(
        [
          "train-head", "f.h5", "--validation", "v.h5", "--epochs", "4", "--output", "m.h5",
          "--run", "r",
        ]
          + options, in: folder)
      #expect(broken.status == 1)
      #expect(broken.errors.contains("the loss is no longer a number in epoch 2: "))
      #expect(broken.errors.contains("wrote m.h5 with the weights of epoch 1, the last good ones"))
      let model = try ClassifierModel.load(folder.appending(path: "m.h5").path)
      #expect(model.history.last?.epochs.count == 1)
      #expect(FileManager.default.fileExists(atPath: folder.path + "/r/model.h5"))
      _ = try run(["evaluate", Self.validation, "--model", "m.h5"], in: folder)
      let tuned = try runTL(
        [
          "fine-tune", Self.train, "--unfreeze", "block5", "--head-epochs", "2", "--epochs", "9",
          "--output", "t.h5", "--batch-size", "4", "--optimizer", "sgd", "--learning-rate", "1e30",
        ] + Self.base + ["--hidden", "4"], in: folder)
      #expect(tuned.status == 1)
      #expect(
        tuned.errors.contains(
          "wrote t.h5 with the weights of epoch 2 of the head's own training, the last good ones"),
        "\(tuned.errors)")
    }
  }

  @Test func anEarlyEndGivesTheBestWeights() throws {
    try Locations.withTemporaryFolder { folder in
      let outcome = try run(
        [
          "train", Self.train, "--validation", Self.validation, "--network", "lenet-5", "--epochs",
          "20", "--early-stopping", "1", "--min-delta", "100", "--class-weight", "balanced",
          "--focal", "2", "--l2", "0.001", "--learning-rate-schedule", "one-cycle", "--output",
          "m.h5",
        ], in: folder)
      #expect(outcome.errors.contains("epoch 2 of 20"))
      #expect(!outcome.errors.contains("epoch 3 of 20"))
      #expect(
        outcome.errors.contains(
          "the weights are those of epoch 1, the best of 2, after which nothing got better"))
      #expect(outcome.errors.contains("freeze: 0 tensors of the base unchanged"))
      #expect(
        outcome.errors.contains(
          "training: adam at 0.001, one-cycle, focal loss with gamma 2.0, alpha 0.25, balanced "
            + "class weights, L2 0.001 of all kernels, stopping after 1 epochs without gain")
      )
    }
  }

  @Test func summaryShowsWhatWouldBeTrained() throws {
    try Locations.withTemporaryFolder { folder in
      let golden = try HDF5File.open(
        Locations.tests("TrainingTests/Goldens/resnet50_full_file.h5"))
      defer { try? golden.close() }
      let bytes = try golden.root.dataset("file").readIntegers().map { UInt8($0) }
      try Data(bytes).write(to: folder.appending(path: "resnet.h5"))
      let shown = try run(
        ["summary", "--model", "resnet.h5", "--unfreeze", "conv5_block3"], in: folder
      ).output
      // Three convolutions of 4, 3 and 3 channels' kernels and biases, gamma and beta, and the head.
      let trainable = try #require(
        shown.split(separator: "\n").first { $0.hasPrefix("trainable parameters: ") })
      let frozen = try run(
        ["summary", "--model", "resnet.h5", "--freeze", "all"], in: folder)
      #expect(frozen.output.contains("trainable parameters: 0 (0.00 MB)"))
      let count = try trainableCount(folder.appending(path: "resnet.h5").path)
      #expect(trainable.hasPrefix("trainable parameters: \(count) "))
      #expect(shown.contains("statistics of trainable normalisations"))
      let mini = try run(
        ["summary", "--unfreeze", "last:4", "--freeze", "block5_conv2"], in: folder)
      #expect(mini.errors.contains("no --base given: taking 'mini'"))
      #expect(mini.output.contains("frozen prefix: up to 'block4_pool'"))
      #expect(mini.output.contains("trainable parameters: 322,784"))
    }
  }

  /// Kernels, biases, gammas and betas of conv5_block3, and the head's.
  private func trainableCount(_ path: String) throws -> Int {
    let network = try KerasModel.read(path).network
    return network.nodes.reduce(0) { sum, node in
      guard node.name.hasPrefix("conv5_block3") || node.name == "predictions" else { return sum }
      return sum
        + node.layer.parameters.filter { !$0.name.hasPrefix("moving") }
        .reduce(0) { $0 + $1.value.count }
    }
  }

  @Test func findsALearningRate() throws {
    try Locations.withTemporaryFolder { folder in
      let command =
        ["find-learning-rate", Self.train, "--hidden", "8", "--batch-size", "8"] + Self.base
      let text = try run(command + ["--output", "curve.png", "--to", "10"], in: folder)
      #expect(text.output.hasPrefix("learning rate"))
      #expect(
        text.output.contains("suggested learning rate: ")
          || text.output.contains("no rate can be suggested"))
      let png = try Data(contentsOf: folder.appending(path: "curve.png"))
      #expect(png.prefix(4) == Data([0x89, 0x50, 0x4E, 0x47]))
      let json = try run(command + ["--json", "--steps", "20", "--to", "1e-5"], in: folder)
      let report = try JSONDecoder().decode(Rates.self, from: Data(json.output.utf8))
      #expect(report.points.count == 20)
      #expect(abs(report.points[0].rate - 1e-7) < 1e-12)
      #expect(abs(report.points[19].rate - 1e-5) < 1e-10)
      #expect(!report.diverged)
      let again = try run(command + ["--json", "--steps", "20", "--to", "1e-5"], in: folder)
      #expect(again.output == json.output)
    }
  }

  private struct Rates: Decodable {
    let diverged: Bool
    let points: [RateCurve.Point]
  }

  private static let refused: [(arguments: [String], error: String)] = [
    (["--unfreeze", "block5_pool"], "layer 'block5_pool' has no weights to train"),
    (["--unfreeze", "from:blok5"], "no layer matches 'from:blok5': near are 'from:block5'"),
    (["--unfreeze", "block5", "--freeze", "blok1"], "no layer matches 'blok1': near are 'block1'"),
    (["--unfreeze", "last:99"], "no layers are called 'last:99': expected last:1 to last:18"),
    (["--freeze", "all"], "nothing is trainable"),
    ([], "say what to train: --unfreeze, --freeze or --schedule"),
    (["--schedule", "head"], "expected LAYERS:EPOCHS with 1 epoch or more, found 'head'"),
    (["--schedule", "head:1", "--unfreeze", "block5"], "--schedule says what is unfrozen"),
    (["--schedule", "head:1", "--epochs", "5"], "--schedule says what is unfrozen"),
    (["--schedule", "head:1,blok5:1"], "no layer matches 'blok5'"),
    (
      ["--unfreeze", "none", "--class-weight", "cats=2,birds=1"],
      "a weight is given for 'birds', which is no class: expected one of 'cats', 'dogs'"
    ),
    (["--unfreeze", "none", "--scale", "blok5=0.1"], "no layer matches 'blok5'"),
    (["--unfreeze", "none", "--scale", "block5=x"], "'block5=x' is invalid for '--scale"),
    (["--unfreeze", "none", "--clipnorm", "1", "--clipvalue", "1"], "give one of --clipnorm"),
    (["--unfreeze", "none", "--ema", "1"], "--ema must be above 0, below 1, found 1.0"),
    (["--unfreeze", "none", "--nesterov"], "--nesterov needs a --momentum"),
    (
      ["--unfreeze", "none", "--optimizer", "adam", "--momentum", "0.9"],
      "--momentum needs --optimizer sgd or rmsprop, found adam"
    ),
    (["--unfreeze", "none", "--monitor", "val_loss"], "--monitor val_loss needs --validation"),
    (
      ["--unfreeze", "none", "--decay-factor", "0.5"],
      "--decay-factor needs --learning-rate-schedule step or exponential"
    ),
  ]

  @Test func refusesInOneLine() throws {
    try Locations.withTemporaryFolder { folder in
      for (arguments, error) in Self.refused {
        let outcome = try runTL(
          ["fine-tune", Self.train, "--hidden", "0", "--head-epochs", "1", "--output", "x.h5"]
            + Self.base + arguments, in: folder)
        #expect(outcome.status != 0, "\(arguments)")
        #expect(outcome.errors.contains(error), "'\(error)' in \(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/x.h5"))
      }
    }
  }
}
