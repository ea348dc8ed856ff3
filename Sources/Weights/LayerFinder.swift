internal import Layers

/// Finds the layer of a file that belongs to a node.
struct LayerFinder {
  enum Answer {
    case none
    case one(StoredTensors)
    case several([String])
  }

  private let network: Network
  private let byLastName: [String: [StoredTensors]]
  private let byAlias: [String: [StoredTensors]]
  /// By the names as Keras 3 writes them, which has no slashes in names.
  private let byFlatName: [String: [StoredTensors]]

  init(file: KerasFile, network: Network) {
    self.network = network
    let named = file.layers.filter { !$0.isNameless && !$0.tensors.isEmpty }
    byLastName = Dictionary(grouping: named) { Self.last($0.name) }
    byFlatName = Dictionary(grouping: named.filter { $0.name.contains("/") }) {
      $0.name.replacing("/", with: "_")
    }
    // A layer whose own name belongs to some node is nobody else's.
    let names = Set(network.nodes.map(\.name))
    byAlias = Dictionary(
      grouping: named.filter { !names.contains($0.name) && $0.alias != nil }
    ) { $0.alias ?? "" }
  }

  func layer(of index: Int) -> Answer {
    let node = network.nodes[index]
    let candidates = (byLastName[Self.last(node.name)] ?? []).filter {
      $0.path == node.name || $0.path.hasSuffix("/" + node.name)
    }
    if !candidates.isEmpty { return best(candidates, for: node) }
    if let slashed = byFlatName[node.name] { return best(slashed, for: node) }
    return byAlias[node.name].map { best($0, for: node) } ?? .none
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

  private static func last(_ name: String) -> String {
    name.split(separator: "/").last.map { String($0) } ?? name
  }
}
