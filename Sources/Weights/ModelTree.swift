internal import Layers

/// A network in nested form, as Keras's configurations and files have it.
struct ModelTree {
  /// The output of one call of a part, of which there are several where a layer is shared.
  struct Source: Hashable {
    let name: String
    var call = 0
  }

  /// A layer or a nested model in its place.
  struct Part {
    enum Content {
      case layer(Network.Node)
      case model(ModelTree)
    }

    let name: String
    let content: Content
    /// For each call the parts whose outputs it takes; the model's `inputName` for what comes in.
    let calls: [[Source]]

    /// The names of the parts whose outputs the first call takes.
    var inputs: [String] { calls[0].map(\.name) }
  }

  let name: String
  let inputName: String
  let inputShape: [Int]
  /// In the order in which Keras will number them.
  let parts: [Part]
  let output: Source

  /// Whether every part takes the output of the one before it.
  var isChain: Bool {
    zip(parts, [inputName] + parts.map(\.name)).allSatisfy { $0.calls == [[Source(name: $1)]] }
      && parts.last?.name == output.name
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
  typealias Source = ModelTree.Source
  let network: Network

  /// A part while its nodes are gathered, one list for each call.
  private struct Group {
    let name: String
    let isModel: Bool
    var calls: [[Int]]
  }

  /// The model of the nodes `members`, which all lie within `scope`; `entry` feeds it.
  func tree(
    name: String, members: [Int], scope: [String], entry: Int, exit: Int
  ) throws(WeightsError) -> ModelTree {
    let groups = groups(members, depth: scope.count)
    let names = groups.map(\.name)
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw .cannotNest(
        scope: name, reason: "a layer and a nested model are both called '\(twice)'")
    }
    let inputName = inputName(scope: scope, avoiding: names)
    var producers = [entry: Source(name: inputName)]
    for group in groups {
      for (call, members) in group.calls.enumerated() {
        for index in members { producers[index] = Source(name: group.name, call: call) }
      }
    }
    var parts: [ModelTree.Part] = []
    for group in groups { parts.append(try part(group, scope, producers)) }
    let output = producers[exit] ?? Source(name: inputName)
    return ModelTree(
      name: name, inputName: inputName, inputShape: network.nodes[entry].shape,
      parts: KerasOrder(parts, output: output).sorted, output: output)
  }

  private func groups(_ members: [Int], depth: Int) -> [Group] {
    var groups: [Group] = []
    for index in members {
      let node = network.nodes[index]
      let isModel = node.scope.count > depth
      let name = isModel ? node.scope[depth] : node.name
      let isAgain = isModel || node.sharedWith != nil
      let at = groups.firstIndex { isAgain && $0.isModel == isModel && $0.name == name }
      guard let at else {
        groups.append(Group(name: name, isModel: isModel, calls: [[index]]))
        continue
      }
      let call = node.calls[depth]
      while groups[at].calls.count <= call { groups[at].calls.append([]) }
      groups[at].calls[call].append(index)
    }
    return groups
  }

  private func part(
    _ group: Group, _ scope: [String], _ producers: [Int: Source]
  ) throws(WeightsError) -> ModelTree.Part {
    guard group.isModel else {
      return ModelTree.Part(
        name: group.name, content: .layer(network.nodes[group.calls[0][0]]),
        calls: group.calls.map { call in
          network.nodes[call[0]].inputs.compactMap { producers[$0] }
        })
    }
    let path = (scope + [group.name]).joined(separator: "/")
    var ends: [(entry: Int, exit: Int)] = []
    for members in group.calls { ends.append(try self.ends(of: members, path)) }
    let tree = try tree(
      name: group.name, members: group.calls[0], scope: scope + [group.name],
      entry: ends[0].entry, exit: ends[0].exit)
    return ModelTree.Part(
      name: group.name, content: .model(tree),
      calls: ends.map { [producers[$0.entry]].compactMap { $0 } })
  }

  /// The node that feeds one call of a nested model, and the one that it gives.
  private func ends(
    of members: [Int], _ path: String
  ) throws(WeightsError) -> (entry: Int, exit: Int) {
    let inside = Set(members)
    let entries = Set(members.flatMap { network.nodes[$0].inputs }).subtracting(inside)
    let taken = network.nodes.indices.filter { !inside.contains($0) }
      .flatMap { network.nodes[$0].inputs }
    let exits = inside.intersection(taken + [network.outputIndex])
    guard entries.count == 1, let entry = entries.first else {
      throw .cannotNest(scope: path, reason: "expected one input, found \(entries.count)")
    }
    guard exits.count == 1, let exit = exits.first else {
      throw .cannotNest(scope: path, reason: "expected one output, found \(exits.count)")
    }
    return (entry, exit)
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
/// `function.py`). A part that is called several times is as deep as its deepest call.
private struct KerasOrder {
  typealias Source = ModelTree.Source
  private let parts: [String: ModelTree.Part]
  private var met: [String: Int] = [:]
  private var seen = Set<Source>()
  /// Sources before what takes them.
  private var finished: [Source] = []

  init(_ parts: [ModelTree.Part], output: Source) {
    self.parts = Dictionary(parts.map { ($0.name, $0) }) { first, _ in first }
    visit(output)
  }

  private mutating func visit(_ source: Source) {
    guard let part = parts[source.name], seen.insert(source).inserted else { return }
    if met[source.name] == nil { met[source.name] = met.count }
    for input in part.calls[source.call] { visit(input) }
    finished.append(source)
  }

  /// The parts that the output depends on.
  var sorted: [ModelTree.Part] {
    var callDepths: [Source: Int] = [:]
    var depths: [String: Int] = [:]
    for source in finished.reversed() {
      let depth = max(callDepths[source, default: 0], depths[source.name, default: 0])
      depths[source.name] = depth
      for input in parts[source.name]?.calls[source.call] ?? [] {
        callDepths[input] = max(callDepths[input, default: 0], depth + 1)
      }
    }
    return met.keys.sorted {
      (-depths[$0, default: 0], met[$0, default: 0])
        < (-depths[$1, default: 0], met[$1, default: 0])
    }.compactMap { parts[$0] }
  }
}
