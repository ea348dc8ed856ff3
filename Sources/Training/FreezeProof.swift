import Foundation
package import Layers
import Weights

/// Evidence of which tensors a training run changed: a digest of each before and after.
package struct FreezeProof: Sendable, Equatable {
  package var baseUnchanged = 0
  package var baseTrained = 0
  package var headUnchanged = 0
  package var headTrained = 0
  /// Tensors meant to be frozen that changed: always empty unless the engine is wrong.
  package var frozenButChanged: [String] = []

  /// The digests of all tensors of a network, by node and parameter.
  package static func digests(_ network: Network) -> [[String]] {
    network.nodes.map { node in
      node.layer.parameters.map { TensorDigest.sha256($0.value, name: $0.name) }
    }
  }

  /// Compares a network with the digests taken before training.
  package init(before: [[String]], after network: Network) {
    let after = Self.digests(network)
    let headStart = network.headStart
    for (index, node) in network.nodes.enumerated() {
      for (parameter, (old, new)) in zip(before[index], after[index]).enumerated() {
        let changed = old != new
        switch (index < headStart, changed) {
        case (true, true): baseTrained += 1
        case (true, false): baseUnchanged += 1
        case (false, true): headTrained += 1
        case (false, false): headUnchanged += 1
        }
        let trainable = node.isTrainable && node.layer.parameters[parameter].isTrainable
        if changed && !trainable {
          frozenButChanged.append("\(node.name)/\(node.layer.parameters[parameter].name)")
        }
      }
    }
  }

  /// Such as `20 tensors of the base unchanged, 6 of the base and 4 of the head trained`.
  package var sentence: String {
    var trained = "\(headTrained) of the head trained"
    if baseTrained > 0 { trained = "\(baseTrained) of the base and " + trained }
    if headUnchanged > 0 { trained += ", \(headUnchanged) of the head unchanged" }
    return "\(baseUnchanged) tensors of the base unchanged, \(trained)"
  }
}
