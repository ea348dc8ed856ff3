package import Layers

extension FineTuning {
  /// A part of a run in which the same layers are trained.
  package struct Stage: Sendable {
    /// What is unfrozen in it, as it was written; nil for a run of one stage.
    package let name: String?
    package let epochs: Int
    package let cut: FreezeCut
    /// What is trained: the names of layers, and `the head` where all of it is.
    package let trainedParts: [String]
    /// The layer whose output is what the prefix gives, and its size for one photo.
    package let boundary: (name: String, shape: [Int])
    /// The nodes that are trained.
    let trainable: Set<Int>

    /// - Parameter trainable: with those of the head.
    init(
      name: String?, epochs: Int, trainable: Set<Int>, of network: Network
    ) throws(LayerError) {
      self.name = name
      self.epochs = epochs
      self.trainable = trainable
      var network = network
      network.setTrainable(trainable)
      cut = try FreezeCut(network)
      let weighted = network.nodes.indices.filter {
        network.nodes[$0].sharedWith == nil && network.nodes[$0].hasTrainableParameters
      }
      let head = weighted.filter { $0 >= network.headStart }
      let isWhole = !head.isEmpty && head.allSatisfy(trainable.contains)
      trainedParts =
        weighted.filter { trainable.contains($0) && !(isWhole && $0 >= network.headStart) }
        .map { network.nodes[$0].name } + (isWhole ? ["the head"] : [])
      let node = network.nodes[cut.boundary]
      boundary = (node.name, node.shape)
    }

    /// Whether anything lies below what is trained.
    package var hasFrozenLayers: Bool { cut.boundary > 0 }
  }

  /// What becomes of the frozen prefix's outputs.
  package struct Caching: Sendable, Equatable {
    /// Whether every epoch has new pictures, so that keeping outputs would be of no use.
    package let isFresh: Bool
    /// How many pictures of each photo there are, if they are not new in every epoch.
    package let views: Int
    package let keepsPhotos: Bool
    package let keepsValidation: Bool
    /// What there is to keep.
    package let bytes: Int
    /// How many pictures are gone through before the first epoch.
    package let total: Int
    /// Whether an earlier stage has kept them already, and nothing is left to do.
    package var isReady = false
  }
}

extension UnfreezingSchedule {
  /// The stages of a network: each trains what those before it do, and more.
  ///
  /// - Parameter freeze: what stays frozen in all of them.
  func stages(
    of network: Network, freeze: LayerSelection?
  ) throws(LayerError) -> [FineTuning.Stage] {
    var stages: [FineTuning.Stage] = []
    var chosen = Set<Int>()
    for step in steps {
      let layers = TrainableLayers(unfreeze: step.layers, freeze: freeze)
      chosen.formUnion(try layers.nodes(in: network))
      stages.append(
        try .init(name: step.name, epochs: step.epochs, trainable: chosen, of: network))
    }
    return stages
  }
}
