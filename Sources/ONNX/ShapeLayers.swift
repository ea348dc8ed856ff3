internal import Layers

extension LayerTranslations {
  static let shapes: [String: LayerTranslation] = [
    "Flatten": { try $0.flattened(&$1) },
    "Reshape": { try $0.reshaped(&$1) },
    "Permute": { try $0.permuted(&$1) },
    "Dense": { try $0.dense(&$1) },
  ]
}

extension LayerInContext {
  fileprivate func flattened(_ graph: inout GraphBuilder) throws -> GraphValue {
    // Where there is one pixel alone the order of axes does not matter.
    let isPixel = input.isPicture && input.shape.prefix(2).allSatisfy { $0 == 1 }
    let value = isPixel ? input : graph.channelsLast(input)
    return output(
      graph.add("Flatten", [value.name], [.int("axis", 1)], name: path))
  }

  fileprivate func reshaped(_ graph: inout GraphBuilder) throws -> GraphValue {
    // 0 stands for the length that the input has there, the batch.
    let shape = graph.constant([0] + node.shape, name: path + "/shape")
    return output(
      graph.add(
        "Reshape", [graph.channelsLast(input).name, shape], name: path))
  }

  fileprivate func permuted(_ graph: inout GraphBuilder) throws -> GraphValue {
    let order = [0] + (self["dims"]?.array?.compactMap(\.int) ?? [])
    return output(
      graph.add(
        "Transpose", [graph.channelsLast(input).name], [.ints("perm", order)], name: path))
  }

  fileprivate func dense(_ graph: inout GraphBuilder) throws -> GraphValue {
    let input = graph.channelsLast(input)
    let kernel = graph.constant(try needed("kernel"), name: path + "/kernel")
    let bias = tensor("bias").map {
      graph.constant($0, name: path + "/bias")
    }
    var sum: String
    if input.shape.count == 1 {
      let inputs = [input.name, kernel] + (bias.map { [$0] } ?? [])
      sum = graph.add("Gemm", inputs, name: path)
    } else {
      sum = graph.add("MatMul", [input.name, kernel], name: path)
      if let bias { sum = graph.add("Add", [sum, bias], name: path + "/biased") }
    }
    return try activated(output(sum), &graph)
  }
}
