import Compute
import Foundation
import HDF5
import Layers
import TestSupport
import Testing
import Weights

@Suite struct WrongFileTests {
  /// The error of loading a fixture into the tiny VGG16, with the file's name for its path.
  private func failure(_ name: String) throws -> String {
    var network = try emptyVGG()
    do {
      let file = try KerasFile(fixture(name))
      defer { file.close() }
      _ = try WeightLoader.load(file, into: &network)
    } catch {
      return "\(error)".replacing(fixture(name), with: name)
    }
    Issue.record("'\(name)' was loaded")
    return ""
  }

  @Test func otherNetwork() throws {
    let text = try failure("wrong_lenet.h5")
    #expect(
      text == "cannot load 'vgg16' from 'wrong_lenet.h5': none of its 26 tensors is in the file; "
        + "expected 13 convolutions named block1_conv1 ... block5_conv3, "
        + "found 2 convolutions named conv2d, conv2d_1, a classifier of 4 classes (dense, dense_1)")
  }

  @Test func missingLayer() throws {
    let text = try failure("wrong_missing_layer.h5")
    #expect(
      text == "cannot load 'vgg16' from 'wrong_missing_layer.h5': 2 of 26 tensors missing: "
        + "'block5_conv3/kernel', 'block5_conv3/bias'; "
        + "expected 13 convolutions named block1_conv1 ... block5_conv3, "
        + "found 12 convolutions named block1_conv1 ... block5_conv2")
  }

  @Test func otherShape() throws {
    let text = try failure("wrong_shape.h5")
    #expect(
      text == "cannot load 'vgg16' from 'wrong_shape.h5': 1 of 26 tensors not fitting: "
        + "'block3_conv2/kernel' expected [3, 3, 5, 5], found [3, 3, 4, 5]")
  }

  @Test func emptyBias() throws {
    #expect(
      try failure("wrong_empty_bias.h5")
        == "cannot load 'vgg16' from 'wrong_empty_bias.h5': 1 of 26 tensors not fitting: "
        + "'block4_conv1/bias' expected [5], found [0]; "
        + "an empty tensor, as after a write that failed")
  }

  @Test func notANumber() throws {
    let text = try failure("wrong_nan.h5")
    #expect(
      text == "cannot load '/block2_conv2/block2_conv2_W_1:0' from 'wrong_nan.h5': "
        + "expected finite numbers, found nan at element 75")
  }

  @Test func everythingIsListedAtOnce() throws {
    var network = Network(name: "net", inputShape: [2], inputName: "input")
    for name in ["a", "b", "c"] {
      try network.add(
        Dense(name: name, kernel: Tensor(zeros: [2, 2]), bias: Tensor(zeros: [2])))
    }
    try network.add(Dense(name: "d", kernel: Tensor(zeros: [2, 3]), bias: nil))
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "w.h5").path
      try writeLegacy(
        path,
        [
          ("a", [("a/kernel:0", counting([2, 2])), ("a/bias:0", counting([2]))]),
          ("b", [("b/kernel:0", counting([2, 2]))]),
          ("d", [("d/kernel:0", counting([3, 2]))]),
        ])
      let text = message {
        let file = try KerasFile(path)
        defer { file.close() }
        _ = try WeightLoader.load(file, into: &network)
      }
      #expect(
        text == "cannot load 'net' from '\(path)': "
          + "3 of 7 tensors missing: 'b/bias', 'c/kernel', 'c/bias'; "
          + "1 of 7 tensors not fitting: 'd/kernel' expected [2, 3], found [3, 2]; "
          + "looks transposed, the order of PyTorch; "
          + "expected a classifier of 3 classes (a ... d), found a classifier of 2 classes (a, b, d)"
      )
    }
  }

  @Test func weightsAreNoModel() throws {
    let path = fixture("vgg16_keras1.h5")
    #expect(
      message { _ = try KerasModel.read(path) }
        == "cannot read a model from '\(path)': expected a full model with 'model_config', "
        + "found weights alone (13 convolutions named block1_conv1 ... block5_conv3)")
  }

  @Test func otherHDF5File() throws {
    let path = fixture("tiny_vgg19_expected.h5")
    let expected =
      "cannot use '\(path)': expected a Keras file with 'layer_names', "
      + "found 'input', 'outputs', 'weights'"
    #expect(message { _ = try KerasModel.read(path) } == expected)
    var network = try emptyVGG()
    #expect(
      message { _ = try WeightLoader.load(KerasFile(path), into: &network) } == expected)
  }

  @Test(arguments: ["vgg16_keras1.h5", "nested_keras3_full.h5", "nested_keras3.weights.h5"])
  func truncatedFiles(_ name: String) throws {
    let whole = try Data(contentsOf: URL(filePath: fixture(name)))
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "cut.h5").path
      for count in [0, 1, 100, whole.count / 2, whole.count - 1] {
        try whole.prefix(count).write(to: URL(filePath: path))
        #expect(throws: HDF5Error.self, "\(count) bytes") {
          var network = try emptyVGG()
          let file = try KerasFile(path)
          defer { file.close() }
          _ = try WeightLoader.load(file, into: &network)
        }
      }
    }
  }

  @Test func missingGroup() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "w.h5").path
      let file = try HDF5File.create(path)
      try file.root.attributes.set("layer_names", strings: ["gone"])
      try file.close()
      #expect(message { _ = try KerasFile(path) } == "cannot find '/gone' in '\(path)'")
    }
  }
}
