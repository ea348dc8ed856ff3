import Compute
import Foundation
import HDF5
import Layers
import Training
import Weights

/// Writes what a network makes of a batch, and its gradients, for a script to compare with Keras's.
///
/// The file of `--input` has the dataset `input` `[n, h, w, c]`, preprocessed. `--output` gets
/// `outputs/<layer>` for each of `--layers`, by an inference plan, and `forward/<layer>`, by the
/// training pass. With `--unfreeze` it also gets `gradients/<layer>/<parameter>` of all that is
/// trained, for the loss `sum(upstream * logits)` with the dataset `upstream` `[n, classes]`.
func probe(_ arguments: Arguments) {
  do {
    try Probe(arguments).run()
  } catch {
    FileHandle.standardError.write(Data("tl-bench probe: \(error)\n".utf8))
    exit(1)
  }
}

private struct Probe {
  let arguments: Arguments
  let input: Tensor
  let upstream: Tensor?

  init(_ arguments: Arguments) throws {
    self.arguments = arguments
    let file = try HDF5File.open(try Self.required("input", arguments))
    defer { try? file.close() }
    func tensor(_ name: String) throws -> Tensor {
      let dataset = try file.root.dataset(name)
      return Tensor(shape: dataset.shape, scalars: try dataset.readFloats())
    }
    input = try tensor("input")
    upstream = arguments.has("unfreeze") ? try tensor("upstream") : nil
  }

  private static func required(_ name: String, _ arguments: Arguments) throws -> String {
    guard let text = arguments.text(name) else { throw Missing(name: name) }
    return text
  }

  private struct Missing: Error, CustomStringConvertible {
    let name: String
    var description: String { "--\(name) is needed" }
  }

  func run() throws {
    var network = try opened()
    let layers = (arguments.text("layers") ?? "").split(separator: ",").map { String($0) }
    let file = try HDF5File.create(try Self.required("output", arguments))
    defer { try? file.close() }
    func write(_ tensor: Tensor, _ name: String) throws {
      try file.root.createDataset(name, shape: tensor.shape, type: .float32)
        .write(tensor.scalars)
    }
    let wanted = try layers.map { layer in
      guard let index = network.index(named: layer) else {
        throw LayerError.noSuchLayer(layer, near: network.nodes.map(\.name))
      }
      return index
    }
    for (layer, value) in zip(layers, network.plan(outputs: wanted).run(input)) {
      try write(value, "outputs/" + layer)
    }
    var random = SeededRandom(seed: 0)
    if arguments.has("forward") {
      var values = [input]
      for node in network.nodes.dropFirst() {
        let inputs = node.inputs.map { values[$0] }
        values.append(node.layer.forward(inputs, random: &random).value)
      }
      for (layer, index) in zip(layers, wanted) { try write(values[index], "forward/" + layer) }
    }
    guard let pattern = arguments.text("unfreeze"), let upstream else { return }
    network.setTrainable(try LayerSelection(pattern).nodes(in: network))
    let cut = try FreezeCut(network)
    print("gradients: frozen up to '\(network.nodes[cut.boundary].name)'")
    let boundary = network.plan(outputs: [cut.boundary]).run(input)[0]
    let pass = network.forward(suffix: cut, from: boundary, random: &random)
    let gradients = network.backward(suffix: cut, pass: pass, logitsGradient: upstream)
    for (node, tensors) in gradients {
      let layer = network.nodes[node].layer
      for (parameter, gradient) in zip(layer.parameters.filter(\.isTrainable), tensors) {
        try write(
          Tensor(shape: parameter.value.shape, scalars: gradient.scalars),
          "gradients/\(layer.name)/\(parameter.name)")
      }
    }
  }

  /// A weights file by its content with `--base`, a model by its configuration with `--model`;
  /// dropout drops nothing.
  private func opened() throws -> Network {
    let (height, width) = (input.shape[1], input.shape[2])
    var network: Network
    if let model = arguments.text("model") {
      network = try KerasModel.read(model, inputShape: Array(input.shape.dropFirst())).network
    } else {
      let loaded = try BaseLoader.load(
        Self.required("base", arguments), height: height, width: width,
        layer: arguments.text("end"))
      print("recognised as \(loaded.name): \(loaded.report.summary)")
      network = loaded.network
    }
    for (index, node) in network.nodes.enumerated() where node.layer is Dropout {
      network.updateLayer(at: index) { $0 = Dropout(name: $0.name, rate: 0) }
    }
    print("\(network.parameterCount) parameters, \(network.nodes.count) layers")
    return network
  }
}
