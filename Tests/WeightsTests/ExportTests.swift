import Compute
import Foundation
import HDF5
import Layers
import TestSupport
import Testing

@testable import Weights

/// Files for other programs, compared with those that Keras wrote of the same model.
@Suite struct ExportTests {
  private static let extras = ModelExtras(
    classNames: ["cats", "dögs, \"wild\""], preprocessing: "caffe", imageSize: [32, 40],
    interpolation: "nearest", fit: "squash", ignoresOrientation: true, decodesFast: false,
    history: #"[{"seed": 1}]"#, baseDescription: "vgg16 from vgg16_notop.h5",
    freezeProof: "20 tensors unchanged", version: "0.1.0", head: "dense")

  private func nested() throws -> Network {
    try KerasModel.read(fixture("nested_keras3_full.h5")).network
  }

  /// Path and shape of every dataset, and the names that groups of tensors carry.
  private func layout(_ path: String) throws -> [String] {
    let file = try HDF5File.open(path)
    defer { try? file.close() }
    func list(_ group: HDF5Group, _ place: String) throws -> [String] {
      let name = place.hasSuffix("/vars") ? try group.attributes.string("name") : nil
      return try [place + (name.map { " of \($0)" } ?? "")]
        + group.children().flatMap { child in
          let path = "\(place)/\(child.name)"
          return child.kind == .group
            ? try list(group.group(child.name), path)
            : ["\(path) \(try group.dataset(child.name).shape)"]
        }
    }
    return try list(file.root, "").sorted()
  }

  @Test func objectWeightsLieWhereKerasPutsThem() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "m.weights.h5").path
      try KerasModel.writeObjectWeights(try nested(), to: path, extras: Self.extras)
      let golden = try layout(fixture("nested_keras3.weights.h5"))
      // Keras also has an empty group for the input of a nested model.
      #expect(try layout(path) == golden.filter { !$0.contains("/input_layer") })
      let again = try KerasModel.read(path)
      #expect(again.extras == Self.extras)
      expectSame(again.network, try nested())
    }
  }

  private func expectSame(
    _ a: Network, _ b: Network, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(a.nodes.map(\.name) == b.nodes.map(\.name), sourceLocation: sourceLocation)
    #expect(a.nodes.map(\.scope) == b.nodes.map(\.scope), sourceLocation: sourceLocation)
    #expect(
      a.nodes.map(\.isTrainable) == b.nodes.map(\.isTrainable), sourceLocation: sourceLocation)
    #expect(TensorDigest.sha256(a) == TensorDigest.sha256(b), sourceLocation: sourceLocation)
  }

  /// Names by Keras's `to_snake_case`.
  @Test(arguments: [
    ("Conv2D", "conv2d"), ("Conv2DTranspose", "conv2d_transpose"), ("ReLU", "re_lu"),
    ("PReLU", "p_re_lu"), ("LeakyReLU", "leaky_re_lu"), ("ELU", "elu"),
    ("DepthwiseConv2D", "depthwise_conv2d"), ("BatchNormalization", "batch_normalization"),
    ("GlobalAveragePooling2D", "global_average_pooling2d"), ("UpSampling2D", "up_sampling2d"),
    ("Functional", "functional"), ("SeparableConv2D", "separable_conv2d"),
  ]) func classesAreCountedUnderKerasNames(className: String, name: String) {
    #expect(ObjectLayout.place(className: className, count: 0) == name)
    #expect(ObjectLayout.place(className: className, count: 2) == name + "_2")
  }

  /// Keras 2 and 3 mean different functions by one name.
  @Test(arguments: [
    (PointwiseFunction.relu, "2.15.0"), (.hardSigmoid(slope: 0.2), "2.15.0"),
    (.hardSigmoid(slope: 1 / 6), "3.0.0"),
  ]) func theVersionSaysWhichFunctionIsMeant(function: PointwiseFunction, version: String) throws {
    var network = Network(name: "net", inputShape: [2], inputName: "input")
    try network.add(Activation(name: "function", activation: function), scope: ["inner"])
    #expect(KerasSpelling.version(of: try ModelTree(network)) == version)
  }

  @Test func archivesNameTheModuleOfEveryClass() throws {
    let tree = try ModelTree(nested())
    let model = tree.archiveConfiguration
    #expect(model["module"] == "keras" && model["class_name"] == "Sequential")
    let layers = try #require(model["config"]?["layers"]?.array)
    let base = try #require(layers.first { $0["config"]?["name"] == "vgg16" })
    #expect(base["module"] == "keras" && base["class_name"] == "Model")
    let inner = try #require(base["config"]?["layers"]?.array)
    #expect(inner.count == 19)
    #expect(inner.allSatisfy { $0["module"] == "keras.layers" })
    #expect(inner.allSatisfy { $0["inbound_nodes"] != nil })
  }

  private struct Header {
    let fields: [String: JSONValue]
    let numbers: Data

    init(_ path: String) throws {
      let data = try Data(contentsOf: URL(filePath: path))
      let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      #expect(length % 8 == 0)
      let text = String(decoding: data[8..<8 + length], as: UTF8.self)
      fields = try #require(try JSONText.value(text).object)
      numbers = Data(data[(8 + length)...])
    }
  }

  @Test(arguments: NumberType.allCases) func safetensors(type: NumberType) throws {
    let network = try nested()
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "m.safetensors").path
      try SafetensorsWriter.write(network, to: path, extras: Self.extras, type: type)
      let header = try Header(path)
      let metadata = try #require(header.fields["__metadata__"]?.object)
      #expect(ModelExtras(texts: metadata.compactMapValues(\.string)) == Self.extras)
      #expect(metadata["format"] == "keras")
      var end = 0
      for (name, tensor) in network.namedTensors {
        let entry = try #require(header.fields[name], "\(name)")
        #expect(entry["dtype"] == (type == .float32 ? "F32" : "F16"))
        #expect(entry["shape"] == .array(tensor.shape.map { .integer($0) }))
        let start = end
        end += tensor.count * type.size
        #expect(entry["data_offsets"] == [.integer(start), .integer(end)])
        let bytes = [UInt8](header.numbers[start..<end])
        if type == .float32 {
          #expect(bytes == tensor.littleEndianBytes(0..<tensor.count))
        } else {
          let found = stride(from: 0, to: bytes.count, by: 2).map {
            Float(Float16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8))
          }
          expectClose(found, tensor.scalars, absolute: 1e-7, relative: 1e-3, name)
        }
      }
      #expect(header.numbers.count == end)
      #expect(header.fields.count == network.namedTensors.count + 1)
      #expect(network.namedTensors[0].name == "vgg16/block1_conv1/kernel")
    }
  }

  @Test func halvesOfFullModels() throws {
    let network = try nested()
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "m.h5").path
      try KerasModel.write(network, to: path, type: .float16)
      let again = try KerasModel.read(path).network
      for (a, b) in zip(again.namedTensors, network.namedTensors) {
        expectClose(a.value.scalars, b.value.scalars, absolute: 1e-7, relative: 1e-3, a.name)
      }
      #expect(TensorDigest.sha256(again) != TensorDigest.sha256(network))
    }
  }

  @Test(arguments: [(Float(70_000), NumberType.float16), (.infinity, .float32), (.nan, .float32)])
  func whatATypeCannotHoldIsRefused(number: Float, type: NumberType) throws {
    var network = Network(name: "net", inputShape: [2], inputName: "input")
    try network.add(
      Dense(
        name: "dense", kernel: Tensor(shape: [2, 1], scalars: [1, number]), bias: nil,
        activation: .linear), scope: ["inner"])
    try Locations.withTemporaryFolder { folder in
      let path = folder.path + "/m"
      try Data("old".utf8).write(to: URL(filePath: path))
      let expected = WeightsError.cannotStore(
        "inner/dense/kernel", value: "\(number)", type: type.rawValue)
      #expect(throws: expected) { try KerasModel.write(network, to: path, type: type) }
      #expect(throws: expected) { try KerasModel.writeArchive(network, to: path, type: type) }
      #expect(throws: expected) {
        try KerasModel.writeObjectWeights(network, to: path, type: type)
      }
      #expect(throws: expected) {
        try SafetensorsWriter.write(network, to: path, extras: ModelExtras(), type: type)
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["m"])
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
    }
  }
}
