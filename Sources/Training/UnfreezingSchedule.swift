package import Layers

/// Layers that come to be trained one after the other, from the top down: gradual unfreezing (Howard
/// and Ruder 2018).
package struct UnfreezingSchedule: Sendable, Equatable {
  package struct Step: Sendable, Equatable {
    /// As it was written, such as `block5`.
    package let name: String
    /// What is unfrozen besides what already is.
    package let layers: LayerSelection
    package let epochs: Int
  }

  package let steps: [Step]

  /// Reads `head:5, block5:10, block4:10`: what is unfrozen besides, and for how many epochs.
  ///
  /// Several patterns of one step are joined by `+`.
  /// Throws `TrainingError.badUnfreezing`.
  package init(_ text: String) throws {
    var steps: [Step] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.filter { $0 != " " }
      // Patterns such as `from:block4` have a colon of their own.
      guard let colon = words.lastIndex(of: ":"), colon != words.startIndex,
        let epochs = Int(words[words.index(after: colon)...]), epochs > 0
      else {
        throw TrainingError.badUnfreezing(
          text, why: "expected LAYERS:EPOCHS with 1 epoch or more, found '\(part)'")
      }
      let name = String(words[..<colon])
      let layers = LayerSelection(name.split(separator: "+").joined(separator: ","))
      steps.append(Step(name: name, layers: layers, epochs: epochs))
    }
    self.steps = steps
  }

  package var epochs: Int { steps.reduce(0) { $0 + $1.epochs } }

  /// As it is read.
  package var text: String {
    steps.map { "\($0.name):\($0.epochs)" }.joined(separator: ", ")
  }
}
