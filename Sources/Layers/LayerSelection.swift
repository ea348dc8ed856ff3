/// The one place that decides which layers words like `block5` or `last:4` mean.
///
/// Several patterns are joined by commas. A pattern is
///
/// - a layer's name, a block or prefix (`block5` is every `block5_...`) or the name of a nested model;
/// - a glob (`block*_conv1`);
/// - `from:block4_conv1`, that layer and all after it, where a block stands for its first layer;
/// - the name of a layer that joins branches (`mixed10`), which are all that lies behind it up to
///   where they part;
/// - `last:4`, the last four layers of the base, counted as Keras's `base.layers[-4:]` does, those
///   without weights included;
/// - `head`, the classifier on top of the base; `all`; `none`.
package struct LayerSelection: Sendable, Equatable {
  package let patterns: [String]

  package init(_ text: String) {
    patterns = text.split(separator: ",").map { String($0.trimmingSpaces) }
  }

  /// The matching nodes among those with weights to train.
  ///
  /// Throws `LayerError.noSuchLayer` for a pattern that matches nothing, and
  /// `LayerError.nothingToTrain` for one that matches only layers without weights.
  package func nodes(in network: Network) throws(LayerError) -> Set<Int> {
    var result = Set<Int>()
    for pattern in patterns where pattern != "none" {
      let matching = try Self.matching(pattern, network)
      let trainable = matching.filter { network.nodes[$0].hasTrainableParameters }
      guard !trainable.isEmpty else {
        throw .nothingToTrain(pattern, matching.map { network.nodes[$0].name })
      }
      result.formUnion(trainable)
    }
    return result
  }

  /// All nodes that a pattern means, with weights or without, at least one.
  private static func matching(
    _ pattern: String, _ network: Network
  ) throws(LayerError) -> [Int] {
    let nodes = network.nodes
    let direct = nodes.indices.filter { matches(pattern, nodes[$0]) }
    if !direct.isEmpty {
      guard let joint = network.index(named: pattern), nodes[joint].inputs.count > 1,
        !direct.contains(where: { nodes[$0].hasTrainableParameters })
      else { return direct }
      return network.branches(into: joint)
    }
    if pattern == "head" { return Array(network.headStart..<nodes.count) }
    if pattern.hasPrefix("from:") {
      let start = String(pattern.dropFirst("from:".count))
      guard let first = (try? matching(start, network))?.min() else {
        throw .noSuchLayer(pattern, near: near(start, network).map { "from:" + $0 })
      }
      return Array(first..<nodes.count)
    }
    if pattern.hasPrefix("last:") {
      let base = 1..<network.headStart
      guard let count = Int(pattern.dropFirst("last:".count)), count > 0, count <= base.count else {
        throw .badPattern(pattern, expected: "last:1 to last:\(base.count)")
      }
      return Array(base.suffix(count))
    }
    throw .noSuchLayer(pattern, near: near(pattern, network))
  }

  /// Names close to `pattern`: of layers with weights and, if it is one, of a layer without.
  private static func near(_ pattern: String, _ network: Network) -> [String] {
    near(pattern, network.nodes.filter(\.hasTrainableParameters).map(\.name))
  }

  /// Whether a single pattern means this node; `from:`, `last:` and `head` need the whole network.
  package static func matches(_ pattern: String, _ node: Network.Node) -> Bool {
    pattern == "all" || node.name == pattern || node.name.hasPrefix(pattern + "_")
      // Before Keras 3 names could have slashes, and PyTorch's have points.
      || node.name.hasPrefix(pattern + "/") || node.name.hasPrefix(pattern + ".")
      || node.scope.contains(pattern)
      || (pattern.contains { $0 == "*" || $0 == "?" }
        && glob(Array(pattern.utf8)[...], Array(node.name.utf8)[...]))
  }

  private static func glob(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    if first == UInt8(ascii: "*") {
      return glob(pattern.dropFirst(), text)
        || (!text.isEmpty && glob(pattern, text.dropFirst()))
    }
    guard let letter = text.first, first == UInt8(ascii: "?") || first == letter else {
      return false
    }
    return glob(pattern.dropFirst(), text.dropFirst())
  }

  /// Up to five names closest to `pattern` by edit distance, blocks included.
  package static func near(_ pattern: String, _ names: [String]) -> [String] {
    let blocks = names.compactMap { $0.split(separator: "_").first.map(String.init) }
    let choices = Set(names + blocks)
    let ranked = choices.map { (distance(pattern, $0), $0) }.sorted { $0 < $1 }
    return ranked.prefix(5).map(\.1)
  }

  /// Levenshtein's edit distance.
  package static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    var row = Array(0...b.count)
    for (i, left) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, right) in b.enumerated() {
        let substituted = diagonal + (left == right ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
      }
    }
    return row[b.count]
  }
}

extension Substring {
  fileprivate var trimmingSpaces: Substring {
    var text = self
    while text.first == " " { text = text.dropFirst() }
    while text.last == " " { text = text.dropLast() }
    return text
  }
}

/// Which layers training may change: what is unfrozen, less what is frozen.
package struct TrainableLayers: Sendable, Equatable {
  /// Nil for all.
  package var unfreeze: LayerSelection?
  /// Frozen after that.
  package var freeze: LayerSelection?

  package init(unfreeze: LayerSelection? = nil, freeze: LayerSelection? = nil) {
    self.unfreeze = unfreeze
    self.freeze = freeze
  }

  /// The nodes to train; the head is among them unless it is frozen by name.
  package func nodes(in network: Network) throws(LayerError) -> Set<Int> {
    let chosen = try (unfreeze ?? LayerSelection("all")).nodes(in: network)
    let head = network.headStart..<network.nodes.count
    return try chosen.union(head).subtracting(freeze?.nodes(in: network) ?? [])
  }
}
