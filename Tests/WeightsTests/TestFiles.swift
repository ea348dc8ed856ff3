import Architectures
import Compute
import Foundation
import HDF5
import Layers
import TestSupport
import Testing
import Weights

/// The path of a file in Fixtures.
func fixture(_ name: String) -> String {
  Bundle.module.bundleURL.appending(path: "Fixtures/\(name)").path
}

/// What Keras computed: tensors, an input and outputs of the tiny networks.
struct Expected {
  let file: HDF5File

  init(_ variant: String = "vgg16") throws {
    file = try HDF5File.open(fixture("tiny_\(variant)_expected.h5"))
  }

  func tensor(_ path: String) throws -> Tensor {
    let dataset = try file.root.dataset(path)
    return Tensor(shape: dataset.shape, scalars: try dataset.readFloats())
  }

  func input() throws -> Tensor { try tensor("input") }
}

/// The empty network of the tiny VGG that a good fixture holds, with all blocks and no top.
func emptyVGG(_ variant: String = "vgg16", includesTop: Bool = false) throws -> Network {
  let file = try KerasFile(fixture(includesTop ? "vgg16_top_keras1.h5" : "\(variant)_keras1.h5"))
  defer { file.close() }
  let layers = file.signature.map { StoredLayer(name: $0.layer, shapes: $0.shapes) }
  let architecture = try #require(Architectures.identify(layers))
  return try architecture.network(inputShape: [32, 32, 3], includesTop: includesTop)
}

/// Compares all tensors of a VGG's convolutions with what Keras was given, to the bit.
func expectBase(
  of network: Network, _ expected: Expected, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let convolutions = network.nodes.filter { $0.layer is Conv2D }
  #expect(convolutions.count >= 13, sourceLocation: sourceLocation)
  for node in convolutions {
    for parameter in node.layer.parameters {
      let tensor = try expected.tensor("weights/\(node.name)/\(parameter.name)")
      #expect(
        parameter.value == tensor, "\(node.name)/\(parameter.name)",
        sourceLocation: sourceLocation)
    }
  }
}

/// Runs a network on Keras's input and compares the output of every block with Keras's.
func expectBlocks(
  of network: Network, _ expected: Expected, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let pools = network.nodes.indices.filter { network.nodes[$0].name.hasSuffix("_pool") }
  #expect(pools.count == 5, sourceLocation: sourceLocation)
  let outputs = network.plan(outputs: pools).run(try expected.input())
  for (pool, output) in zip(pools, outputs) {
    let name = network.nodes[pool].name
    let tensor = try expected.tensor("outputs/\(name)")
    #expect(output.shape == tensor.shape, sourceLocation: sourceLocation)
    expectClose(
      output.scalars, tensor.scalars, absolute: 1e-4, relative: 1e-4, name,
      sourceLocation: sourceLocation)
  }
}

/// What a network predicts for Keras's input.
func predictions(_ network: Network, _ expected: Expected) throws -> [Float] {
  network.plan(outputs: [network.outputIndex]).run(try expected.input())[0].scalars
}

/// Writes a weights file in the legacy layout with tensors under any names.
func writeLegacy(
  _ path: String, _ layers: [(name: String, tensors: [(name: String, value: Tensor)])],
  backend: String? = nil, configuration: String? = nil
) throws {
  let file = try HDF5File.create(path)
  let root = try file.root
  try root.attributes.set("layer_names", strings: layers.map(\.name))
  if let backend { try root.attributes.set("backend", string: backend) }
  if let configuration { try root.attributes.set("model_config", string: configuration) }
  for layer in layers {
    let group = try root.createGroup(layer.name)
    try group.attributes.set("weight_names", strings: layer.tensors.map(\.name))
    for (name, value) in layer.tensors {
      try group.createDataset(name, shape: value.shape, type: .float32).write(value.scalars)
    }
  }
  try file.close()
}

/// A tensor of 1, 2, 3 and so on.
func counting(_ shape: [Int], from start: Float = 1) -> Tensor {
  Tensor(shape: shape, scalars: (0..<shape.reduce(1, *)).map { start + Float($0) })
}

/// The message of the error that `body` throws.
func message(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> String {
  do {
    try body()
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    return ""
  } catch {
    return "\(error)"
  }
}
