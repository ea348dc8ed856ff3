import Compute
import Foundation
import HDF5
import Layers
import TestSupport
import Testing
import Weights

@Suite struct LoadingTests {
  @Test(arguments: [
    "vgg16_keras1.h5", "vgg16_keras2.h5", "vgg16_keras3_legacy.h5", "vgg16_keras3_full.h5",
    "vgg16_tf_keras_full.h5", "vgg16_keras3.weights.h5", "vgg16_chunked_names.h5",
    "vgg16_variable_strings.h5",
  ])
  func baseFromEverySpelling(_ name: String) throws {
    let expected = try Expected()
    var network = try emptyVGG()
    let report = try load(name, into: &network)
    #expect(report.summary == "26 tensors loaded")
    try expectBase(of: network, expected)
    try expectBlocks(of: network, expected)
  }

  @Test(arguments: [
    "nested_keras3_full.h5", "nested_tf_keras_full.h5", "nested_tf_keras_weights.h5",
    "nested_chunked_names.h5", "nested_softmax_keras3_full.h5", "nested_keras3.weights.h5",
  ])
  func baseOutOfNestedModel(_ name: String) throws {
    let expected = try Expected()
    var network = try emptyVGG()
    let report = try load(name, into: &network)
    #expect(report.summary == "26 tensors loaded, 4 skipped")
    try expectBase(of: network, expected)
    try expectBlocks(of: network, expected)
  }

  @Test(arguments: ["vgg19_keras1.h5", "vgg19_keras3_legacy.h5"])
  func vgg19(_ name: String) throws {
    let expected = try Expected("vgg19")
    var network = try emptyVGG("vgg19")
    #expect(try load(name, into: &network).summary == "32 tensors loaded")
    try expectBase(of: network, expected)
    try expectBlocks(of: network, expected)
  }

  @Test(arguments: ["vgg16_top_keras1.h5", "vgg16_top_keras3_full.h5"])
  func withTop(_ name: String) throws {
    let expected = try Expected()
    var network = try emptyVGG(includesTop: true)
    #expect(try load(name, into: &network).summary == "32 tensors loaded")
    try expectBase(of: network, expected)
    expectClose(
      try predictions(network, expected), try expected.tensor("predictions/top").scalars,
      absolute: 1e-4, relative: 1e-4)
  }

  @Test func reportNamesEveryTensor() throws {
    var network = try emptyVGG()
    let report = try load("vgg16_top_keras1.h5", into: &network)
    #expect(report.rows.count == 32)
    #expect(report.rows[0].tensor == "/block1_conv1/block1_conv1_W_1:0")
    #expect(report.rows[0].parameter == "block1_conv1/kernel")
    #expect(report.rows[0].shape == [3, 3, 3, 4])
    #expect(report.rows[0].status == .loaded)
    #expect(report.rows[31].tensor == "/predictions/predictions_b_1:0")
    #expect(report.rows[31].parameter == nil)
    #expect(report.rows[31].status == .skipped)
  }

  @Test func partialLoadLeavesTheRest() throws {
    var network = try emptyVGG()
    let last = try #require(network.index(named: "block5_conv3"))
    let mark = counting([3, 3, 6, 6])
    network.updateLayer(at: last) { $0.parameters[0].value = mark }
    let report = try load("wrong_missing_layer.h5", into: &network, allowPartial: true)
    #expect(report.summary == "24 tensors loaded, 2 missing")
    #expect(network.nodes[last].layer.parameters[0].value == mark)
    let first = try Expected().tensor("weights/block1_conv1/kernel")
    #expect(network.nodes[1].layer.parameters[0].value == first)
    // Where nothing was before, numbers that the file lacks are zero.
    var fresh = try emptyVGG()
    #expect(fresh.nodes[last].layer.parameters[0].value.isPlaceholder)
    _ = try load("wrong_missing_layer.h5", into: &fresh, allowPartial: true)
    #expect(fresh.nodes[last].layer.parameters[0].value == Tensor(zeros: [3, 3, 6, 6]))
  }

  @Test func failureLeavesTheNetworkAlone() throws {
    var network = try emptyVGG()
    let before = TensorDigest.sha256(network)
    #expect(throws: WeightsError.self) { try load("wrong_nan.h5", into: &network) }
    #expect(throws: WeightsError.self) { try load("wrong_shape.h5", into: &network) }
    #expect(TensorDigest.sha256(network) == before)
  }
}

/// Names that the fixtures do not have.
@Suite struct NamesTests {
  private func network(_ names: [(String, scope: [String])]) throws -> Network {
    var network = Network(name: "net", inputShape: [4, 4, 2], inputName: "input")
    for (name, scope) in names {
      try network.add(
        Conv2D(name: name, kernel: Tensor(zeros: [1, 1, 2, 2]), bias: Tensor(zeros: [2])),
        scope: scope)
    }
    return network
  }

  private func load(
    _ layers: [(name: String, tensors: [(name: String, value: Tensor)])],
    into network: inout Network, backend: String? = nil
  ) throws -> LoadReport {
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "w.h5").path
      try writeLegacy(path, layers, backend: backend)
      let file = try KerasFile(path)
      defer { file.close() }
      return try WeightLoader.load(file, into: &network)
    }
  }

  private let kernel = counting([1, 1, 2, 2])
  private let bias = counting([2], from: 9)

  @Test(arguments: [
    ["uniform1", "conv_b"], ["uniform1", "normal7"], ["conv_1/kernel:0", "conv_1/bias:0"],
    ["model/conv/kernel", "model/conv/bias"], ["conv/kernel_1:0", "conv/bias_1:0"],
    ["conv_W", "conv_b"], ["other/kernel", "other/bias"],
  ])
  func tensorNames(_ names: [String]) throws {
    var network = try network([("conv", [])])
    _ = try load([("conv", [(names[0], kernel), (names[1], bias)])], into: &network)
    #expect(network.nodes[1].layer.parameters.map(\.value) == [kernel, bias])
  }

  @Test func orderOfNamedTensorsDoesNotMatter() throws {
    var network = try network([("conv", [])])
    _ = try load([("conv", [("conv/bias:0", bias), ("conv/kernel:0", kernel)])], into: &network)
    #expect(network.nodes[1].layer.parameters.map(\.value) == [kernel, bias])
  }

  @Test func slashesInLayerNames() throws {
    var network = try network([("fire2/squeeze", []), ("fire2/expand", [])])
    let other = counting([1, 1, 2, 2], from: 20)
    _ = try load(
      [
        ("fire2/squeeze", [("uniform2", kernel), ("fire2/squeeze_b", bias)]),
        ("fire2/expand", [("uniform3", other), ("fire2/expand_b", bias)]),
      ], into: &network)
    #expect(network.nodes[1].layer.parameters.map(\.value) == [kernel, bias])
    #expect(network.nodes[2].layer.parameters.map(\.value) == [other, bias])
  }

  @Test func scopesTellEqualNamesApart() throws {
    var network = try network([("conv", ["a"]), ("conv", ["b"])])
    let other = counting([1, 1, 2, 2], from: 20)
    let layers = [
      (
        "b",
        [("conv/kernel:0", other), ("conv/bias:0", bias), ("conv2/kernel:0", kernel)]
      ),
      (
        "a",
        [("conv/kernel:0", kernel), ("conv/bias:0", bias), ("conv2/kernel:0", kernel)]
      ),
    ]
    _ = try load(layers, into: &network)
    #expect(network.nodes[1].layer.parameters[0].value == kernel)
    #expect(network.nodes[2].layer.parameters[0].value == other)

    var flat = try self.network([("conv", [])])
    let text = message { _ = try load(layers, into: &flat) }
    #expect(text.contains("'conv/kernel' it could be of any of 'b/conv' and 'a/conv'"), "\(text)")
  }

  @Test func theanosKernelsAreTurned() throws {
    var network = Network(name: "net", inputShape: [4, 4, 1], inputName: "input")
    try network.add(Conv2D(name: "conv", kernel: Tensor(zeros: [2, 2, 1, 2]), bias: nil))
    let stored = Tensor(shape: [2, 2, 1, 2], scalars: [1, 2, 3, 4, 5, 6, 7, 8])
    let report = try load(
      [("conv", [("conv/kernel", stored)])], into: &network, backend: "theano")
    #expect(network.nodes[1].layer.parameters[0].value.scalars == [7, 8, 5, 6, 3, 4, 1, 2])
    #expect(
      report.notes == [
        "kernels are [height, width, in, out], turned by 180 degrees: the file names the backend "
          + "theano (--kernel-order says otherwise)"
      ])
  }

  @Test func placesOfLayersWithoutNames() throws {
    var network = try network([("first", []), ("second", [])])
    let other = counting([1, 1, 2, 2], from: 20)
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "w.weights.h5").path
      let file = try HDF5File.create(path)
      for (place, value) in [("conv2d", kernel), ("conv2d_1", other)] {
        let group = try file.root.createGroup("layers/\(place)/vars")
        try group.createDataset("0", shape: [1, 1, 2, 2], type: .float32).write(value.scalars)
        try group.createDataset("1", shape: [2], type: .float32).write(bias.scalars)
      }
      try file.close()
      let stored = try KerasFile(path)
      defer { stored.close() }
      #expect(stored.format == .objectWeights)
      _ = try WeightLoader.load(stored, into: &network)
    }
    #expect(network.nodes[1].layer.parameters.map(\.value) == [kernel, bias])
    #expect(network.nodes[2].layer.parameters.map(\.value) == [other, bias])
  }

  /// Large tensors may stay in the file: the same numbers, and the same errors.
  @Test func mappedTensorsAreThoseThatAreRead() throws {
    var empty = Network(name: "net", inputShape: [300], inputName: "input")
    try empty.add(
      Dense(name: "large", kernel: Tensor(zeros: [300, 400]), bias: Tensor(zeros: [400])))
    try empty.add(
      Dense(name: "small", kernel: Tensor(zeros: [400, 2]), bias: Tensor(zeros: [2])))
    var random = SeededRandom(seed: 4)
    var network = empty
    network.initialize(random: &random) { _ in true }
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "m.h5").path
      try KerasModel.write(network, to: path)
      let mapped = try KerasModel.read(path, mapped: true)
      let read = try KerasModel.read(path)
      for (index, node) in network.nodes.enumerated() {
        let tensors = node.layer.parameters.map(\.value)
        #expect(read.network.nodes[index].layer.parameters.map(\.value) == tensors)
        #expect(mapped.network.nodes[index].layer.parameters.map(\.value) == tensors)
      }
      #expect(mapped.report.summary == read.report.summary)
      #expect(TensorDigest.sha256(mapped.network) == TensorDigest.sha256(network))

      let stored = try KerasFile(path)
      let place = try #require(stored.layers.flatMap(\.tensors).first { $0.shape == [300, 400] })
      stored.close()
      let file = try HDF5File.openForWriting(path)
      var kernel = network.nodes[1].layer.parameters[0].value.scalars
      kernel[70_003] = .nan
      try file.root.dataset(place.path).write(kernel)
      try file.close()
      let text = message { _ = try KerasModel.read(path, mapped: true) }
      #expect(text == message { _ = try KerasModel.read(path) })
      #expect(text.hasSuffix("expected finite numbers, found nan at element 70003"))
    }
  }
}

@discardableResult
private func load(
  _ name: String, into network: inout Network, allowPartial: Bool = false
) throws -> LoadReport {
  let file = try KerasFile(fixture(name))
  defer { file.close() }
  return try WeightLoader.load(file, into: &network, allowPartial: allowPartial)
}
