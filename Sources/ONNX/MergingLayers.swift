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
    let values = try alike(&graph)
    let product = values.dropFirst().reduce(values[0].name) { product, value in
      graph.add("Mul", [product, value.name], name: path)
    }
    return output(product, isChannelsFirst: values[0].isChannelsFirst)
  }

  fileprivate func concatenated(_ graph: inout GraphBuilder) throws -> GraphValue {
    let values = try alike(&graph)
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
  /// The inputs in one order of axes.
  fileprivate func alike(_ graph: inout GraphBuilder) throws -> [GraphValue] {
    guard inputs.allSatisfy({ $0.shape.count == inputs[0].shape.count }) else {
      throw unsupported("inputs of several ranks")
    }
    guard inputs.contains(where: \.isChannelsFirst) else { return inputs }
    return inputs.map { graph.channelsFirst($0) }
  }

  fileprivate func merged(_ type: String, _ graph: inout GraphBuilder) throws -> GraphValue {
    let values = try alike(&graph)
    let name = graph.add(type, values.map(\.name), name: path)
    return output(name, isChannelsFirst: values[0].isChannelsFirst)
  }
}
