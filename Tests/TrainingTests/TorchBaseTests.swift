import Compute
import Foundation
import HDF5
import Layers
import TestSupport
import Testing
import Training
import Weights

/// torchvision's and timm's networks from safetensors: see `Tests/Reference/make_torch_fixtures.py`.
@Suite struct TorchBaseTests {
  private func path(_ name: String) -> String { Bundle.module.path(to: "Goldens/Torch/" + name) }

  private func output(_ base: LoadedBase) throws -> [Float] {
    let expected = try HDF5File.open(path("expected.h5")).root
    let plan = base.network.plan(outputs: [base.network.outputIndex])
    return plan.run(try expected.tensor("input"))[0].scalars
  }

  @Test(arguments: [
    ("resnet18", "torch-resnet18", "fc", 100), ("resnet50", "torch-resnet50", "fc", 265),
    ("vgg16", "torch-vgg16", "classifier.6", 26),
    ("vgg16_bn", "torch-vgg16-bn", "classifier.6", 78),
    ("timm_vgg16", "torch-vgg16", "head.fc", 26),
  ])
  func agreesWithPyTorch(_ file: String, _ name: String, _ top: String, _ count: Int) throws {
    let expected = try HDF5File.open(path("expected.h5")).root
    let golden = file.replacingOccurrences(of: "timm_", with: "")
    let base = try BaseLoader.load(path(file + ".safetensors"), height: 64, width: 64)
    #expect(base.name == name)
    #expect(base.preprocessing == .torch)
    #expect(base.report.count(.loaded) == count)
    #expect(base.report.notes == [])
    // The networks are narrow and their numbers small: no sum is longer than 600.
    expectClose(
      try output(base), try expected.tensor(golden + "/features").scalars, absolute: 1e-5,
      relative: 1e-4, "features of \(file)")
    let whole = try BaseLoader.load(
      path(file + ".safetensors"), height: 64, width: 64, layer: top)
    expectClose(
      try output(whole), try expected.tensor(golden + "/probabilities").scalars, absolute: 1e-6,
      relative: 1e-4, "probabilities of \(file)")
  }

  @Test func blocksHaveTorchsNames() throws {
    let base = try BaseLoader.load(path("resnet50.safetensors"), height: 64, width: 64)
    let nodes = try LayerSelection("layer4").nodes(in: base.network)
    #expect(nodes.count == 20)
    #expect(nodes.allSatisfy { base.network.nodes[$0].name.hasPrefix("layer4.") })
  }

  @Test func isDescribed() throws {
    let inspection = try Inspection(path("resnet18.safetensors"))
    #expect(inspection.lines.count == 103)
    #expect(
      inspection.sentences == [
        "A safetensors file.",
        "It holds 20 convolutions named conv1 ... layer4.1.conv2, 20 normalizations named bn1 ... "
          + "layer4.1.bn2, 1 dense layer named fc.",
        "Kernels are [out, in, height, width].", "Tensors: 102 of float16.",
        "Its layers are those of torch-resnet18.",
        "Its widths [2, 2, 4, 8, 16] are not the published ones.",
        "Preprocessing to use: 'torch'. Licence of the published weights: as its publisher says "
          + "(torchvision or timm; trained on ImageNet).",
        "md5 \(try FileDigest.md5(path("resnet18.safetensors"))): "
          + "not one of the published files of torch-resnet18.",
      ])
  }
}

/// What a damaged or lying safetensors file is refused with.
@Suite struct SafetensorsRefusalTests {
  private func message(_ header: String, data: Int = 8, length: Int? = nil) throws -> String {
    try Locations.withTemporaryFolder { folder in
      let file = folder.appending(path: "x.safetensors")
      let size = UInt64(truncatingIfNeeded: length ?? header.utf8.count)
      let bytes = (0..<8).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) }
      try Data(bytes + Array(header.utf8) + [UInt8](repeating: 0, count: data)).write(to: file)
      do {
        let stored = try KerasFile(file.path)
        stored.close()
        return "no error"
      } catch {
        return "\(error)".replacingOccurrences(of: file.path, with: "F")
      }
    }
  }

  @Test(arguments: [
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, "no error"),
    (
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
      "'a' of 8 bytes by its shape [2] in 4"
    ),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "'a' at byte 4 where 0 is due"),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
      "tensors of 4 bytes and 8 bytes for them"
    ),
    (#"{"a":{"dtype":"Q4","shape":[2],"data_offsets":[0,8]}}"#, "'a' of the unknown type 'Q4'"),
    (
      #"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}"#,
      "'a' of the absurd shape [4294967296, 4294967296]"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#,
      "'a' without usable 'dtype', 'shape' and 'data_offsets'"
    ),
    (#"{"a":1}"#, "'a' without usable 'dtype', 'shape' and 'data_offsets'"),
    (#"{"a":"#, "a header that is no JSON object"),
  ])
  func headers(_ header: String, _ reason: String) throws {
    let expected =
      reason == "no error" ? reason : "cannot read 'F': expected safetensors, found \(reason)"
    #expect(try message(header) == expected)
  }

  @Test func lengthsOfHeaders() throws {
    let header = #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
    for length in [1 << 20, Int.max, -1, 1 << 40] {
      #expect(
        try message(header, length: length)
          .hasPrefix("cannot read 'F': expected safetensors, found a header of "))
    }
  }
}
