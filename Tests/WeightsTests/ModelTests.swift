import Compute
import Foundation
import HDF5
import Layers
import TestSupport
import Testing
import Weights

@Suite struct ModelReadingTests {
  @Test(arguments: [
    ("nested_keras3_full.h5", "nested"), ("nested_tf_keras_full.h5", "nested"),
    ("nested_softmax_keras3_full.h5", "nested_softmax"), ("vgg16_top_keras3_full.h5", "top"),
  ])
  func predictsAsKeras(_ name: String, _ key: String) throws {
    let expected = try Expected()
    let model = try KerasModel.read(fixture(name))
    try expectBase(of: model.network, expected)
    try expectBlocks(of: model.network, expected)
    for node in model.network.nodes where node.layer is Dense {
      for parameter in node.layer.parameters {
        let tensor = try expected.tensor("head_weights/\(key)/\(node.name)/\(parameter.name)")
        #expect(parameter.value == tensor)
      }
    }
    expectClose(
      try predictions(model.network, expected), try expected.tensor("predictions/\(key)").scalars,
      absolute: 1e-4, relative: 1e-4)
    #expect(model.extras == ModelExtras())
    #expect(model.report.count(.skipped) == 0)
  }

  @Test(arguments: ["nested_keras3_full.h5", "nested_tf_keras_full.h5"])
  func nestedModelIsLaidOutFlat(_ name: String) throws {
    let network = try KerasModel.read(fixture(name)).network
    #expect(network.name == "sequential")
    #expect(network.nodes.count == 1 + 18 + 4)
    #expect(network.nodes[0].scope.isEmpty)
    #expect(network.nodes[1...18].allSatisfy { $0.scope == ["vgg16"] })
    #expect(network.nodes[19...].allSatisfy { $0.scope.isEmpty })
    let trained = network.nodes.filter { $0.isTrainable && $0.hasParameters }.map(\.name)
    #expect(trained == ["block5_conv1", "block5_conv2", "block5_conv3", "dense", "dense_1"])
  }

  @Test func inputOfAnySizeNeedsAShape() throws {
    let path = fixture("vgg16_keras3_full.h5")
    #expect(
      message { _ = try KerasModel.read(path) }
        == "cannot build the model of '\(path)': its input [any, any, 3] has no fixed size")
    let expected = try Expected()
    let network = try KerasModel.read(path, inputShape: [32, 32, 3]).network
    try expectBlocks(of: network, expected)
    #expect(try KerasModel.read(path, inputShape: [64, 96, 3]).network.outputShape == [2, 3, 6])
    #expect(
      message { _ = try KerasModel.read(path, inputShape: [32, 32, 1]) }
        == "cannot build the model of '\(path)': expected an input [any, any, 3], "
        + "found [32, 32, 1]")
  }

  @Test func fixedSizeMayBeOverridden() throws {
    let base = try KerasModel.read(fixture("vgg16_tf_keras_full.h5"), inputShape: [64, 64, 3])
    #expect(base.network.outputShape == [2, 2, 6])
    // Dense after Flatten wants [6, 6]; the file's kernel tells.
    let path = fixture("nested_keras3_full.h5")
    #expect(
      message { _ = try KerasModel.read(path, inputShape: [64, 64, 3]) }.hasPrefix(
        "cannot load 'sequential' from '\(path)': 1 of 30 tensors not fitting: "
          + "'dense/kernel' expected [24, 6], found [6, 6]"))
  }

  @Test func keras1Configuration() throws {
    let json = """
      {"class_name": "Sequential", "config": [
        {"class_name": "Convolution2D", "config": {"name": "convolution2d_1", "nb_filter": 2,
          "nb_row": 1, "nb_col": 1, "border_mode": "same", "subsample": [1, 1],
          "dim_ordering": "tf", "bias": true, "activation": "relu", "trainable": false,
          "batch_input_shape": [null, 4, 4, 2]}},
        {"class_name": "MaxPooling2D", "config": {"name": "p", "pool_size": [2, 2],
          "strides": [2, 2], "border_mode": "valid", "dim_ordering": "tf"}},
        {"class_name": "Flatten", "config": {"name": "f"}},
        {"class_name": "Dropout", "config": {"name": "d", "p": 0.5}},
        {"class_name": "Dense", "config": {"name": "dense_1", "output_dim": 1, "bias": false,
          "activation": "sigmoid"}}]}
      """
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "m.h5").path
      let (kernel, bias, dense) = (counting([1, 1, 2, 2]), counting([2]), counting([8, 1]))
      try writeLegacy(
        path,
        [
          ("convolution2d_1", [("convolution2d_1_W:0", kernel), ("convolution2d_1_b:0", bias)]),
          ("dense_1", [("dense_1_W:0", dense)]),
        ], configuration: json)
      let network = try KerasModel.read(path).network
      #expect(
        network.nodes.map(\.layer.className).joined(separator: " ")
          == "InputLayer Conv2D MaxPooling2D Flatten Dropout Dense")
      #expect(network.inputShape == [4, 4, 2])
      #expect(network.outputShape == [1])
      #expect(network.nodes[1].layer.parameters.map(\.value) == [kernel, bias])
      #expect(network.nodes[5].layer.parameters.map(\.value) == [dense])
      #expect(!network.nodes[1].isTrainable)
      #expect(network.nodes[5].isTrainable)
    }
  }
}

/// Models that a network cannot be.
@Suite struct ModelRefusalTests {
  private static let input = #"""
    {"class_name": "InputLayer", "name": "i", "inbound_nodes": [],
      "config": {"name": "i", "batch_shape": [null, 4, 4, 2]}}
    """#

  private static func layer(_ name: String, _ uses: String, _ className: String = "Flatten")
    -> String
  {
    """
    {"class_name": "\(className)", "name": "\(name)", "inbound_nodes": \(uses),
      "config": {"name": "\(name)"}}
    """
  }

  private static func functional(
    _ layers: [String], inputs: String = #"["i", 0, 0]"#, outputs: String = #"["a", 0, 0]"#
  ) -> String {
    """
    {"class_name": "Functional", "config": {"name": "m",
      "layers": [\(([input] + layers).joined(separator: ", "))],
      "input_layers": \(inputs), "output_layers": \(outputs)}}
    """
  }

  private static let limits =
    "expected one input, one output and layers called with tensors alone, found "

  private static let cases: [(json: String, error: String)] = [
    (
      functional([], inputs: #"[["i", 0, 0], ["j", 0, 0]]"#),
      "cannot use the model of 'm.h5': \(limits)2 inputs of 'm'"
    ),
    (
      functional(
        [layer("a", #"[[["i", 0, 0, {}]]]"#)], outputs: #"[["a", 0, 0], ["i", 0, 0]]"#),
      "cannot use the model of 'm.h5': \(limits)2 outputs of 'm'"
    ),
    (
      functional([layer("a", #"[[["i", 0, 0, {"training": true}]]]"#)]),
      "cannot use the model of 'm.h5': \(limits)layer 'a' called with 'training'"
    ),
    (
      functional([layer("a", #"[[["b", 0, 0, {}]]]"#)]),
      "cannot read the model of 'm.h5': the sources of layer 'a' are not in 'm'"
    ),
    (
      functional([layer("b", #"[[["i", 0, 0, {}]]]"#)]),
      "cannot read the model of 'm.h5': its output 'a' is no layer"
    ),
    (
      #"{"class_name": "Sequential", "config": {"name": "s"}}"#,
      "cannot read the model of 'm.h5': a Sequential has no list of layers"
    ),
    (
      #"{"class_name": "Sequential", "config": [{"name": "s"}]}"#,
      "cannot read the model of 'm.h5': an entry has no 'class_name' and 'config'"
    ),
    (
      #"{"class_name": "Dense", "config": {"name": "d"}}"#,
      "cannot use the model of 'm.h5': \(limits)a Dense"
    ),
    (
      #"{"class_name": "Sequential", "#,
      "cannot read 'model_config' of 'm.h5': expected JSON, "
        + #"found '{"class_name": "Sequential", '"#
    ),
  ]

  @Test(arguments: cases.indices) func refuses(_ index: Int) throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "m.h5").path
      try writeLegacy(path, [], configuration: Self.cases[index].json)
      let text = message { _ = try KerasModel.read(path) }
      #expect(text.replacing(path, with: "m.h5") == Self.cases[index].error)
    }
  }

  @Test func unknownClass() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "m.h5").path
      let json = Self.functional([Self.layer("a", #"[[["i", 0, 0, {}]]]"#, "Lambda")])
      try writeLegacy(path, [], configuration: json)
      let layers = LayerError.unknownClass("Lambda", layer: "a")
      #expect(throws: WeightsError.unusableLayers(layers, path: path)) {
        try KerasModel.read(path)
      }
    }
  }
}
