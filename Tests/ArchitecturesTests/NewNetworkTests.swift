import Architectures
import Compute
import Layers
import Testing

struct NewNetworkTests {
  private func network(
    _ name: NewNetwork, side: Int, classes: Int, dropout: Double? = nil
  ) throws(LayerError) -> Network {
    var random = SeededRandom(seed: 1)
    return try name.network(
      inputShape: [side, side, 3], classCount: classes, dropout: dropout ?? name.dropout,
      random: &random)
  }

  @Test func tlMiniIsAVGGOfItsOwn() throws {
    let base = try VGG.tlMini.network(inputShape: [96, 96, 3])
    #expect(base.parameterCount == 1_303_712)
    #expect(base.outputShape == [3, 3, 224])
    #expect(base.nodes.last?.name == "block5_pool")
    #expect(
      VGG.tlMini.convolutionNames == [
        "block1_conv1", "block2_conv1", "block2_conv2", "block3_conv1", "block3_conv2",
        "block4_conv1", "block4_conv2", "block5_conv1", "block5_conv2",
      ])
    let stored = base.nodes.filter(\.hasParameters).map {
      StoredLayer(name: $0.name, shapes: $0.layer.parameters.map(\.value.shape))
    }
    #expect(Architectures.identify(stored)?.name == "tl-mini")
    // Other widths are another network's, of which nobody knows how to use it.
    let wider = stored.map { layer in
      StoredLayer(name: layer.name, shapes: layer.shapes.map { $0.map { $0 * 2 } })
    }
    #expect(Architectures.identify(wider)?.name != "tl-mini")
  }

  @Test func tlMiniLearnsWithASmallClassifier() throws {
    let whole = try network(.tlMini, side: 64, classes: 48)
    #expect(whole.parameterCount == 1_303_712 + 224 * 48 + 48)
    #expect(whole.nodes[whole.headStart].name == "avg_pool")
    #expect(whole.outputShape == [48])
    #expect(try network(.tlMini, side: 64, classes: 2).outputShape == [1])
  }

  /// The count that the book prints for 150 x 150 photos.
  @Test func smallConvnetIsTheBooks() throws {
    let whole = try network(.smallConvnet, side: 150, classes: 2)
    #expect(whole.parameterCount == 3_453_121)
    #expect(
      whole.nodes.dropFirst().map(\.shape).prefix(9) == [
        [148, 148, 32], [74, 74, 32], [72, 72, 64], [36, 36, 64], [34, 34, 128], [17, 17, 128],
        [15, 15, 128], [7, 7, 128], [6272],
      ])
    #expect(whole.nodes.contains { $0.layer is Dropout })
    #expect(
      !(try network(.smallConvnet, side: 150, classes: 2, dropout: 0)).nodes.contains {
        $0.layer is Dropout
      })
    #expect(throws: LayerError.emptyOutput(layer: "max_pooling2d_3", input: [1, 1, 128])) {
      try network(.smallConvnet, side: 45, classes: 2)
    }
  }

  @Test func leNetHasThePapersSizes() throws {
    let whole = try network(.leNet5, side: 32, classes: 10)
    #expect(
      whole.nodes.dropFirst().map(\.shape) == [
        [28, 28, 6], [14, 14, 6], [10, 10, 16], [5, 5, 16], [400], [120], [84], [10],
      ])
    #expect(whole.parameterCount == 456 + 2416 + 48_120 + 10_164 + 850)
  }

  @Test func kernelsAreDrawnAsEachNetworkSays() throws {
    let mini = try network(.tlMini, side: 32, classes: 3)
    let book = try network(.smallConvnet, side: 46, classes: 3)
    for (network, initializer) in [(mini, KernelInitializer.heUniform), (book, .glorotUniform)] {
      for case let layer as Conv2D in network.nodes.map(\.layer) {
        let limit = initializer.limit(shape: layer.kernel.shape)
        let largest = layer.kernel.scalars.map { abs($0) }.max() ?? 0
        #expect(largest <= limit && largest > 0.95 * limit, "\(layer.name)")
        #expect(layer.bias?.allSatisfy { $0 == 0 } == true)
      }
    }
  }
}
