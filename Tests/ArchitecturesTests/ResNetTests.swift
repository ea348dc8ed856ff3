import Architectures
import Layers
import Testing

struct ResNetTests {
  /// Parameter counts that Keras prints for its applications.
  @Test(arguments: [
    ("resnet50", 23_587_712, 25_636_712, 53), ("resnet101", 42_658_176, 44_707_176, 104),
    ("resnet152", 58_370_944, 60_419_944, 155),
  ])
  func hasTheParametersOfKeras(
    name: String, parameters: Int, withTop: Int, convolutions: Int
  ) throws {
    let architecture = try #require(Architectures.named(name))
    let network = try architecture.network(inputShape: [224, 224, 3])
    #expect(network.parameterCount == parameters)
    #expect(network.nodes.count { $0.layer is Conv2D } == convolutions)
    #expect(network.nodes.count { $0.layer is BatchNormalization } == convolutions)
    #expect(architecture.convolutionNames.count == convolutions)
    #expect(network.outputShape == [7, 7, 2048])
    #expect(network.nodes.last?.name == "conv5_block3_out")
    #expect(try architecture.network(inputShape: [150, 150, 3]).outputShape == [5, 5, 2048])
    let whole = try architecture.network(inputShape: [224, 224, 3], includesTop: true)
    #expect(whole.parameterCount == withTop)
    #expect(whole.nodes.suffix(2).map(\.name) == architecture.topNames)
    #expect(whole.nodes[whole.headStart].name == "avg_pool")
  }

  /// As `keras.applications.ResNet50().layers` has them.
  @Test func layersAreInKerasOrder() throws {
    let network = try ResNet.resnet50.network(inputShape: [64, 64, 3])
    let names = network.nodes.map(\.name).filter { $0.hasPrefix("conv2_block1_") }
    #expect(
      names.map { $0.dropFirst("conv2_block1_".count) } == [
        "1_conv", "1_bn", "1_relu", "2_conv", "2_bn", "2_relu", "0_conv", "3_conv", "0_bn", "3_bn",
        "add", "out",
      ])
  }

  /// What a file of that network holds.
  private func stored(_ network: Network) -> [StoredLayer] {
    network.nodes.filter(\.hasParameters).map {
      StoredLayer(name: $0.name, shapes: $0.layer.parameters.map(\.value.shape))
    }
  }

  private func renamed(_ layers: [StoredLayer]) -> [StoredLayer] {
    layers.map { layer in
      let parts = layer.name.split(separator: "_")
      guard parts.count == 4, let stage = parts[0].last, let number = parts[1].last,
        let block = number.wholeNumberValue, let path = parts[2].first?.wholeNumberValue
      else {
        let stem = ["conv1_conv": "conv1", "conv1_bn": "bn_conv1", "predictions": "fc1000"]
        return StoredLayer(name: stem[layer.name] ?? layer.name, shapes: layer.shapes)
      }
      let kind = parts[3] == "conv" ? "res" : "bn"
      let branch = ["1", "2a", "2b", "2c"][path]
      let letter = ["a", "b", "c", "d", "e", "f"][block - 1]
      return StoredLayer(name: "\(kind)\(stage)\(letter)_branch\(branch)", shapes: layer.shapes)
    }
  }

  @Test func tellsTheDepthsApart() throws {
    for architecture in [ResNet.resnet50, .resnet101, .resnet152] {
      let layers = stored(try architecture.network(inputShape: [64, 64, 3]))
      let found = try #require(Architectures.identify(layers) as? ResNet)
      #expect(found.name == architecture.name)
      #expect(found.naming == .blocks)
      #expect(found.isPublished)
      let missing = layers.filter { !$0.name.hasPrefix("conv5_block3_2") }
      #expect(Architectures.identify(missing)?.name == architecture.name)
    }
  }

  @Test func tellsOldFilesFromNewOnes() throws {
    let new = try ResNet.resnet50.network(inputShape: [64, 64, 3], includesTop: true)
    let found = try #require(Architectures.identify(renamed(stored(new))) as? ResNet)
    #expect(found.naming == .branches)
    #expect(found.topNames == ["avg_pool", "fc1000"])
    let old = try found.network(inputShape: [64, 64, 3], includesTop: true)
    #expect(Set(stored(old).map(\.name)) == Set(renamed(stored(new)).map(\.name)))
    func epsilons(_ network: Network) -> Set<Double> {
      Set(network.nodes.compactMap { ($0.layer as? BatchNormalization)?.epsilon })
    }
    #expect(epsilons(new) == [1.001e-5])
    #expect(epsilons(old) == [1e-3])
  }

  @Test func takesTheWidthsOfTheFile() throws {
    let names = ResNet.resnet50.convolutionNames
    let layers = names.enumerated().map { index, name in
      StoredLayer(name: name, shapes: [[1, 1, 1, index + 1], [index + 1]])
    }
    let found = try #require(Architectures.identify(layers) as? ResNet)
    #expect(!found.isPublished)
    func width(_ name: String) -> Int { (names.firstIndex(of: name) ?? -1) + 1 }
    #expect(
      found.widths
        == ["conv1_conv"].map(width) + (2...5).map { width("conv\($0)_block1_1_conv") })
    #expect(found.outputWidths == (2...5).map { width("conv\($0)_block1_3_conv") })
  }

  @Test func knowsNothingOfItsRelatives() throws {
    let layers = stored(try ResNet.resnet50.network(inputShape: [64, 64, 3]))
    let channels = [[Int]](repeating: [64], count: 4)
    let preactivated = layers + [StoredLayer(name: "conv2_block1_preact_bn", shapes: channels)]
    #expect(Architectures.identify(preactivated) == nil)
    let withoutBias = layers.map { layer in
      StoredLayer(
        name: layer.name,
        shapes: layer.shapes.count == 2 ? [layer.shapes[0]] : layer.shapes)
    }
    #expect(Architectures.identify(withoutBias) == nil)
    #expect(Architectures.identify(Array(layers.prefix(30))) == nil)
  }

  @Test func stagesHaveOneEntry() throws {
    var network = try ResNet.resnet50.network(inputShape: [64, 64, 3])
    for (pattern, boundary) in [
      ("conv5", "conv4_block6_out"), ("conv5_block3", "conv5_block2_out"),
      ("conv5_block1", "conv4_block6_out"), ("conv5_block3_2", "conv5_block2_out"),
      ("conv4,conv5", "conv3_block4_out"), ("all", "conv1_pad"),
    ] {
      network.setTrainable(try LayerSelection(pattern).nodes(in: network))
      let cut = try FreezeCut(network)
      #expect(network.nodes[cut.boundary].name == boundary, "\(pattern)")
    }
  }
}
