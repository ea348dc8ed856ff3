import Archives
import Compute
import Foundation
import HDF5
import Layers
import TestSupport
import Testing
import Weights

/// One small model in every format: see `Tests/Reference/make_format_fixtures.py`.
@Suite struct FormatTests {
  private func path(_ name: String) -> String { fixture("Formats/" + name) }

  private func expected() throws -> HDF5Group { try HDF5File.open(path("expected.h5")).root }

  /// The model with nothing in it.
  private func emptyModel() throws -> Network {
    let file = try KerasFile(path("keras3.keras"))
    defer { file.close() }
    var network = try file.network().0
    for index in network.nodes.indices {
      network.updateLayer(at: index) { layer in
        for parameter in layer.parameters.indices {
          layer.parameters[parameter].value = Tensor(
            zeros: layer.parameters[parameter].value.shape)
        }
      }
    }
    return network
  }

  /// Compares all tensors with what Keras was given, and the predictions with Keras's.
  private func expectModel(_ network: Network, tolerance: Float = 0) throws {
    let expected = try expected()
    for node in network.nodes {
      for parameter in node.layer.parameters {
        let name = "\(node.name)/\(parameter.name)"
        let tensor = try expected.tensor("weights/" + name)
        #expect(parameter.value.shape == tensor.shape, "\(name)")
        expectClose(
          parameter.value.scalars, tensor.scalars, absolute: tolerance, relative: 0, name)
      }
    }
    let output = network.plan(outputs: [network.outputIndex]).run(try expected.tensor("input"))[0]
    expectClose(
      output.scalars, try expected.tensor("whole").scalars, absolute: max(1e-5, tolerance),
      relative: 1e-4, "predictions")
  }

  @Test(arguments: ["keras3.keras", "nameless.keras", "tensorflow213.keras"])
  func archives(_ name: String) throws {
    let file = try KerasFile(path(name))
    defer { file.close() }
    #expect(file.format == .archive)
    #expect(file.kerasVersion == (name == "tensorflow213.keras" ? "2.13.1" : "3.15.1"))
    let (network, report) = try file.network()
    #expect(report.summary == "14 tensors loaded")
    #expect(report.notes == [])
    try expectModel(network)
  }

  @Test(arguments: [
    "keras3", "nameless", "tensorflow212", "float16", "float64", "bfloat16",
  ])
  func weights(_ name: String) throws {
    var network = try emptyModel()
    let file = try KerasFile(path(name + ".weights.h5"))
    defer { file.close() }
    #expect(file.format == .objectWeights)
    #expect(file.isNameless == ["nameless", "tensorflow212"].contains(name))
    #expect(try WeightLoader.load(file, into: &network).summary == "14 tensors loaded")
    try expectModel(network)
    if name.contains("float") {
      #expect(file.summary.contains("Tensors: 14 of \(name)."))
    }
  }

  @Test func unpackedArchive() throws {
    try Locations.withTemporaryFolder { folder in
      let archive = try ZipArchive(path("keras3.keras"))
      for member in archive.members {
        try archive.extract(member.name, to: folder.appending(path: member.name).path)
      }
      try expectModel(try KerasModel.read(folder.path).network)
    }
    try Locations.withTemporaryFolder { folder in
      #expect(
        message { _ = try KerasFile(folder.path) }
          == "cannot open '\(folder.path)': expected a file, found a directory")
    }
  }

  @Test func nothingIsLeftOfUnpacking() throws {
    let folder = FileManager.default.temporaryDirectory.path
    func files() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder).filter {
        $0.hasPrefix("tl-") && $0.hasSuffix(".h5")
      }
    }
    let before = try files()
    let file = try KerasFile(path("keras3.keras"))
    defer { file.close() }
    #expect(try files().filter { !before.contains($0) } == [])
  }

  private static let place = "layers/functional/layers/conv2d/vars/0"

  @Test(arguments: [
    (
      "wrong_missing.keras",
      "cannot use the archive 'F': expected a member 'model.weights.h5', found 'metadata.json', "
        + "'config.json'"
    ),
    (
      "wrong_doubled.keras",
      "refused to open 'config.json' in the archive 'F': it is there 2 times"
    ),
    (
      "wrong_npz.keras",
      "cannot use the model of 'F': expected one input, one output and layers called with tensors alone, "
        + "found weights in NumPy's format, 'model.weights.npz'"
    ),
    (
      "wrong_json.keras",
      "cannot read 'config.json' of 'F': expected JSON, found 1 bytes that are none"
    ),
    (
      "wrong_bomb.keras",
      "refused to open 'model.weights.h5' in the archive 'F': 81539 bytes that declare to unpack "
        + "to 83886080"
    ),
    ("wrong_soft.weights.h5", "refused to open '/\(place)' in 'F': a soft link to '/elsewhere'"),
    (
      "wrong_external.weights.h5",
      "refused to open '/\(place)' in 'F': an external link to '/x' in another file, 'other.h5'"
    ),
    (
      "wrong_storage.weights.h5",
      "refused to open '/\(place)' in 'F': its elements lie in 1 other file(s)"
    ),
    (
      "wrong_absurd.weights.h5",
      "refused to open '/\(place)' in 'F': it declares 4398046511104 bytes, and the file holds "
        + "40992 of them"
    ),
    (
      "wrong_virtual.weights.h5",
      "refused to open '/\(place)' in 'F': a virtual dataset, put together from others"
    ),
  ])
  func refusals(_ name: String, _ text: String) throws {
    let path = path(name)
    #expect(
      message { _ = try KerasFile(path) } == text.replacingOccurrences(of: "'F'", with: "'\(path)'")
    )
  }

  @Test(arguments: [[0x80, 0x02, 0x8A, 0x0A], [0x80, 0x05, 0x95, 0]] as [[UInt8]])
  func pickles(_ start: [UInt8]) throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "model.pth").path
      try Data(start + [UInt8](repeating: 0, count: 100)).write(to: URL(filePath: path))
      #expect(throws: WeightsError.torchFile(path: path)) { try KerasFile(path) }
      try ZipArchive.write(
        path, [.init("model/data.pkl", .bytes([0x80])), .init("model/version", .bytes([0x33]))])
      #expect(throws: WeightsError.torchFile(path: path)) { try KerasFile(path) }
    }
  }

  /// What `tl export` writes is read again: network, frozen layers and what rides along.
  @Test(arguments: ["m.keras", "m.weights.h5", "m.safetensors"])
  func exportsComeBack(_ name: String) throws {
    let network = try KerasModel.read(fixture("nested_keras3_full.h5")).network
    let extras = ModelExtras(
      classNames: ["cats", "dogs"], preprocessing: "rescale", imageSize: [32, 32],
      interpolation: "nearest", fit: "squash", ignoresOrientation: false, decodesFast: true,
      history: "[]", baseDescription: "vgg16 from x.h5", freezeProof: "20 unchanged", version: "1",
      head: "flatten")
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: name).path
      switch name {
      case "m.keras": try KerasModel.writeArchive(network, to: path, extras: extras)
      case "m.weights.h5": try KerasModel.writeObjectWeights(network, to: path, extras: extras)
      default: try SafetensorsWriter.write(network, to: path, extras: extras)
      }
      let model = try KerasModel.read(path)
      #expect(model.report.summary == "30 tensors loaded")
      #expect(model.extras == extras)
      #expect(TensorDigest.sha256(model.network) == TensorDigest.sha256(network))
      #expect(model.network.nodes.map(\.scope) == network.nodes.map(\.scope))
      #expect(model.network.nodes.map(\.isTrainable) == network.nodes.map(\.isTrainable))
    }
  }
}
