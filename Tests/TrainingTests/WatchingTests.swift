import Compute
import Foundation
import HDF5
import Layers
import TestSupport
import Testing
import Training

/// What is looked at after every epoch, against Keras's callbacks.
struct WatchingTests {
  @Test(arguments: ["plateau", "plateau_cooldown", "plateau_delta"])
  func theRateFallsLikeKerass(name: String) throws {
    let file = try HDF5File.open(Bundle.module.path(to: "Goldens/watching.h5"))
    defer { try? file.close() }
    let golden = try file.root.group(name)
    func number(_ key: String) throws -> Double {
      try #require(try golden.attributes.double(key))
    }
    func count(_ key: String) throws -> Int {
      Int(try #require(try golden.attributes.integer(key)))
    }
    let rule = PlateauRule(
      patience: try count("patience"), factor: try number("factor"),
      minimumDelta: try number("min_delta"), cooldown: try count("cooldown"),
      minimumRate: try number("min_lr"))
    var counters = PlateauCounters()
    let rates = try golden.tensor("values").scalars.map { value in
      rule.watch(Double(value), .validationLoss, rate: 0.01, &counters)
      return Float(0.01 * counters.factor)
    }
    let expected = try golden.tensor("rates").scalars
    #expect(expected.last != expected.first)
    expectClose(rates, expected, absolute: 1e-9, relative: 1e-6, name)
  }

  @Test(arguments: ["stopping", "stopping_delta", "stopping_never", "stopping_at_once"])
  func stopsWhereKerasDoes(name: String) throws {
    let file = try HDF5File.open(Bundle.module.path(to: "Goldens/watching.h5"))
    defer { try? file.close() }
    let golden = try file.root.group(name)
    let rule = StoppingRule(
      patience: Int(try #require(try golden.attributes.integer("patience"))),
      minimumDelta: try #require(try golden.attributes.double("min_delta")))
    var counters = StoppingCounters()
    var (best, stopped) = (0, 0)
    for (index, value) in try golden.tensor("values").scalars.enumerated() where stopped == 0 {
      let isBest = rule.watch(
        Double(value), .validationLoss, isFirst: index == 0, &counters)
      if isBest { best = index + 1 }
      if counters.hasStopped { stopped = index + 1 }
    }
    #expect(stopped == Int(try #require(try golden.attributes.integer("stopped"))))
    #expect(best == Int(try #require(try golden.attributes.integer("best"))))
  }

  @Test func accuracyIsBetterHigh() {
    #expect(Monitor.validationAccuracy.isBetter(0.9, than: 0.8, by: 0.05))
    #expect(!Monitor.accuracy.isBetter(0.84, than: 0.8, by: 0.05))
    #expect(Monitor.loss.isBetter(0.7, than: 0.8, by: 0.05))
  }
}

/// A head trained with everything at once, against Keras.
struct RegularizedHeadTests {
  /// L2 counts the head's kernels, or all that are trained, and never those of frozen layers.
  @Test(arguments: [(false, 36), (true, 72)] as [(Bool, Double)])
  func l2CountsWhatIsTrained(coversBase: Bool, squares: Double) throws {
    var network = Network(name: "n", inputShape: [2, 2, 1], inputName: "input")
    for (name, inputs) in [("frozen", 1), ("trained", 3)] {
      try network.add(
        Conv2D(
          name: name,
          kernel: Tensor(
            shape: [1, 1, inputs, 3], scalars: [Float](repeating: 2, count: inputs * 3)),
          bias: Tensor(zeros: [3]), padding: .same, activation: .relu))
    }
    try network.add(GlobalAveragePooling2D(name: "pool"))
    try network.add(
      Dense(
        name: "dense", kernel: Tensor(shape: [3, 1], scalars: [2, 4, 4]), bias: Tensor(zeros: [1]),
        activation: .sigmoid))
    network.setTrainable([2, 4])
    let examples = CachedExamples(features: Tensor(zeros: [1, 2, 2, 3]), labels: [0])
    var settings = TrainingSettings()
    let plain = try Trainer(network: network, loss: .binaryCrossentropy, settings: settings)
      .evaluate(examples).loss
    (settings.l2, settings.l2CoversBase) = (0.5, coversBase)
    let trainer = try Trainer(network: network, loss: .binaryCrossentropy, settings: settings)
    #expect(abs(try trainer.evaluate(examples).loss - plain - squares / 2) < 1e-5)
  }

  @Test func learnsLikeKeras() throws {
    let golden = try HDF5File.open(Bundle.module.path(to: "Goldens/head_regularized.h5"))
    defer { try? golden.close() }
    let root = try golden.root
    let (features, labels) = (try root.tensor("features"), try root.integers("labels"))
    var network = Network(name: "head", inputShape: [32], inputName: "features")
    for (name, activation) in [("dense", PointwiseFunction.relu), ("dense_1", .sigmoid)] {
      let tensors = try root.group("initial/\(name)")
      try network.add(
        Dense(
          name: name, kernel: try tensors.tensor("kernel"), bias: try tensors.tensor("bias"),
          activation: activation))
    }
    var settings = TrainingSettings(rule: .rmsprop(), learningRate: 1e-3)
    settings.l2 = 0.01
    settings.labelSmoothing = 0.1
    settings.clipping = .globalNorm(0.3)
    settings.weightDecay = 0.05
    settings.averaging = 0.8
    var trainer = try Trainer(network: network, loss: .binaryCrossentropy, settings: settings)
    trainer.classWeights = [0.5, 2]
    let losses = (0..<10).map { step in
      let indices = (0..<8).map { (step * 8 + $0) % labels.count }
      return Float(
        trainer.trainStep(
          features.gatheringRows(indices), labels: indices.map { labels[$0] }
        ).loss)
    }
    expectClose(losses, try root.tensor("losses").scalars, absolute: 0, relative: 1e-5, "losses")
    for (kind, trained) in [("final", trainer.network), ("average", trainer.averaged)] {
      for node in trained.nodes.dropFirst() {
        for parameter in node.layer.parameters {
          let expected = try root.tensor("\(kind)/\(node.name)/\(parameter.name)").scalars
          expectClose(
            parameter.value.scalars, expected, absolute: 1e-6, relative: 1e-4,
            "\(kind) \(node.name)/\(parameter.name)")
        }
      }
    }
  }
}
