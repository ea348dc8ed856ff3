package import Compute
internal import Crypto
package import Layers

/// Digests of tensors by value, the same from whatever file and spelling they came.
package enum TensorDigest {
  /// The SHA-256 of a tensor's name, shape and numbers, as 64 hexadecimal digits.
  ///
  /// Numbers count by their bits: 0 and -0 differ.
  package static func sha256(_ tensor: Tensor, name: String) -> String {
    var hash = SHA256()
    add(tensor, name: name, to: &hash)
    return hexadecimal(hash.finalize())
  }

  /// The SHA-256 of all tensors of a network in order, each under `<layer>/<parameter>`.
  ///
  /// Layers without tensors, nested models and flags do not count.
  package static func sha256(_ network: Network) -> String { sha256(network.nodes[...]) }

  /// The same of some nodes of a network.
  package static func sha256(_ nodes: ArraySlice<Network.Node>) -> String {
    var hash = SHA256()
    for node in nodes {
      for parameter in node.layer.parameters {
        add(parameter.value, name: "\(node.name)/\(parameter.name)", to: &hash)
      }
    }
    return hexadecimal(hash.finalize())
  }

  /// The SHA-256 of several digests in order.
  package static func sha256(of digests: [String]) -> String {
    var hash = SHA256()
    for digest in digests { hash.update(data: bytes(digest.utf8.count) + Array(digest.utf8)) }
    return hexadecimal(hash.finalize())
  }

  private static func add(_ tensor: Tensor, name: String, to hash: inout SHA256) {
    // Lengths come first, so that no two lists of tensors give the same bytes.
    hash.update(data: bytes(name.utf8.count) + Array(name.utf8))
    hash.update(data: bytes(tensor.shape.count) + tensor.shape.flatMap(bytes))
    unsafe tensor.forEachPieceOfBytes { unsafe hash.update(bufferPointer: $0) }
  }

  private static func bytes(_ number: Int) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }
}
