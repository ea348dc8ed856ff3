package import Layers

/// Learning rates of parts of a network, as factors of the rate of the rest.
package struct PartRates: Sendable, Equatable {
  package struct Scale: Sendable, Equatable {
    package var layers: LayerSelection
    package var factor: Float

    package init(_ layers: LayerSelection, _ factor: Float) {
      self.layers = layers
      self.factor = factor
    }
  }

  /// Where several mean one layer, the last counts.
  package var scales: [Scale]
  /// The factor from each layer of the base to the one below it; the base's last layer has it once,
  /// the head not at all (Howard and Ruder 2018).
  package var layerDecay: Float

  package init(scales: [Scale] = [], layerDecay: Float = 1) {
    self.scales = scales
    self.layerDecay = layerDecay
  }

  /// The factor of every node that has one other than 1.
  package func factors(in network: Network) throws(LayerError) -> [Int: Float] {
    var factors = decays(in: network)
    var chosen: [Int: Float] = [:]
    for scale in scales {
      for node in try scale.layers.nodes(in: network) { chosen[node] = scale.factor }
    }
    for (node, factor) in chosen { factors[node, default: 1] *= factor }
    return factors.filter { $0.value != 1 }
  }

  /// A normalisation goes with the layer below it, as they make one step of the network.
  private func decays(in network: Network) -> [Int: Float] {
    guard layerDecay != 1 else { return [:] }
    var factors: [Int: Float] = [:]
    var factor: Float = 1
    var waiting: [Int] = []
    for index in (1..<network.headStart).reversed()
    where network.nodes[index].hasTrainableParameters {
      waiting.append(index)
      if network.nodes[index].layer is BatchNormalization { continue }
      factor *= layerDecay
      for node in waiting { factors[node] = factor }
      waiting = []
    }
    for node in waiting { factors[node] = factor * layerDecay }
    return factors
  }
}
