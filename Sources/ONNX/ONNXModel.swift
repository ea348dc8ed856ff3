internal import Compute
package import Layers
internal import SwiftProtobuf
package import Weights

/// What happens to pictures of 0 to 255 in red, green, blue before a network takes them:
/// `(x / divisor - mean) / deviation`, channel by channel, after their order is reversed.
package struct PictureChange: Sendable, Equatable {
  package var reversesChannels: Bool
  package var divisor: Float
  /// One for each channel, as the others.
  package var mean: [Float]
  package var deviation: [Float]

  package init(
    reversesChannels: Bool = false, divisor: Float = 1, mean: [Float] = [0, 0, 0],
    deviation: [Float] = [1, 1, 1]
  ) {
    self.reversesChannels = reversesChannels
    self.divisor = divisor
    self.mean = mean
    self.deviation = deviation
  }
}

/// A network as an ONNX model.
package struct ONNXModel: Sendable {
  /// The version of ONNX's operators: that of 2022, which resizes by size, and which onnxruntime
  /// knows since 1.14.
  package static let operatorSet = 18
  /// The version of the file format that came with it.
  package static let formatVersion = 8
  /// The names of what goes in, `[batch, height, width, channels]`, and of what comes out.
  package static let (inputName, outputName) = ("input", "output")

  /// Key and text of what rides along.
  package var metadata: [String: String] = [:]
  /// The writer.
  package var producer: (name: String, version: String) = ("tl", "")
  /// What goes in and what comes out, in words.
  package var (inputText, outputText) = ("", "")
  /// What the graph does to pictures first; nil for nothing.
  package var change: PictureChange?
  package var numberType = NumberType.float32

  package init() {}

  /// Writes the network beside `path` and then renames the file.
  ///
  /// Throws `ONNXError` for what cannot be said in ONNX, and `WeightsError`.
  package func write(_ network: Network, to path: String) throws {
    try numberType.check(network)
    let bytes = try self.bytes(of: network)
    try AtomicFile.write(path, bytes: bytes)
  }

  /// The file's bytes.
  package func bytes(of network: Network) throws -> [UInt8] {
    var model = Onnx_ModelProto()
    model.irVersion = Int64(Self.formatVersion)
    (model.producerName, model.producerVersion) = producer
    var operators = Onnx_OperatorSetIdProto()
    operators.version = Int64(Self.operatorSet)
    model.opsetImport = [operators]
    model.metadataProps = metadata.sorted { $0.key < $1.key }.map { key, value in
      var entry = Onnx_StringStringEntryProto()
      (entry.key, entry.value) = (key, value)
      return entry
    }
    model.graph = try graph(network)
    return try model.serializedBytes()
  }

  private func graph(_ network: Network) throws -> Onnx_GraphProto {
    var graph = GraphBuilder(type: numberType)
    graph.reserve(Self.outputName)
    var start = graph.input(Self.inputName, shape: network.inputShape, documentation: inputText)
    if let change { start = Self.changed(start, change, &graph) }
    var values = [start]
    for node in network.nodes.dropFirst() {
      let layer = try LayerInContext(node, inputs: node.inputs.map { values[$0] })
      guard let translation = LayerTranslations.all[node.layer.className] else {
        throw ONNXError.unknownLayer(layer.path, className: node.layer.className)
      }
      values.append(try translation(layer, &graph))
      guard graph.tensorBytes < 1 << 31 - 1 << 24 else {
        throw ONNXError.tooLarge(bytes: network.parameterCount * numberType.size)
      }
    }
    graph.output(Self.outputName, values[network.outputIndex], documentation: outputText)
    var result = graph.graph
    result.name = network.name
    return result
  }

  /// The operators in front of a network for pictures `[height, width, channels]`.
  private static func changed(
    _ picture: GraphValue, _ change: PictureChange, _ graph: inout GraphBuilder
  ) -> GraphValue {
    var name = picture.name
    func step(_ type: String, _ numbers: [Float], _ what: String) {
      let constant = graph.constant(
        Tensor(shape: [numbers.count], scalars: numbers), name: "preprocessing/\(what)_constant")
      name = graph.add(type, [name, constant], name: "preprocessing/\(what)")
    }
    if change.reversesChannels {
      let order = graph.constant(
        (0..<picture.shape[2]).reversed(), name: "preprocessing/channel_order")
      name = graph.add(
        "Gather", [name, order], [.int("axis", 3)], name: "preprocessing/channels")
    }
    if change.divisor != 1 { step("Div", [change.divisor], "divided") }
    if change.mean.contains(where: { $0 != 0 }) { step("Sub", change.mean, "centred") }
    if change.deviation.contains(where: { $0 != 1 }) { step("Div", change.deviation, "scaled") }
    return picture.renamed(name)
  }
}
