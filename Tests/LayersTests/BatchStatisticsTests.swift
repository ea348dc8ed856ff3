import Compute
import Foundation
import HDF5
import Layers
import TestSupport
import Testing

/// Batch normalisation by the statistics of the batch, as Keras trains it.
struct BatchStatisticsTests {
  @Test func agreesWithKeras() throws {
    let golden = try HDF5File.open(Bundle.module.path(to: "Goldens/batch_normalization.h5"))
    defer { try? golden.close() }
    for name in try golden.root.children().map(\.name) {
      try check(golden.root.group(name), name)
    }
  }

  private func check(_ golden: HDF5Group, _ what: String) throws {
    var layer = try layer(golden)
    layer.usesBatchStatistics = true
    let input = try golden.tensor("input")
    var random = SeededRandom(seed: 1)
    let output = layer.forward([input], random: &random)
    try expectClose(output.value.scalars, golden.tensor("output").scalars, "\(what) output")
    let gradients = layer.backward(
      try golden.tensor("output_gradient"), inputs: [input], output: output,
      wanted: WantedGradients(inputs: true, parameters: true))
    try expectClose(
      gradients.inputs[0].scalars, golden.tensor("input_gradient").scalars, absolute: 2e-5,
      relative: 1e-4, "\(what) gradient of the input")
    let trained = layer.parameters.filter(\.isTrainable)
    #expect(gradients.parameters.count == trained.count)
    for (parameter, gradient) in zip(trained, gradients.parameters) {
      try expectClose(
        gradient.scalars, golden.tensor(parameter.name + "_gradient").scalars, absolute: 2e-5,
        "\(what) \(parameter.name) gradient")
    }
    layer.follow(output)
    for parameter in layer.parameters where !parameter.isTrainable {
      try expectClose(
        parameter.value.scalars, golden.tensor(parameter.name + "_after").scalars,
        "\(what) \(parameter.name) afterwards")
    }
  }

  private func layer(_ golden: HDF5Group) throws -> BatchNormalization {
    let json = try #require(try golden.attributes.string("config"))
    let fields = try JSONDecoder().decode([String: JSONValue].self, from: Data(json.utf8))
    var layer = try BatchNormalization(
      configuration: try Configuration(fields),
      inputShapes: [Array(golden.tensor("input").shape.dropFirst())])
    for index in layer.parameters.indices {
      layer.parameters[index].value = try golden.tensor(layer.parameters[index].name)
    }
    return layer
  }

  /// conv, bn (frozen), conv, bn (trained), pool, dense.
  private func network() throws -> Network {
    var network = Network(name: "n", inputShape: [4, 4, 2], inputName: "input")
    var random = SeededRandom(seed: 3)
    for name in ["low", "high"] {
      try network.add(
        Conv2D(
          name: name, kernel: normalNumbers([1, 1, 2, 2], mean: 0, deviation: 1, random: &random),
          bias: nil))
      try network.add(BatchNormalization(name: name + "_bn", channels: 2))
    }
    try network.add(GlobalAveragePooling2D(name: "pool"))
    let normalisations: Set = [2, 4]
    network.initialize(random: &random, where: normalisations.contains)
    return network
  }

  @Test func onlyTrainedNormalisationsFollowBatches() throws {
    var network = try network()
    network.setTrainable(Set(["low", "high", "high_bn"].compactMap { network.index(named: $0) }))
    network.setBatchStatistics(true)
    let cut = try FreezeCut(network)
    var random = SeededRandom(seed: 4)
    let batch = normalNumbers([3, 4, 4, 2], mean: 5, deviation: 2, random: &random)
    let before = network
    let pass = network.forward(suffix: cut, from: batch, random: &random)
    network.followStatistics(of: pass, suffix: cut)
    func statistics(_ network: Network, _ name: String) throws -> [Tensor] {
      let index = try #require(network.index(named: name))
      return network.nodes[index].layer.parameters.suffix(2).map(\.value)
    }
    #expect(try statistics(network, "low_bn") == statistics(before, "low_bn"))
    for (new, old) in zip(
      try statistics(network, "high_bn"), try statistics(before, "high_bn"))
    {
      #expect(new != old)
    }
    // By default nothing follows.
    network.setBatchStatistics(false)
    let stored = network
    let again = network.forward(suffix: cut, from: batch, random: &random)
    network.followStatistics(of: again, suffix: cut)
    #expect(try statistics(network, "high_bn") == statistics(stored, "high_bn"))
  }

  /// A normalisation without gamma and beta still has statistics to learn.
  @Test func aNormalisationWithoutGammaAndBetaIsTrained() throws {
    var network = Network(name: "n", inputShape: [2], inputName: "input")
    try network.add(
      BatchNormalization(name: "bn", channels: 2, scales: false, centers: false))
    try network.add(
      Dense(name: "d", kernel: Tensor(zeros: [2, 1]), bias: nil, activation: .sigmoid))
    #expect(try FreezeCut(network).boundary == 1)
    network.setBatchStatistics(true)
    #expect(try FreezeCut(network).boundary == 0)
  }
}
