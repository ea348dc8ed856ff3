internal import Compute
internal import Layers

extension LayerTranslations {
  static let functions: [String: LayerTranslation] = [
    "Activation": { try $0.activated($0.input, &$1) },
    "Softmax": { try $0.activated($0.input, &$1) },
    "ELU": { try $0.activated($0.input, &$1) },
    "LeakyReLU": { try $0.activated($0.input, &$1) },
    "ReLU": { try $0.activated($0.input, &$1) },
    "PReLU": { try $0.pReLU(&$1) },
  ]
}

extension LayerInContext {
  fileprivate func pReLU(_ graph: inout GraphBuilder) throws -> GraphValue {
    // The slopes lie as the picture does: with its axes, some of them of length 1.
    let value = graph.channelsLast(input)
    let slopes = graph.constant(try needed("alpha"), name: path + "/alpha")
    return value.renamed(graph.add("PRelu", [value.name, slopes], name: path))
  }

  /// What the layer's function makes of a value.
  func activated(_ value: GraphValue, _ graph: inout GraphBuilder) throws -> GraphValue {
    guard let function = node.layer.function else { return value }
    // A layer that is nothing else gives its name to the result.
    let name = node.layer is any FunctionLayer ? path : path + "/activation"
    return applied(function, to: value, name: name, &graph)
  }

  private func applied(
    _ function: PointwiseFunction, to value: GraphValue, name: String, _ graph: inout GraphBuilder
  ) -> GraphValue {
    func one(_ type: String, _ settings: [OperatorSetting] = []) -> GraphValue {
      value.renamed(graph.add(type, [value.name], settings, name: name))
    }
    switch function {
    case .linear: return value
    case .relu: return one("Relu")
    case .sigmoid: return one("Sigmoid")
    case .tanh: return one("Tanh")
    case .softplus: return one("Softplus")
    case .softsign: return one("Softsign")
    case .exponential: return one("Exp")
    case .selu: return one("Selu")
    case .elu(let alpha): return one("Elu", [.float("alpha", Double(alpha))])
    case .hardSigmoid(let slope):
      return one("HardSigmoid", [.float("alpha", Double(slope)), .float("beta", 0.5)])
    case .hardSilu: return one("HardSwish")
    case .softmax:
      let last = graph.channelsLast(value)
      return last.renamed(
        graph.add("Softmax", [last.name], [.int("axis", -1)], name: name))
    case .silu:
      let gate = graph.add("Sigmoid", [value.name], name: name + "/gate")
      return value.renamed(graph.add("Mul", [value.name, gate], name: name))
    case .gelu(let isApproximate):
      return value.renamed(gelu(value.name, isApproximate: isApproximate, name: name, &graph))
    case .rectifier(let line):
      return value.renamed(rectified(value.name, line, name: name, &graph))
    }
  }

  /// `x * P(X <= x)`, which is an operator of its own only from opset 20 on.
  private func gelu(
    _ x: String, isApproximate: Bool, name: String, _ graph: inout GraphBuilder
  ) -> String {
    func scalar(_ number: Float, _ what: String) -> String {
      graph.constant(Tensor(shape: [], scalars: [number]), name: "\(name)/\(what)")
    }
    let (half, one) = (scalar(0.5, "half"), scalar(1, "one"))
    var argument: String
    if isApproximate {
      // sqrt(2 / pi) * (x + 0.044715 * x^3)
      let square = graph.add("Mul", [x, x], name: name + "/square")
      let term = graph.add("Mul", [square, scalar(0.044_715, "cubic")], name: name + "/term")
      let factor = graph.add("Add", [term, one], name: name + "/factor")
      let product = graph.add("Mul", [x, factor], name: name + "/product")
      argument = graph.add(
        "Mul", [product, scalar(0.797_884_56, "scale")], name: name + "/argument")
    } else {
      argument = graph.add("Mul", [x, scalar(0.707_106_78, "scale")], name: name + "/argument")
    }
    let curve = graph.add(isApproximate ? "Tanh" : "Erf", [argument], name: name + "/curve")
    let raised = graph.add("Add", [curve, one], name: name + "/raised")
    let share = graph.add("Mul", [raised, half], name: name + "/share")
    return graph.add("Mul", [x, share], name: name)
  }

  private func rectified(
    _ x: String, _ line: PointwiseFunction.Rectifier, name: String, _ graph: inout GraphBuilder
  ) -> String {
    func number(_ number: Float, _ what: String) -> String {
      graph.constant(Tensor(shape: [], scalars: [number]), name: "\(name)/\(what)")
    }
    let isCut = line.ceiling < .infinity
    let inner = isCut ? name + "/uncut" : name
    var result: String
    if line.threshold != 0 {
      let threshold = number(line.threshold, "threshold")
      let isBelow = graph.add("Less", [x, threshold], name: name + "/is_below")
      let distance = graph.add("Sub", [x, threshold], name: name + "/distance")
      let low = graph.add("Mul", [distance, number(line.slope, "slope")], name: name + "/low")
      result = graph.add("Where", [isBelow, low, x], name: inner)
    } else if line.slope != 0 {
      let slope = OperatorSetting.float("alpha", Double(line.slope))
      result = graph.add("LeakyRelu", [x], [slope], name: inner)
    } else if isCut {
      return graph.add(
        "Clip", [x, number(0, "lowest"), number(line.ceiling, "highest")], name: name)
    } else {
      result = graph.add("Relu", [x], name: name)
    }
    guard isCut else { return result }
    return graph.add("Min", [result, number(line.ceiling, "highest")], name: name)
  }
}
