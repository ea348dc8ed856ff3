import Compute
import Foundation
package import Layers
import Weights

/// Evidence of which tensors a training run changed: a digest of each before and after.
package struct FreezeProof: Sendable, Equatable {
  /// One tensor of the network.
  package struct Row: Sendable, Equatable {
    /// `<layer>/<parameter>`.
    package let tensor: String
    package let isHead: Bool
    /// Whether training might change it.
    package let isTrainable: Bool
    /// SHA-256 of its name, shape and numbers, before and after.
    package let before: String
    package let after: String

    package var hasChanged: Bool { before != after }
  }

  /// Every tensor in the network's order, those of a shared layer once.
  package let rows: [Row]

  /// The digests of all tensors of a network, by node and parameter.
  package static func digests(_ network: Network) -> [[String]] {
    let parameters = network.nodes.map(\.layer.parameters)
    var digests = parallelMap(Array(parameters.joined())) {
      TensorDigest.sha256($0.value, name: $0.name)
    }[...]
    return parameters.map { some in
      defer { digests = digests.dropFirst(some.count) }
      return Array(digests.prefix(some.count))
    }
  }

  /// Compares a network with the digests taken before training.
  package init(before: [[String]], after network: Network) {
    let after = Self.digests(network)
    let headStart = network.headStart
    var rows: [Row] = []
    for (index, node) in network.nodes.enumerated() where node.sharedWith == nil {
      for (parameter, (old, new)) in zip(before[index], after[index]).enumerated() {
        let tensor = node.layer.parameters[parameter]
        rows.append(
          Row(
            tensor: "\(node.name)/\(tensor.name)", isHead: index >= headStart,
            isTrainable: node.isTrainable && (tensor.isTrainable || node.usesBatchStatistics),
            before: old, after: new))
      }
    }
    self.rows = rows
  }

  private func count(head: Bool, changed: Bool) -> Int {
    rows.count { $0.isHead == head && $0.hasChanged == changed }
  }

  package var baseUnchanged: Int { count(head: false, changed: false) }
  package var baseTrained: Int { count(head: false, changed: true) }
  package var headUnchanged: Int { count(head: true, changed: false) }
  package var headTrained: Int { count(head: true, changed: true) }

  /// Tensors meant to be frozen that changed: always empty unless the engine is wrong.
  package var frozenButChanged: [String] {
    rows.filter { $0.hasChanged && !$0.isTrainable }.map(\.tensor)
  }

  /// Throws `TrainingError.frozenChanged` where a frozen tensor changed.
  package func check() throws {
    guard frozenButChanged.isEmpty else { throw TrainingError.frozenChanged(frozenButChanged) }
  }

  /// Digests of the digests of all frozen tensors; equal, as none of them may change.
  ///
  /// Nil where nothing is frozen.
  package var frozenDigests: (before: String, after: String)? {
    let frozen = rows.filter { !$0.isTrainable }
    guard !frozen.isEmpty else { return nil }
    return (
      TensorDigest.sha256(of: frozen.map(\.before)), TensorDigest.sha256(of: frozen.map(\.after))
    )
  }

  /// Such as `20 tensors of the base unchanged, 6 of the base and 4 of the head trained`.
  package var sentence: String {
    var trained = "\(headTrained) of the head trained"
    if baseTrained > 0 { trained = "\(baseTrained) of the base and " + trained }
    if headUnchanged > 0 { trained += ", \(headUnchanged) of the head unchanged" }
    return "\(baseUnchanged) tensors of the base unchanged, \(trained)"
  }
}
