internal import Layers

/// Which tensor of a file goes to which parameter of a network.
struct Matching {
  struct Load {
    let tensor: StoredTensor
    let node: Int
    let parameter: Int
    let arrangement: Arrangement
  }

  private(set) var loads: [Load] = []
  private(set) var rows: [LoadReport.Row] = []
  /// Nil where everything fits.
  private(set) var mismatch: LoadMismatch?
  private var used = Set<String>()
  private let arranging: Arranging

  init(file: KerasFile, network: Network) {
    let finder = LayerFinder(file: file, network: network)
    arranging = Arranging(file: file, network: network)
    for (index, node) in network.nodes.enumerated() where node.hasParameters {
      switch finder.layer(of: index) {
      case .none: add(missing: node)
      case .several(let paths): add(ambiguous: node, paths)
      case .one(let stored): add(stored, node, index)
      }
    }
    for tensor in file.layers.flatMap(\.tensors) where !used.contains(tensor.path) {
      rows.append(.init(tensor: tensor.path, shape: tensor.shape, .skipped))
    }
    mismatch = mismatch(file, network)
  }

  private mutating func add(missing node: Network.Node) {
    for parameter in node.layer.parameters {
      rows.append(
        .init(
          parameter: "\(node.name)/\(parameter.name)", shape: parameter.value.shape, .missing))
    }
  }

  private mutating func add(ambiguous node: Network.Node, _ paths: [String]) {
    let places = paths.map { "'\($0)'" }.joined(separator: " and ")
    for parameter in node.layer.parameters {
      rows.append(
        .init(
          parameter: "\(node.name)/\(parameter.name)", shape: parameter.value.shape, .mismatched,
          reason: "it could be of any of \(places)"))
    }
  }

  private mutating func add(_ stored: StoredTensors, _ node: Network.Node, _ index: Int) {
    let tensors = Self.pair(stored.tensors, with: node.layer.parameters)
    for (position, (parameter, tensor)) in zip(node.layer.parameters, tensors).enumerated() {
      let name = "\(node.name)/\(parameter.name)"
      let shape = parameter.value.shape
      guard let tensor else {
        rows.append(.init(parameter: name, shape: shape, .missing))
        continue
      }
      used.insert(tensor.path)
      if let arrangement = arranging.arrangement(of: tensor.shape, for: parameter, node) {
        rows.append(.init(tensor: tensor.path, parameter: name, shape: shape, .loaded))
        loads.append(
          Load(tensor: tensor, node: index, parameter: position, arrangement: arrangement))
      } else {
        rows.append(
          .init(
            tensor: tensor.path, parameter: name, shape: tensor.shape, .mismatched,
            reason: "expected \(shape), found \(tensor.shape)",
            hint: Self.hint(expected: shape, found: tensor.shape)))
      }
    }
  }

  /// The tensor for each parameter: by name; those without a name in order of what is left.
  private static func pair(
    _ tensors: [StoredTensor], with parameters: [Parameter]
  ) -> [StoredTensor?] {
    var result: [StoredTensor?] = parameters.map { parameter in
      tensors.first { $0.parameter == parameter.name }
        // Keras 3 calls the kernel of a depthwise convolution like any other.
        ?? (parameter.name == "depthwise_kernel" ? tensors.first { $0.parameter == "kernel" } : nil)
    }
    let open = parameters.indices.filter { result[$0] == nil }
    let nameless = tensors.filter { $0.parameter == nil }
    if open.count == nameless.count {
      for (index, tensor) in zip(open, nameless) { result[index] = tensor }
      return result
    }
    // Where the counts differ, only a shape that fits one tensor alone can tell.
    for index in open {
      let fitting = nameless.filter { $0.shape == parameters[index].value.shape }
      if fitting.count == 1 { result[index] = fitting[0] }
    }
    return result
  }

  private static func hint(expected: [Int], found: [Int]) -> String? {
    if found.contains(0) { return "an empty tensor, as after a write that failed" }
    if expected.count == 4, found == [3, 2, 0, 1].map({ expected[$0] }) {
      return "looks like OIHW, the order of Theano and PyTorch"
    }
    if expected.count == 2, found == expected.reversed() {
      return "looks transposed, the order of PyTorch"
    }
    if expected.count == 2, found.count == 2, found[1] == expected[1] {
      return LoadMismatch.otherPictureSize
    }
    return nil
  }

  private func mismatch(_ file: KerasFile, _ network: Network) -> LoadMismatch? {
    let wanted = rows.filter { $0.parameter != nil }
    let missing = wanted.filter { $0.status == .missing }
    let mismatched = wanted.filter { $0.status == .mismatched }
    if missing.isEmpty && mismatched.isEmpty { return nil }
    return LoadMismatch(
      path: file.path, network: network.name, wanted: wanted.count, loaded: loads.count,
      missing: missing.compactMap(\.parameter),
      mismatched: mismatched.map { "'\($0.parameter ?? "")' \($0.reason ?? "")" },
      hints: Set(mismatched.compactMap(\.hint)).sorted(),
      found: file.contents, expected: Contents(network).sentence)
  }
}
