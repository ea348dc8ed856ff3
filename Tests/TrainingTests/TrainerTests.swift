import Compute
import Foundation
import HDF5
import Layers
import TestSupport
import Testing
import Training
import Weights

/// Training runs against Keras from the same weights, in the same order, without dropout.
struct TrainerTests {
  @Test(arguments: ["sigmoid", "softmax"])
  func headLearnsLikeKeras(kind: String) throws {
    let golden = try HDF5File.open(Bundle.module.path(to: "Goldens/head_\(kind).h5"))
    defer { try? golden.close() }
    let root = try golden.root
    let features = try root.tensor("features")
    let labels = try root.integers("labels")
    var network = Network(
      name: "head", inputShape: [features.shape[1]], inputName: "features")
    let initial = try root.group("initial")
    for (name, activation) in [
      ("dense", PointwiseFunction.relu),
      ("dense_1", try #require(PointwiseFunction(kerasName: kind))),
    ] {
      let tensors = try initial.group(name)
      try network.add(
        Dense(
          name: name, kernel: try tensors.tensor("kernel"), bias: try tensors.tensor("bias"),
          activation: activation))
    }
    let trained = try expectLosses(
      root, network: network, values: features, labels: labels,
      classCount: kind == "sigmoid" ? 2 : 3
    )
    try expectFinal(root.group("final"), trained)
  }

  @Test(arguments: ["sigmoid", "softmax"])
  func block5LearnsLikeKeras(kind: String) throws {
    let golden = try HDF5File.open(Bundle.module.path(to: "Goldens/fine_tune_\(kind).h5"))
    defer { try? golden.close() }
    let root = try golden.root
    let path = Bundle.module.path(to: "Goldens/fine_tune_\(kind)_initial.h5")
    var network = try KerasModel.read(path).network
    let block5 = try LayerSelection("block5").nodes(in: network)
    network.setTrainable(block5.union(network.headStart..<network.nodes.count))
    let before = FreezeProof.digests(network)
    let cut = try FreezeCut(network)
    #expect(network.nodes[cut.boundary].name == "block4_pool")
    let values = network.plan(outputs: [cut.boundary]).run(try root.tensor("input"))[0]
    let trained = try expectLosses(
      root, network: network, values: values, labels: root.integers("labels"),
      classCount: kind == "sigmoid" ? 2 : 3)
    try expectFinal(root.group("final"), trained)
    let proof = FreezeProof(before: before, after: trained)
    #expect(
      proof.sentence
        == "20 tensors of the base unchanged, 6 of the base and 4 of the head trained")
    #expect(proof.frozenButChanged.isEmpty)
  }

  @Test func theProofNamesAFrozenTensorThatChanged() throws {
    let path = Bundle.module.path(to: "Goldens/fine_tune_sigmoid_initial.h5")
    var network = try KerasModel.read(path).network
    network.setTrainable(Set(network.headStart..<network.nodes.count))
    let before = FreezeProof.digests(network)
    let index = try #require(network.index(named: "block2_conv1"))
    network.updateLayer(at: index) { $0.parameters[1].value.scalars[0] += 1e-6 }
    let proof = FreezeProof(before: before, after: network)
    #expect(proof.frozenButChanged == ["block2_conv1/bias"])
    #expect(proof.baseTrained == 1)
  }

  @Test func aRunRepeatsExactlyWithItsSeed() throws {
    func run(seed: UInt64) throws -> [EpochResult] {
      var random = SeededRandom(seed: 7)
      let features = Tensor(
        shape: [50, 6], scalars: (0..<300).map { _ in random.normal() })
      let labels = (0..<50).map { features.scalars[$0 * 6] > 0 ? 1 : 0 }
      var network = Network(name: "head", inputShape: [6], inputName: "features")
      try network.add(Dropout(name: "dropout", rate: 0.2))
      try network.add(
        Dense(
          name: "dense", kernel: Tensor(zeros: [6, 1]), bias: Tensor(zeros: [1]),
          activation: .sigmoid))
      let settings = TrainingSettings(epochs: 4, batchSize: 8, learningRate: 0.05, seed: seed)
      var trainer = try Trainer(network: network, loss: .binaryCrossentropy, settings: settings)
      let examples = CachedExamples(features: features, labels: labels)
      return try trainer.train(examples, validation: examples) { _ in }
    }
    let first = try run(seed: 1)
    #expect(try run(seed: 1) == first)
    #expect(try run(seed: 2) != first)
    #expect(first.count == 4)
    #expect(try #require(first.last?.validationAccuracy) > 0.85)
    #expect(first[3].loss < first[0].loss)
  }

  /// Runs the golden's batches and compares the loss of every step within 1e-3 relative.
  private func expectLosses(
    _ golden: HDF5Group, network: Network, values: Tensor, labels: [Int], classCount: Int
  ) throws -> Network {
    let rate = try #require(try golden.attributes.double("learning_rate"))
    let batch = Int(try #require(try golden.attributes.integer("batch_size")))
    let expected = try golden.tensor("losses").scalars
    #expect(expected.count == 10)
    var trainer = try Trainer(
      network: network, loss: Loss(classCount: classCount),
      settings: TrainingSettings(rule: .rmsprop(), learningRate: Float(rate)))
    let losses = expected.indices.map { step in
      let indices = (0..<batch).map { (step * batch + $0) % labels.count }
      return Float(
        trainer.trainStep(
          values.gatheringRows(indices), labels: indices.map { labels[$0] }
        ).loss)
    }
    expectClose(losses, expected, absolute: 0, relative: 1e-3, "losses")
    return trainer.network
  }

  private func expectFinal(_ golden: HDF5Group, _ network: Network) throws {
    let names = try golden.children().map(\.name)
    #expect(!names.isEmpty)
    for name in names {
      let node = network.nodes[try #require(network.index(named: name))]
      for parameter in node.layer.parameters {
        try expectClose(
          parameter.value.scalars, golden.group(name).tensor(parameter.name).scalars,
          absolute: 2e-5, relative: 1e-3, "\(name)/\(parameter.name)")
      }
    }
  }
}
