import Architectures
import Compute
import Foundation
import HDF5
import Layers
import TestSupport
import Testing

/// Networks by name against Keras's, an eighth as wide (Tests/Reference/make_network_goldens.py).
struct NetworkGoldenTests {
  private static let names = [
    "resnet50v2", "densenet121", "inception_v3", "xception", "mobilenet", "mobilenet_v2",
    "squeezenet", "alexnet", "googlenet", "lenet-5",
  ]

  private func withGolden<R>(_ name: String, _ body: (HDF5Group) throws -> R) throws -> R {
    let file = try HDF5File.open(Bundle.module.path(to: "Goldens/\(name).h5"))
    defer { try? file.close() }
    return try body(file.root)
  }

  /// The layers with tensors in the order of Keras's `model.layers`.
  private func layers(_ golden: HDF5Group) throws -> [StoredLayer] {
    try golden.dataset("layers").readStrings()[0].split(separator: "\n").map { line in
      let parts = line.split(separator: "|")
      let shapes = parts[1].split(separator: ";").map { shape in
        shape.split(separator: ",").compactMap { Int($0) }
      }
      return StoredLayer(name: String(parts[0]), shapes: shapes)
    }
  }

  /// The network that a file with those layers is taken for, its tensors drawn by the formula.
  private func network(_ layers: [StoredLayer], size: Int) throws -> Network {
    let architecture = try #require(Architectures.identify(layers))
    var network = try architecture.network(inputShape: [size, size, 3], includesTop: true)
    for index in network.nodes.indices where network.nodes[index].hasParameters {
      network.updateLayer(at: index) { layer in
        let shapes = layer.parameters.map(\.value.shape)
        for place in shapes.indices {
          layer.parameters[place].value = Formula.tensor(layer.name, place, shapes)
        }
      }
    }
    return network
  }

  @Test(arguments: names)
  func isRecognisedWithTheWidthsOfTheFile(name: String) throws {
    try withGolden(name) { golden in
      let layers = try layers(golden)
      let found = try #require(Architectures.identify(layers))
      // Of the MobileNets all widths have names; version 2 is stored in a published one.
      #expect(found.name == name || found.name == name + "-0.35")
      #expect(found.isPublished == (name == "mobilenet_v2"))
      let network = try found.network(inputShape: [299, 299, 3], includesTop: true)
      // Names, shapes and order are those of Keras.
      let own = network.nodes.filter(\.hasParameters).map {
        StoredLayer(name: $0.name, shapes: $0.layer.parameters.map(\.value.shape))
      }
      #expect(own.map(\.name) == layers.map(\.name))
      let dense = layers.filter { $0.shapes[0].count == 2 }.map(\.name)
      #expect(
        own.filter { !dense.contains($0.name) } == layers.filter { !dense.contains($0.name) })
    }
  }

  @Test(arguments: names)
  func everyStageAgreesWithKeras(name: String) throws {
    try withGolden(name) { golden in
      let size = try golden.integers("size")[0]
      let network = try network(try layers(golden), size: size)
      let picture = Tensor(
        shape: [1, size, size, 3],
        scalars: Formula.uniform("picture", size * size * 3).map { 2 * $0 - 1 })
      let stages = try golden.group("outputs").children().map(\.name)
      #expect(stages.count >= 3)
      let wanted = try stages.map { try #require(network.index(named: $0)) }
      #expect(wanted.max() == network.outputIndex)
      let planned = network.plan(outputs: wanted).run(picture)
      let passed = trained(network, picture)
      for (stage, (index, output)) in zip(stages, zip(wanted, planned)) {
        let expected = try golden.tensor("outputs/\(stage)")
        let scale = expected.scalars.map(abs).max() ?? 1
        for (found, kind) in [(output, "plan"), (passed[index], "forward")] {
          #expect(found.shape == expected.shape)
          expectClose(
            found.scalars, expected.scalars, absolute: 1e-4 * scale, relative: 0,
            "\(name) \(stage) \(kind)")
        }
      }
    }
  }

  /// The training pass, without dropout.
  private func trained(_ network: Network, _ picture: Tensor) -> [Tensor] {
    var random = SeededRandom(seed: 0)
    var values = [picture]
    for node in network.nodes.dropFirst() {
      let inputs = node.inputs.map { values[$0] }
      values.append(
        node.layer is Dropout ? inputs[0] : node.layer.forward(inputs, random: &random).value)
    }
    return values
  }
}

/// The tensors that Python draws in the same way.
private enum Formula {
  /// FNV-1a, 32 bits.
  private static func hash(_ text: String) -> UInt32 {
    text.utf8.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
  }

  static func uniform(_ text: String, _ count: Int) -> [Float] {
    let seed = hash(text)
    var result = [Float](repeating: 0, count: count)
    for index in 0..<count {
      var x = UInt32(truncatingIfNeeded: index) &* 2_654_435_761 &+ seed
      x ^= x >> 16
      x = x &* 0x85EB_CA6B
      x ^= x >> 13
      result[index] = Float(x >> 8) * 0x1p-24
    }
    return result
  }

  static func tensor(_ layer: String, _ index: Int, _ shapes: [[Int]]) -> Tensor {
    let shape = shapes[index]
    let (low, width) = range(index, shapes)
    return Tensor(
      shape: shape,
      scalars: uniform("\(layer):\(index)", shape.reduce(1, *)).map { low + width * $0 })
  }

  private static func range(_ index: Int, _ shapes: [[Int]]) -> (low: Float, width: Float) {
    let shape = shapes[index]
    if shape.count > 1 {
      let isDepthwise = shape.count == 4 && shape[3] == 1
      let inputs = shape.prefix(isDepthwise ? 2 : shape.count - 1).reduce(1, *)
      let gain: Float = shapes.count > 1 && shapes[1].count > 1 ? 3 : 6
      let limit = (gain / Float(inputs)).squareRoot()
      return (-limit, 2 * limit)
    }
    if shapes.contains(where: { $0.count > 1 }) { return (-0.1, 0.2) }
    return [(0.5, 1), (-0.2, 0.4), (-0.1, 0.4), (0.8, 0.4)][shapes.count - 1 - index]
  }
}
