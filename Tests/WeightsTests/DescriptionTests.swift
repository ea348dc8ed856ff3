import Compute
import Foundation
import HDF5
import TestSupport
import Testing
import Weights

@Suite struct DescriptionTests {
  @Test(arguments: [
    ("vgg16_keras1.h5", KerasFile.Format.legacyWeights, nil, nil),
    ("vgg16_keras2.h5", .legacyWeights, "2.2.4", "tensorflow"),
    ("vgg16_chunked_names.h5", .legacyWeights, "3.15.1", "tensorflow"),
    ("nested_keras3_full.h5", .fullModel, "3.15.1", "tensorflow"),
    ("nested_keras3.weights.h5", .objectWeights, nil, nil),
    ("tiny_vgg16_expected.h5", .notKeras, nil, nil),
  ])
  func formats(
    _ name: String, _ format: KerasFile.Format, _ version: String?, _ backend: String?
  ) throws {
    let file = try KerasFile(fixture(name))
    defer { file.close() }
    #expect(file.format == format)
    #expect(file.kerasVersion == version)
    #expect(file.backend == backend)
    #expect(file.hasConfiguration == (format == .fullModel))
  }

  @Test func summaryOfANestedModel() throws {
    let file = try KerasFile(fixture("nested_keras3_full.h5"))
    defer { file.close() }
    #expect(
      file.summary == [
        "A full Keras model (legacy HDF5 layout), written by Keras 3.15.1 on tensorflow.",
        "It holds 13 convolutions named block1_conv1 ... block5_conv3, "
          + "a classifier of one sigmoid unit (dense, dense_1).",
        "Kernels are [height, width, in, out]: the file names the backend tensorflow.",
        "Tensors: 30 of float32.",
        "Nested models: vgg16.", "14 of its 24 layers are marked as not trainable.",
        "The state of an optimizer is there; it is not used.",
      ])
  }

  @Test func summaryOfKeras1() throws {
    let file = try KerasFile(fixture("vgg16_keras1.h5"))
    defer { file.close() }
    #expect(
      file.summary == [
        "Keras weights (legacy HDF5 layout), written by Keras 1 (it names no version).",
        "It holds 13 convolutions named block1_conv1 ... block5_conv3.",
        "Kernels are [height, width, in, out]: nothing says otherwise.", "Tensors: 26 of float32.",
      ])
  }

  @Test func signature() throws {
    let file = try KerasFile(fixture("vgg16_keras1.h5"))
    defer { file.close() }
    #expect(file.signature.count == 13)
    #expect(file.signature[1].layer == "block1_conv2")
    #expect(file.signature[1].shapes == [[3, 3, 4, 4], [4]])
    #expect(file.layers.count == 19)
  }

  @Test func layersBeforeKeras1_1() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "old.h5").path
      let file = try HDF5File.create(path)
      try file.root.attributes.set("nb_layers", integer: 2)
      for index in 0..<2 {
        let group = try file.root.createGroup("layer_\(index)")
        try group.attributes.set("nb_params", integer: Int64(index))
        if index == 1 { try group.createDataset("param_0", shape: [2, 3], type: .float32) }
      }
      try file.close()
      let old = try KerasFile(path)
      defer { old.close() }
      #expect(old.format == .unnamedLayers)
      #expect(old.layers.map(\.name) == ["layer_0", "layer_1"])
      #expect(old.layers[1].tensors.map(\.shape) == [[2, 3]])
      #expect(
        old.summary == [
          "Weights from before Keras 1.1, without layer names.",
          "It holds a classifier of 3 classes (layer_1).",
          "Tensors: 1 of float32.", "Its layers have no names, only places.",
        ])
    }
  }
}

@Suite struct DigestTests {
  @Test func md5AndSha256OfFiles() throws {
    try Locations.withTemporaryFolder { folder in
      let file = folder.appending(path: "abc")
      try Data("abc".utf8).write(to: file)
      // RFC 1321, A.5, and FIPS 180-2, B.1.
      #expect(try FileDigest.md5(file.path) == "900150983cd24fb0d6963f7d28e17f72")
      #expect(
        try FileDigest.sha256(file.path)
          == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
      #expect(
        message { _ = try FileDigest.md5(folder.path + "/none") }
          == "cannot read '\(folder.path)/none': no such file")
    }
  }

  // In Python: hashlib.sha256(struct.pack("<Q", 6) + b"kernel" + struct.pack("<QQQ", 2, 1, 2)
  // + numpy.array([1, -2.5], "<f4").tobytes()).hexdigest()
  @Test func tensorDigest() {
    let tensor = Tensor(shape: [1, 2], scalars: [1, -2.5])
    #expect(
      TensorDigest.sha256(tensor, name: "kernel")
        == "4cfce81cb5ed0ec60ed09482eb035ad3105001a958d0650f1934da1d5886ac65")
  }

  @Test func everythingCounts() {
    let tensor = counting([2, 3])
    let digests = [
      TensorDigest.sha256(tensor, name: "a"), TensorDigest.sha256(tensor, name: "b"),
      TensorDigest.sha256(tensor.reshaped([3, 2]), name: "a"),
      TensorDigest.sha256(counting([2, 3], from: 2), name: "a"),
    ]
    #expect(Set(digests).count == 4)
  }

  @Test func sameBaseFromEverySpelling() throws {
    var digests = Set<String>()
    for name in ["vgg16_keras1.h5", "vgg16_keras3_full.h5", "nested_tf_keras_weights.h5"] {
      var network = try emptyVGG()
      let file = try KerasFile(fixture(name))
      defer { file.close() }
      _ = try WeightLoader.load(file, into: &network)
      digests.insert(TensorDigest.sha256(network))
    }
    #expect(digests.count == 1)
    let nested = try KerasModel.read(fixture("nested_keras3_full.h5")).network
    #expect(TensorDigest.sha256(nested.nodes[...18]) == digests.first)
    #expect(TensorDigest.sha256(nested) != digests.first)
  }
}
