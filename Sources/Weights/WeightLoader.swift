internal import Compute
package import Layers

/// Fills a network from a file, tensor by tensor, by names and shapes.
package enum WeightLoader {
  /// Loads every parameter of `network` that `file` has.
  ///
  /// A layer is found by its name, among equal names by its scope; its parameters by theirs, or
  /// where the file has no names for them by order; and every shape must be equal.
  ///
  /// - Parameter allowPartial: whether parameters that are missing or do not fit keep their values
  ///   instead of being an error.
  /// - Returns: what became of every tensor of the network and the file.
  ///
  /// Throws `WeightsError.mismatch` with everything that is wrong, `WeightsError.notFinite` and
  /// `HDF5Error`; the network is then as it was.
  package static func load(
    _ file: KerasFile, into network: inout Network, allowPartial: Bool = false
  ) throws -> LoadReport {
    if file.format == .notKeras {
      throw WeightsError.notKeras(path: file.path, holds: try file.listing())
    }
    let matching = Matching(file: file, network: network)
    if !allowPartial, let mismatch = matching.mismatch { throw WeightsError.mismatch(mismatch) }
    let turnsKernels = file.backend == "theano"
    var result = network
    var turned = 0
    for match in matching.loads {
      var value = Tensor(
        shape: match.tensor.shape, scalars: try match.tensor.read(file: file.path))
      if turnsKernels, value.shape.count == 4 {
        value = turnedByHalf(value)
        turned += 1
      }
      result.updateLayer(at: match.node) { $0.parameters[match.parameter].value = value }
    }
    network = result
    var report = LoadReport(rows: matching.rows)
    if turned > 0 {
      report.notes.append("\(turned) kernels written by Theano were turned by 180 degrees")
    }
    return report
  }

  /// A kernel `[h, w, c, o]` with height and width reversed: Theano convolves, others correlate.
  static func turnedByHalf(_ kernel: Tensor) -> Tensor {
    let (positions, size) = (kernel.shape[0] * kernel.shape[1], kernel.shape[2] * kernel.shape[3])
    var result = kernel
    for position in 0..<positions {
      let from = (positions - 1 - position) * size
      result.scalars.replaceSubrange(
        position * size..<(position + 1) * size, with: kernel.scalars[from..<from + size])
    }
    return result
  }
}

/// Which tensor of a file goes to which parameter of a network.
struct Matching {
  struct Load {
    let tensor: StoredTensor
    let node: Int
    let parameter: Int
  }

  private(set) var loads: [Load] = []
  private(set) var rows: [LoadReport.Row] = []
  /// Nil where everything fits.
  private(set) var mismatch: LoadMismatch?
  private var used = Set<String>()

  init(file: KerasFile, network: Network) {
    let finder = LayerFinder(file: file, network: network)
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
      let reason = Self.reason(expected: shape, found: tensor.shape)
      rows.append(
        .init(
          tensor: tensor.path, parameter: name, shape: tensor.shape,
          reason == nil ? .loaded : .mismatched, reason: reason))
      if reason == nil { loads.append(Load(tensor: tensor, node: index, parameter: position)) }
    }
  }

  /// The tensor for each parameter: by name; those without a name in order of what is left.
  private static func pair(
    _ tensors: [StoredTensor], with parameters: [Parameter]
  ) -> [StoredTensor?] {
    var result: [StoredTensor?] = parameters.map { parameter in
      tensors.first { $0.parameter == parameter.name }
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

  private static func reason(expected: [Int], found: [Int]) -> String? {
    if expected == found { return nil }
    var hint = ""
    if found.contains(0) {
      hint = ": it is empty"
    } else if expected.count == 4, found == [3, 2, 0, 1].map({ expected[$0] }) {
      hint = ": looks like OIHW, the order of Theano and PyTorch"
    } else if expected.count == 2, found == expected.reversed() {
      hint = ": looks transposed, the order of PyTorch"
    }
    return "expected \(expected), found \(found)\(hint)"
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
      found: file.contents, expected: Contents(network).sentence)
  }
}

/// Finds the layer of a file that belongs to a node.
private struct LayerFinder {
  enum Answer {
    case none
    case one(StoredTensors)
    case several([String])
  }

  private let network: Network
  private let byLastName: [String: [StoredTensors]]
  private let byAlias: [String: [StoredTensors]]
  private let byPlace: [String: StoredTensors]
  private let places: [Int: String]

  init(file: KerasFile, network: Network) {
    self.network = network
    let named = file.layers.filter { !$0.isNameless && !$0.tensors.isEmpty }
    byLastName = Dictionary(grouping: named) { Self.last($0.name) }
    // A layer whose own name belongs to some node is nobody else's.
    let names = Set(network.nodes.map(\.name))
    byAlias = Dictionary(
      grouping: named.filter { !names.contains($0.name) && $0.alias != nil }
    ) { $0.alias ?? "" }
    let nameless = file.layers.filter { $0.isNameless && file.format == .objectWeights }
    byPlace = Dictionary(
      nameless.map { ("\($0.scope.count)/\($0.name)", $0) }, uniquingKeysWith: { first, _ in first })
    places = nameless.isEmpty ? [:] : Self.places(network)
  }

  func layer(of index: Int) -> Answer {
    let node = network.nodes[index]
    let candidates = (byLastName[Self.last(node.name)] ?? []).filter {
      $0.path == node.name || $0.path.hasSuffix("/" + node.name)
    }
    if !candidates.isEmpty { return best(candidates, for: node) }
    if let renamed = byAlias[node.name] { return best(renamed, for: node) }
    return places[index].flatMap { byPlace[$0] }.map { .one($0) } ?? .none
  }

  /// The one whose scope has most in common with the node's, and least besides.
  private func best(_ candidates: [StoredTensors], for node: Network.Node) -> Answer {
    let ranked = candidates.map { stored -> (rank: Int, stored: StoredTensors) in
      let around = stored.path.dropLast(node.name.count).split(separator: "/").map { String($0) }
      let common = around.count { node.scope.contains($0) }
      return (common * 100 - (around.count - common), stored)
    }
    let highest = ranked.map(\.rank).max() ?? 0
    let winners = ranked.filter { $0.rank == highest }
    return winners.count == 1 ? .one(winners[0].stored) : .several(winners.map(\.stored.path))
  }

  /// Where `.weights.h5` without names puts each node: counted by class within its model.
  private static func places(_ network: Network) -> [Int: String] {
    var counts: [String: Int] = [:]
    var result: [Int: String] = [:]
    for (index, node) in network.nodes.enumerated() {
      let key = node.scope.joined(separator: "/") + ":" + node.layer.className
      let place = ObjectLayout.place(
        className: node.layer.className, count: counts[key, default: 0])
      counts[key, default: 0] += 1
      result[index] = "\(node.scope.count)/\(place)"
    }
    return result
  }

  private static func last(_ name: String) -> String {
    name.split(separator: "/").last.map { String($0) } ?? name
  }
}
