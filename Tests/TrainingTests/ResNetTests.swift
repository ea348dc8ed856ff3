import Architectures
import Compute
import Foundation
import HDF5
import Layers
import TestSupport
import Testing
import Training
import Weights

/// A ResNet50 with few channels against Keras's: loading, every stage, gradients, writing.
struct ResNetTests {
  /// Calls `body` with the path of one of Keras's files: `new`, `old` or `full`.
  private func withFile<R>(_ name: String, _ body: (String) throws -> R) throws -> R {
    let golden = try HDF5File.open(Bundle.module.path(to: "Goldens/resnet50_\(name)_file.h5"))
    defer { try? golden.close() }
    let bytes = try golden.root.integers("file").map { UInt8($0) }
    return try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "resnet.h5")
      try Data(bytes).write(to: path)
      return try body(path.path)
    }
  }

  private func withExpected<R>(_ body: (HDF5Group) throws -> R) throws -> R {
    let golden = try HDF5File.open(Bundle.module.path(to: "Goldens/resnet50_expected.h5"))
    defer { try? golden.close() }
    return try body(golden.root)
  }

  /// The network of a weights file, by the names in it.
  private func load(_ path: String, includesTop: Bool) throws -> Network {
    let file = try KerasFile(path)
    defer { file.close() }
    let layers = file.signature.map { StoredLayer(name: $0.layer, shapes: $0.shapes) }
    let architecture = try #require(Architectures.identify(layers))
    #expect(architecture.name == "resnet50")
    #expect(architecture.widths == [2, 2, 3, 3, 4])
    var network = try architecture.network(inputShape: [64, 64, 3], includesTop: includesTop)
    let report = try WeightLoader.load(file, into: &network)
    #expect(report.count(.loaded) == 6 * 53 + (includesTop ? 2 : 0))
    return network
  }

  /// Compares the network's output after the stem, after every stage and at the end.
  private func expectStages(
    of network: Network, old: Bool, _ expected: HDF5Group,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let layers =
      old
      ? ["res2c_out", "res3d_out", "res4f_out", "res5c_out", "fc1000"]
      : [
        "conv2_block3_out", "conv3_block4_out", "conv4_block6_out", "conv5_block3_out",
        "predictions",
      ]
    let input = try expected.tensor("input")
    let goldens = try expected.group(old ? "old" : "new")
    var compared = 0
    for (layer, stage) in zip(
      ["conv1_relu"] + layers, ["conv1_relu", "conv2", "conv3", "conv4", "conv5", "predictions"])
    {
      guard let index = network.index(named: layer) else { continue }
      let tensor = try goldens.tensor(stage)
      let scale = tensor.scalars.map(abs).max() ?? 1
      for (output, kind) in [
        (network.plan(outputs: [index]).run(input)[0], "plan"),
        (forward(network.ending(at: index), input), "forward"),
      ] {
        #expect(output.shape == tensor.shape, sourceLocation: sourceLocation)
        expectClose(
          output.scalars, tensor.scalars, absolute: 1e-5 * scale, relative: 1e-4,
          "\(layer) \(kind)", sourceLocation: sourceLocation)
      }
      compared += 1
    }
    #expect(compared >= 5, sourceLocation: sourceLocation)
  }

  /// The network's training pass, layer by layer.
  private func forward(_ network: Network, _ input: Tensor) -> Tensor {
    var random = SeededRandom(seed: 0)
    var values = [input]
    for node in network.nodes.dropFirst() {
      values.append(node.layer.forward(node.inputs.map { values[$0] }, random: &random).value)
    }
    return values[values.count - 1]
  }

  @Test(arguments: [false, true])
  func everyStageAgreesWithKeras(old: Bool) throws {
    let network = try withFile(old ? "old" : "new") { try load($0, includesTop: true) }
    try withExpected { try expectStages(of: network, old: old, $0) }
  }

  @Test func aFullModelBuildsItself() throws {
    let network = try withFile("full") { try KerasModel.read($0).network }
    #expect(network.nodes.count { $0.layer is Add } == 16)
    try withExpected { try expectStages(of: network, old: false, $0) }
  }

  @Test func aWrittenModelReadsBack() throws {
    let network = try withFile("old") { try load($0, includesTop: true) }
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "written.h5").path
      try KerasModel.write(network, to: path)
      let again = try KerasModel.read(path).network
      #expect(again.nodes.count == network.nodes.count)
      for node in network.nodes {
        let copy = again.nodes[try #require(again.index(named: node.name))]
        #expect(copy.layer.parameters.map(\.value) == node.layer.parameters.map(\.value))
      }
      try withExpected { try expectStages(of: again, old: true, $0) }
    }
  }

  @Test func gradientsOfConv5AgreeWithKeras() throws {
    let base = try withFile("new") { try load($0, includesTop: false) }
    try withExpected { expected in
      var network = base
      try network.add(GlobalAveragePooling2D(name: "global_average_pooling2d"))
      let dense = try network.add(
        Dense(
          name: "dense", kernel: try expected.tensor("dense/kernel"),
          bias: try expected.tensor("dense/bias")))
      network.setTrainable(try LayerSelection("conv5").nodes(in: network).union([dense]))
      let cut = try FreezeCut(network)
      #expect(network.nodes[cut.boundary].name == "conv4_block6_out")
      let prefix = network.plan(outputs: [cut.boundary]).run(try expected.tensor("input"))[0]
      var random = SeededRandom(seed: 0)
      let pass = network.forward(suffix: cut, from: prefix, random: &random)
      let gradients = network.backward(
        suffix: cut, pass: pass, logitsGradient: try expected.tensor("upstream"))
      var compared = 0
      for (node, tensors) in gradients {
        let layer = network.nodes[node].layer
        for (parameter, gradient) in zip(layer.parameters.filter(\.isTrainable), tensors) {
          let golden = try expected.tensor("gradients/\(layer.name)/\(parameter.name)")
          let scale = golden.scalars.map(abs).max() ?? 1
          expectClose(
            gradient.scalars, golden.scalars, absolute: 1e-4 * scale, relative: 1e-3,
            "\(layer.name)/\(parameter.name)")
          compared += 1
        }
      }
      let count = try expected.group("gradients").children().reduce(0) {
        try $0 + expected.group("gradients/" + $1.name).children().count
      }
      #expect(compared == count && count == 42)
    }
  }

  @Test func trainingKeepsTheStatistics() throws {
    var network = try withFile("new") { try load($0, includesTop: true) }
    network.setTrainable(try LayerSelection("conv5,predictions").nodes(in: network))
    let before = FreezeProof.digests(network)
    let cut = try FreezeCut(network)
    let values = try withExpected {
      network.plan(outputs: [cut.boundary]).run(try $0.tensor("input"))[0]
    }
    var trainer = try Trainer(
      network: network, loss: Loss(classCount: 5),
      settings: TrainingSettings(learningRate: 1e-3))
    _ = trainer.trainStep(values, labels: [0, 3])
    let proof = FreezeProof(before: before, after: trainer.network)
    #expect(proof.frozenButChanged.isEmpty)
    // Of conv5's ten convolutions and normalisations 40 tensors; their 20 statistics stay.
    #expect(proof.baseTrained == 40)
    #expect(proof.baseUnchanged == 6 * 53 - 40)
  }
}
