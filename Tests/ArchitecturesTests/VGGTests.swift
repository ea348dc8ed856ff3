import Architectures
import Layers
import Testing

struct VGGTests {
  /// Parameter counts that Keras prints for its applications.
  @Test(arguments: [("vgg16", 14_714_688, 13), ("vgg19", 20_024_384, 16)])
  func hasTheParametersOfKeras(name: String, parameters: Int, convolutions: Int) throws {
    let architecture = try #require(Architectures.named(name))
    let network = try architecture.network(inputShape: [224, 224, 3])
    #expect(network.parameterCount == parameters)
    #expect(network.nodes.count { $0.layer.className == "Conv2D" } == convolutions)
    #expect(architecture.convolutionNames.count == convolutions)
    #expect(network.outputShape == [7, 7, 512])
    #expect(network.nodes.last?.name == "block5_pool")
    #expect(try architecture.network(inputShape: [150, 150, 3]).outputShape == [4, 4, 512])
  }

  @Test func hasTheTopOfKeras() throws {
    let network = try VGG.vgg16.network(inputShape: [224, 224, 3], includesTop: true)
    #expect(network.parameterCount == 138_357_544)
    #expect(network.nodes.suffix(4).map(\.name) == ["flatten", "fc1", "fc2", "predictions"])
    #expect(network.outputShape == [1000])
  }

  @Test func refusesPicturesThatVanish() {
    #expect(throws: LayerError.emptyOutput(layer: "block5_pool", input: [1, 1, 512])) {
      try VGG.vgg16.network(inputShape: [31, 31, 3])
    }
  }

  private func stored(_ architecture: VGG, without: Set<String> = []) -> [StoredLayer] {
    architecture.convolutionNames.filter { !without.contains($0) }.map {
      StoredLayer(name: $0, shapes: [[3, 3, 1, 7], [7]])
    }
  }

  @Test func tellsTheFamilyMembersApart() throws {
    #expect(Architectures.identify(stored(.vgg16))?.name == "vgg16")
    #expect(Architectures.identify(stored(.vgg19))?.name == "vgg19")
    #expect(Architectures.identify(stored(.vgg16))?.widths == [7, 7, 7, 7, 7])
    #expect(Architectures.identify(stored(.vgg16, without: ["block5_conv3"]))?.name == "vgg16")
    #expect(Architectures.identify(stored(.vgg19, without: ["block5_conv2"]))?.name == "vgg19")
  }

  @Test func knowsNothingOfOtherNetworks() {
    let other = [StoredLayer(name: "conv1", shapes: [[3, 3, 3, 8]])]
    #expect(Architectures.identify(other) == nil)
    #expect(Architectures.identify(stored(.vgg16) + other) == nil)
    #expect(Architectures.identify(Array(stored(.vgg16).prefix(4))) == nil)
    #expect(Architectures.identify([]) == nil)
  }
}
