internal import Layers

extension LayerTranslations {
  static let merges: [String: LayerTranslation] = [
    "Add": { try $0.merged("Sum", &$1) },
    "Average": { try $0.merged("Mean", &$1) },
    "Maximum": { try $0.merged("Max", &$1) },
    "Minimum": { try $0.merged("Min", &$1) },
    "Subtract": { try $0.merged("Sub", &$1) },
    // ONNX multiplies two at a time.
    "Multiply": { try $0.product(&$1) },
    "Concatenate": { try $0.concatenated(&$1) },
  ]
}

extension LayerInContext {
  fileprivate func product(_ graph: inout GraphBuilder) throws -> GraphValue {
    let values = alike(&graph)
    let product = values.dropFirst().reduce(values[0].name) { product, value in
      graph.add("Mul", [product, value.name], name: path)
    }
    return output(product, isChannelsFirst: values[0].isChannelsFirst)
  }

  fileprivate func concatenated(_ graph: inout GraphBuilder) throws -> GraphValue {
    let values = alike(&graph)
    let rank = node.shape.count + 1
    var axis = self["axis"]?.int ?? -1
    if axis < 0 { axis += rank }
    if values[0].isChannelsFirst { axis = [0, 2, 3, 1][axis] }
    let name = graph.add(
      "Concat", values.map(\.name), [.int("axis", axis)], name: path)
    return output(name, isChannelsFirst: values[0].isChannelsFirst)
  }
}

extension LayerInContext {
  /// The inputs with as many axes as that with most, in one order of them.
  fileprivate func alike(_ graph: inout GraphBuilder) -> [GraphValue] {
    let rank = node.shape.count
    let values = inputs.map { value in
      guard value.shape.count < rank else { return value }
      // Axes of length 1 come behind that of the batch.
      let shape = [Int](repeating: 1, count: rank - value.shape.count) + value.shape
      let numbers = graph.constant([0] + shape, name: path + "/shape")
      let name = graph.add(
        "Reshape", [graph.channelsLast(value).name, numbers], name: path + "/widened")
      return GraphValue(name: name, shape: shape, isChannelsFirst: false)
    }
    guard values.contains(where: \.isChannelsFirst) else { return values }
    return values.map { graph.channelsFirst($0) }
  }

  fileprivate func merged(_ type: String, _ graph: inout GraphBuilder) throws -> GraphValue {
    let values = alike(&graph)
    let name = graph.add(type, values.map(\.name), name: path)
    return output(name, isChannelsFirst: values[0].isChannelsFirst)
  }
}
