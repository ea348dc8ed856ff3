internal import Layers

/// A network in nested form, as Keras's configurations and files have it.
struct ModelTree {
  /// A layer or a nested model in its place.
  struct Part {
    enum Content {
      case layer(Network.Node)
      case model(ModelTree)
    }

    let name: String
    let content: Content
    /// The names of the parts whose outputs it takes; the model's `inputName` for what comes in.
    let inputs: [String]
  }

  let name: String
  let inputName: String
  let inputShape: [Int]
  /// In the order in which Keras will number them.
  let parts: [Part]
  let outputName: String

  /// Whether every part takes the output of the one before it.
  var isChain: Bool {
    zip(parts, [inputName] + parts.map(\.name)).allSatisfy { $0.inputs == [$1] }
      && parts.last?.name == outputName
  }

  /// The layers of the model and of those nested in it, with paths below this model.
  var layers: [(path: String, node: Network.Node)] {
    parts.flatMap { part -> [(String, Network.Node)] in
      switch part.content {
      case .layer(let node): [(part.name, node)]
      case .model(let tree): tree.layers.map { ("\(part.name)/\($0.path)", $0.node) }
      }
    }
  }
}

extension ModelTree {
  /// The network as a tree of its scopes.
  ///
  /// Throws `WeightsError.cannotNest` where a scope has several entries or exits.
  init(_ network: Network) throws(WeightsError) {
    self = try TreeBuilder(network: network).tree(
      name: network.name, members: Array(network.nodes.indices.dropFirst()), scope: [], entry: 0,
      exit: network.outputIndex)
  }
}

private struct TreeBuilder {
  let network: Network

  /// The model of the nodes `members`, which all lie within `scope`; `entry` feeds it.
  func tree(
    name: String, members: [Int], scope: [String], entry: Int, exit: Int
  ) throws(WeightsError) -> ModelTree {
    let depth = scope.count
    var groups: [(name: String, isModel: Bool, members: [Int])] = []
    for index in members {
      let node = network.nodes[index]
      let isModel = node.scope.count > depth
      let partName = isModel ? node.scope[depth] : node.name
      if isModel, let at = groups.firstIndex(where: { $0.isModel && $0.name == partName }) {
        groups[at].members.append(index)
      } else {
        groups.append((partName, isModel, [index]))
      }
    }
    let names = groups.map(\.name)
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw .cannotNest(
        scope: name, reason: "a layer and a nested model are both called '\(twice)'")
    }
    let inputName = inputName(scope: scope, avoiding: names)
    var producers = [entry: inputName]
    for group in groups { for index in group.members { producers[index] = group.name } }
    var parts: [ModelTree.Part] = []
    for group in groups {
      parts.append(
        try part(group.name, group.isModel, group.members, scope, producers))
    }
    return ModelTree(
      name: name, inputName: inputName, inputShape: network.nodes[entry].shape,
      parts: KerasOrder(parts, output: producers[exit] ?? "").sorted,
      outputName: producers[exit] ?? inputName)
  }

  private func part(
    _ name: String, _ isModel: Bool, _ members: [Int], _ scope: [String],
    _ producers: [Int: String]
  ) throws(WeightsError) -> ModelTree.Part {
    guard isModel else {
      let node = network.nodes[members[0]]
      return ModelTree.Part(
        name: name, content: .layer(node), inputs: node.inputs.compactMap { producers[$0] })
    }
    let inside = Set(members)
    let entries = Set(members.flatMap { network.nodes[$0].inputs }).subtracting(inside)
    let taken = network.nodes.indices.filter { !inside.contains($0) }
      .flatMap { network.nodes[$0].inputs }
    let exits = inside.intersection(taken + [network.outputIndex])
    let path = (scope + [name]).joined(separator: "/")
    guard entries.count == 1, let entry = entries.first else {
      throw .cannotNest(scope: path, reason: "expected one input, found \(entries.count)")
    }
    guard exits.count == 1, let exit = exits.first else {
      throw .cannotNest(scope: path, reason: "expected one output, found \(exits.count)")
    }
    let tree = try tree(
      name: name, members: members, scope: scope + [name], entry: entry, exit: exit)
    return ModelTree.Part(
      name: name, content: .model(tree), inputs: [producers[entry]].compactMap { $0 })
  }

  private func inputName(scope: [String], avoiding names: [String]) -> String {
    let input = network.nodes[0]
    var name = input.scope == scope ? input.name : "input_layer"
    while names.contains(name) { name += "_1" }
    return name
  }
}

/// The order in which Keras numbers the parts of a functional model: by depth, the farthest from
/// the output first, and among equals as met on the way back from the output.
///
/// Files hold tensors in this order, and Keras takes them by it (`map_graph` in Keras's
/// `function.py`).
private struct KerasOrder {
  private let parts: [String: ModelTree.Part]
  private let all: [ModelTree.Part]
  private var met: [String: Int] = [:]
  /// Sources before what takes them.
  private var finished: [String] = []

  init(_ parts: [ModelTree.Part], output: String) {
    all = parts
    self.parts = Dictionary(parts.map { ($0.name, $0) }) { first, _ in first }
    visit(output)
  }

  private mutating func visit(_ name: String) {
    guard met[name] == nil, let part = parts[name] else { return }
    met[name] = met.count
    for input in part.inputs { visit(input) }
    finished.append(name)
  }

  /// The parts that the output depends on.
  var sorted: [ModelTree.Part] {
    var depths: [String: Int] = [:]
    for name in finished.reversed() {
      let depth = depths[name, default: 0]
      depths[name] = depth
      for input in parts[name]?.inputs ?? [] {
        depths[input] = max(depths[input, default: 0], depth + 1)
      }
    }
    return finished.sorted {
      (-depths[$0, default: 0], met[$0, default: 0])
        < (-depths[$1, default: 0], met[$1, default: 0])
    }.compactMap { parts[$0] }
  }
}
