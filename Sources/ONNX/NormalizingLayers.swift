internal import Compute
internal import Layers

extension LayerTranslations {
  static let normalizations: [String: LayerTranslation] = [
    "BatchNormalization": { try $0.batchNormalized(&$1) },
    "LayerNormalization": { try $0.layerNormalized(&$1) },
  ]
}

extension LayerInContext {
  fileprivate func batchNormalized(_ graph: inout GraphBuilder) throws -> GraphValue {
    let value = graph.channelsFirst(input)
    let mean = try needed("moving_mean")
    let ones = Tensor(shape: mean.shape, scalars: mean.scalars.map { _ in 1 })
    let zeros = Tensor(zeros: mean.shape)
    let tensors = [
      ("gamma", tensor("gamma") ?? ones), ("beta", tensor("beta") ?? zeros),
      ("moving_mean", mean), ("moving_variance", try needed("moving_variance")),
    ]
    let inputs = tensors.map { graph.constant($1, name: "\(path)/\($0)") }
    return value.renamed(
      graph.add(
        "BatchNormalization", [value.name] + inputs,
        [.float("epsilon", self["epsilon"]?.double ?? 1e-3)], name: path))
  }

  fileprivate func layerNormalized(_ graph: inout GraphBuilder) throws -> GraphValue {
    let value = graph.channelsLast(input)
    let (rank, last) = (value.shape.count, value.shape.last ?? 1)
    let axis = self["axis"]?.array?.first?.int ?? self["axis"]?.int ?? -1
    guard [-1, rank].contains(axis), self["axis"]?.array?.count ?? 1 == 1 else {
      throw unsupported("any axis but the last")
    }
    let gamma =
      tensor("gamma")
      ?? Tensor(shape: [last], scalars: [Float](repeating: 1, count: last))
    var inputs = [value.name, graph.constant(gamma, name: path + "/gamma")]
    if let beta = tensor("beta") {
      inputs.append(graph.constant(beta, name: path + "/beta"))
    }
    return value.renamed(
      graph.add(
        "LayerNormalization", inputs,
        [.int("axis", -1), .float("epsilon", self["epsilon"]?.double ?? 1e-3)],
        name: path))
  }
}
