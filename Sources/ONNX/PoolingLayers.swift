internal import Layers

extension LayerTranslations {
  static let pooling: [String: LayerTranslation] = [
    "MaxPooling2D": { try $0.pooled("MaxPool", &$1) },
    // The border does not count in a mean, in ONNX as in Keras.
    "AveragePooling2D": { try $0.pooled("AveragePool", &$1) },
    "GlobalMaxPooling2D": { try $0.pooledWhole("GlobalMaxPool", &$1) },
    "GlobalAveragePooling2D": { try $0.pooledWhole("GlobalAveragePool", &$1) },
  ]
}

extension LayerInContext {
  fileprivate func pooled(_ type: String, _ graph: inout GraphBuilder) throws -> GraphValue {
    let picture = graph.channelsFirst(input)
    let window = try configuration.pair("pool_size")
    let steps = try configuration.pair("strides", default: window)
    let (size, strides) = ([window.0, window.1], [steps.0, steps.1])
    let name = graph.add(
      type, [picture.name],
      [
        .ints("kernel_shape", size), .ints("strides", strides),
        .ints("pads", try borders(of: picture, windows: size, strides: strides)),
      ], name: path)
    return output(name, isChannelsFirst: true)
  }

  fileprivate func pooledWhole(
    _ type: String, _ graph: inout GraphBuilder
  ) throws -> GraphValue {
    let name = graph.add(type, [graph.channelsFirst(input).name], name: path)
    if node.shape.count == 3 { return output(name, isChannelsFirst: true) }
    return output(graph.add("Flatten", [name], [.int("axis", 1)], name: path + "/flat"))
  }
}
