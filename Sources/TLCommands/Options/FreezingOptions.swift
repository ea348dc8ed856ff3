import ArgumentParser
import Layers
import Training

/// By what statistics unfrozen batch normalisation goes while training.
enum BatchNormChoice: String, ExpressibleByArgument, CaseIterable {
  /// The stored ones, which stay.
  case stored
  /// Those of each batch, which the stored ones follow.
  case train
}

/// Which layers training changes, in every command that has a network.
struct FreezingOptions: ParsableArguments {
  @Option(
    help: """
      Layers to train: names, blocks (block5), globs, from:block4_conv1, last:4, head, all, \
      none; a,b.
      """)
  var unfreeze: String?

  @Option(help: "Layers to freeze after that; alone: all others are trained.")
  var freeze: String?

  var isGiven: Bool { unfreeze != nil || freeze != nil }

  func layers() throws -> TrainableLayers {
    TrainableLayers(
      unfreeze: try unfreeze.map { try selection($0, "unfreeze") },
      freeze: try freeze.map { try selection($0, "freeze") })
  }

  private func selection(_ text: String, _ flag: String) throws -> LayerSelection {
    let selection = LayerSelection(text)
    guard !selection.patterns.isEmpty, !selection.patterns.contains("") else {
      throw ValidationError(
        "--\(flag) names no layer: say 'none'"
          + (flag == "unfreeze" ? " for the head alone" : " to freeze nothing"))
    }
    return selection
  }

  func validate() throws { _ = try layers() }
}
