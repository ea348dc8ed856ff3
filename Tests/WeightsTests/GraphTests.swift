import Compute
import HDF5
import Layers
import TestSupport
import Testing
import Weights

/// Full models of odd graphs and layers as Keras saved them: shared and nested models, rare layers,
/// and models with their channels first.
@Suite struct GraphTests {
  static let files = [
    "graph_shared_keras3", "graph_shared_tf_keras", "graph_deep_keras3", "graph_deep_tf_keras",
    "first_flatten", "first_plain_flatten", "first_normalized_flatten",
  ]

  /// What Keras computed, as written beside the model.
  private struct Golden {
    let file: HDF5File
    var group: HDF5Group { get throws { try file.root.group("golden") } }

    init(_ path: String) throws { file = try HDF5File.open(path) }
  }

  @Test(arguments: files) func computesAsKeras(_ name: String) throws {
    let path = fixture(name + ".h5")
    let network = try KerasModel.read(path).network
    let golden = try Golden(path)
    defer { try? golden.file.close() }
    try expectOutput(of: network, golden, name)
    #expect(
      try golden.group.attributes.integer("parameters").map { Int($0) } == network.parameterCount)
  }

  private func expectOutput(
    of network: Network, _ golden: Golden, _ what: String
  ) throws {
    let output = network.plan(outputs: [network.outputIndex])
      .run(try golden.group.tensor("input"))[0]
    try expectClose(
      output.scalars, golden.group.tensor("output").scalars, absolute: 1e-4, relative: 1e-4, what)
  }

  /// With everything trained: gradients of shared layers add up.
  @Test(arguments: files) func gradientsAreThoseOfKeras(_ name: String) throws {
    let path = fixture(name + ".h5")
    var network = try KerasModel.read(path).network
    // Noise is for training only, and Keras differentiated a prediction.
    for index in network.nodes.indices where network.nodes[index].layer is any NoiseLayer {
      let name = network.nodes[index].name
      network.updateLayer(at: index) { $0 = Activation(name: name, activation: .linear) }
    }
    network.setTrainable(Set(network.nodes.indices))
    let golden = try Golden(path)
    defer { try? golden.file.close() }
    let cut = try FreezeCut(network)
    let boundary = network.plan(outputs: [cut.boundary]).run(try golden.group.tensor("input"))[0]
    var random = SeededRandom(seed: 1)
    let pass = network.forward(suffix: cut, from: boundary, random: &random)
    try expectClose(
      pass.output.scalars, golden.group.tensor("output").scalars, absolute: 1e-4, relative: 1e-4)
    let gradients = network.backward(
      suffix: cut, pass: pass, logitsGradient: try golden.group.tensor("output_gradient"))
    var count = 0
    for (node, tensors) in gradients {
      let layer = network.nodes[node].layer
      for (parameter, tensor) in zip(layer.parameters.filter(\.isTrainable), tensors) {
        let expected = try golden.group.tensor("gradients/\(layer.name)/\(parameter.name)")
        let largest = expected.scalars.reduce(0) { max($0, abs($1)) }
        expectClose(
          tensor.scalars, expected.scalars, absolute: 1e-4 * largest, relative: 1e-4,
          "\(layer.name)/\(parameter.name)")
        count += 1
      }
    }
    let all = try golden.group.group("gradients").children()
    #expect(
      try all.reduce(0) { try $0 + golden.group.group("gradients/\($1.name)").children().count }
        == count)
  }

  /// What we write is read again as it was, every parameter once.
  @Test(arguments: files) func comesBack(_ name: String) throws {
    let path = fixture(name + ".h5")
    let network = try KerasModel.read(path).network
    let golden = try Golden(path)
    defer { try? golden.file.close() }
    try Locations.withTemporaryFolder { folder in
      let copy = folder.appending(path: "copy.h5").path
      try KerasModel.write(network, to: copy)
      let again = try KerasModel.read(copy)
      #expect(again.network.parameterCount == network.parameterCount)
      #expect(again.report.count(.skipped) == 0)
      #expect(
        again.network.nodes.map(\.calls).sorted { $0.lexicographicallyPrecedes($1) }
          == network.nodes.map(\.calls).sorted { $0.lexicographicallyPrecedes($1) })
      try expectOutput(of: again.network, golden, "\(name) written")
    }
  }

  @Test func parametersOfSharedLayersExistOnce() throws {
    var network = try KerasModel.read(fixture("graph_shared_keras3.h5")).network
    let uses = network.nodes.indices.filter { network.nodes[$0].name == "inner_conv" }
    #expect(uses.count == 3)
    #expect(uses.dropFirst().allSatisfy { network.nodes[$0].sharedWith == uses[0] })
    #expect(uses.dropFirst().allSatisfy { !network.nodes[$0].hasParameters })
    let ones = Tensor(shape: [4], scalars: [1, 1, 1, 1])
    network.updateLayer(at: uses[2]) { $0.parameters[1].value = ones }
    #expect(uses.allSatisfy { network.nodes[$0].layer.parameters[1].value == ones })
    network.setTrainable(at: uses[0], false)
    #expect(uses.allSatisfy { !network.nodes[$0].isTrainable })
    // The second use alone: it has the parameters then.
    let second = try #require(network.nodes.lastIndex { $0.name == "twice" })
    let part = network.ending(at: second)
    #expect(part.nodes.filter { $0.name == "twice" }.map(\.hasParameters) == [true, false])
  }

  @Test func channelsFirstIsTurnedAndSaid() throws {
    let model = try KerasModel.read(fixture("first_plain_flatten.h5"))
    #expect(model.network.inputShape == [8, 6, 3])
    #expect(!model.network.nodes.contains { $0.name.hasPrefix("flatten_") })
    #expect(model.report.notes.contains { $0.hasPrefix("rows of dense layers") })
    // The rows of a dense layer are not all that hangs on the order there.
    let normalized = try KerasModel.read(fixture("first_normalized_flatten.h5"))
    #expect(normalized.network.nodes.contains { $0.name == "flatten_channels_first_0" })
    let flat = try KerasModel.read(fixture("first_flatten.h5")).network
    #expect(!flat.nodes.contains { $0.name.hasPrefix("flatten_") })
  }

  @Test func randomLayersAreSaidToDoNothing() throws {
    let model = try KerasModel.read(fixture("graph_deep_keras3.h5"))
    #expect(model.report.notes.contains { $0.contains("'flip'") })
  }

  @Test(
    arguments: [
      (
        #"{"class_name": "TFOpLambda", "name": "tf.math.add", "config": {"name": "tf.math.add"}, "#
          + #""inbound_nodes": [["i", 0, 0, {"y": 3.0}]]}"#, "TFOpLambda", "tf.math.add"
      ),
      (
        #"{"class_name": "Add", "module": "keras.src.ops.numpy", "name": "add", "config": "#
          + #"{"name": "add"}, "inbound_nodes": [{"args": [3.0], "kwargs": {}}]}"#, "ops.Add", "add"
      ),
    ])
  func computationsWithoutALayerAreNamed(
    _ layer: String, _ className: String, _ place: String
  ) throws {
    let inner = """
      {"class_name": "Functional", "name": "inner", "inbound_nodes": [[["i", 0, 0, {}]]],
        "config": {"name": "inner", "layers": [{"class_name": "InputLayer", "name": "i",
        "inbound_nodes": [], "config": {"name": "i", "batch_shape": [null, 4]}}, \(layer)],
        "input_layers": ["i", 0, 0], "output_layers": ["\(place)", 0, 0]}}
      """
    let json = """
      {"class_name": "Functional", "config": {"name": "m", "layers": [{"class_name": "InputLayer",
        "name": "i", "inbound_nodes": [], "config": {"name": "i", "batch_shape": [null, 4]}},
        \(inner)], "input_layers": ["i", 0, 0], "output_layers": ["inner", 0, 0]}}
      """
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "m.h5").path
      try writeLegacy(path, [], configuration: json)
      let error = LayerError.unknownClass(className, layer: "inner/\(place)")
      #expect(throws: WeightsError.unusableLayers(error, path: path)) {
        try KerasModel.read(path)
      }
    }
  }
}
