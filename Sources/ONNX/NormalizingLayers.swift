internal import Compute
internal import Layers

extension LayerTranslations {
  static let normalizations: [String: LayerTranslation] = [
    "BatchNormalization": { try $0.batchNormalized(&$1) },
    "LayerNormalization": { try $0.layerNormalized(&$1) },
    "LocalResponseNormalization": { try $0.responseNormalized(&$1) },
    "Rescaling": { try $0.scaled(&$1) },
    "Normalization": { try $0.scaled(&$1) },
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
    let axes = self["axis"]?.array?.count ?? 1
    let shape = Array(value.shape.suffix(axes))
    let ones = Tensor(
      shape: shape, scalars: [Float](repeating: 1, count: shape.reduce(1, *)))
    var inputs = [
      value.name, graph.constant(tensor("gamma") ?? ones, name: path + "/gamma"),
    ]
    if let beta = tensor("beta") { inputs.append(graph.constant(beta, name: path + "/beta")) }
    return value.renamed(
      graph.add(
        "LayerNormalization", inputs,
        [.int("axis", -axes), .float("epsilon", self["epsilon"]?.double ?? 1e-3)], name: path))
  }

  fileprivate func responseNormalized(_ graph: inout GraphBuilder) throws -> GraphValue {
    guard let radius = self["depth_radius"]?.int, let alpha = self["alpha"]?.double,
      let beta = self["beta"]?.double, let bias = self["bias"]?.double
    else { throw unsupported("its configuration") }
    let value = graph.channelsFirst(input)
    let size = 2 * radius + 1
    // ONNX takes the mean of the squares where TensorFlow takes their sum.
    return value.renamed(
      graph.add(
        "LRN", [value.name],
        [
          .int("size", size), .float("alpha", alpha * Double(size)), .float("beta", beta),
          .float("bias", bias),
        ], name: path))
  }

  /// Fixed numbers for all channels, or for each.
  fileprivate func scaled(_ graph: inout GraphBuilder) throws -> GraphValue {
    guard let layer = node.layer as? any FixedScaling else { throw unsupported("its class") }
    let (scale, shift) = layer.affine(channels: input.shape.last ?? 1)
    let isOne = Set(scale).count == 1 && Set(shift).count == 1
    let value = isOne ? input : graph.channelsLast(input)
    func constant(_ numbers: [Float], _ name: String) -> String {
      let tensor =
        isOne
        ? Tensor(shape: [], scalars: [numbers[0]])
        : Tensor(shape: [numbers.count], scalars: numbers)
      return graph.constant(tensor, name: "\(path)/\(name)")
    }
    let isShifted = shift.contains { $0 != 0 }
    let product = graph.add(
      "Mul", [value.name, constant(scale, "scale")], name: isShifted ? path + "/scaled" : path)
    guard isShifted else { return value.renamed(product) }
    return value.renamed(graph.add("Add", [product, constant(shift, "shift")], name: path))
  }
}
