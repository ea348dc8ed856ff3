/// The one place that decides which layers a word like `block5` means.
///
/// A pattern is a layer's name, a block or prefix (`block5` is every `block5_...`), the name of a
/// nested model, a glob (`block*_conv1`), `all` or `none`; several are joined by commas.
package struct LayerSelection: Sendable {
  package let patterns: [String]

  package init(_ text: String) {
    patterns = text.split(separator: ",").map { String($0.trimmingSpaces) }
  }

  /// The matching nodes among those with parameters.
  ///
  /// Throws `LayerError.noSuchLayer` for a pattern that matches nothing.
  package func nodes(in network: Network) throws(LayerError) -> Set<Int> {
    let candidates = network.nodes.indices.filter { network.nodes[$0].hasParameters }
    var result = Set<Int>()
    for pattern in patterns where pattern != "none" {
      let matching = candidates.filter { Self.matches(pattern, network.nodes[$0]) }
      guard !matching.isEmpty else {
        throw .noSuchLayer(
          pattern, near: Self.near(pattern, candidates.map { network.nodes[$0].name }))
      }
      result.formUnion(matching)
    }
    return result
  }

  /// Whether a single pattern means this node.
  package static func matches(_ pattern: String, _ node: Network.Node) -> Bool {
    pattern == "all" || node.name == pattern || node.name.hasPrefix(pattern + "_")
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
