import Compute

extension Network {
  /// The first parameter, as `<layer>/<parameter>`, that holds NaN or infinity.
  package var notFiniteParameter: String? {
    for node in nodes {
      for parameter in node.layer.parameters
      where !parameter.value.scalars.allSatisfy(\.isFinite) {
        return "\(node.name)/\(parameter.name)"
      }
    }
    return nil
  }

  /// The first layer of a training pass whose output holds NaN or infinity.
  ///
  /// What a last layer gives before its sigmoid or softmax counts as its output.
  package func notFiniteLayer(of pass: SuffixPass, _ cut: FreezeCut) -> String? {
    ([cut.boundary] + cut.suffix).first { index in
      guard let output = pass.values[index] else { return false }
      let isLast = index == outputIndex
      return !((isLast ? output.saved : nil) ?? output.value).scalars.allSatisfy(\.isFinite)
    }.map { nodes[$0].name }
  }
}
