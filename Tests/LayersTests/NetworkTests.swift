import Compute
import Layers
import TestSupport
import Testing

struct NetworkTests {
  /// Two blocks of convolutions and a head, in the shape of a small VGG.
  static func network(inputShape: [Int] = [8, 8, 3]) throws -> Network {
    var network = Network(name: "small", inputShape: inputShape, inputName: "input")
    var channels = 3
    for block in 1...2 {
      for convolution in 1...2 {
        try network.add(
          Conv2D(
            name: "block\(block)_conv\(convolution)",
            kernel: Tensor(zeros: [3, 3, channels, 4]), bias: Tensor(zeros: [4]),
            padding: .same, activation: .relu), scope: ["base"])
        channels = 4
      }
      try network.add(MaxPooling2D(name: "block\(block)_pool"), scope: ["base"])
    }
    try network.add(Flatten(name: "flatten"))
    try network.add(
      Dense(
        name: "dense", kernel: Tensor(zeros: [network.outputShape[0], 1]),
        bias: Tensor(zeros: [1]), activation: .sigmoid))
    var random = SeededRandom(seed: 5)
    network.initialize(random: &random) { _ in true }
    return network
  }

  private func names(_ nodes: some Sequence<Int>, _ network: Network) -> [String] {
    nodes.sorted().map { network.nodes[$0].name }
  }

  @Test(arguments: [
    ("block2", ["block2_conv1", "block2_conv2"]),
    ("block1_conv2", ["block1_conv2"]),
    ("block*_conv1", ["block1_conv1", "block2_conv1"]),
    ("block?_conv2", ["block1_conv2", "block2_conv2"]),
    ("block1_conv1, dense", ["block1_conv1", "dense"]),
    ("base", ["block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2"]),
    ("none", []),
    ("from:block1_conv2", ["block1_conv2", "block2_conv1", "block2_conv2", "dense"]),
    ("from:block2", ["block2_conv1", "block2_conv2", "dense"]),
    ("from:block1_pool", ["block2_conv1", "block2_conv2", "dense"]),
    ("last:3", ["block2_conv1", "block2_conv2"]),
    ("last:2, block1_conv1", ["block1_conv1", "block2_conv2"]),
    ("head", ["dense"]),
    ("all", ["block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", "dense"]),
  ])
  func selects(pattern: String, expected: [String]) throws {
    let network = try Self.network()
    #expect(names(try LayerSelection(pattern).nodes(in: network), network) == expected)
  }

  @Test(arguments: ["blok2", "block", "block3", "*_conv9", ""])
  func refusesWhatMatchesNothing(pattern: String) throws {
    let network = try Self.network()
    #expect {
      try LayerSelection(pattern.isEmpty ? "," : pattern).nodes(in: network).isEmpty
        ? { throw LayerError.noSuchLayer(pattern, near: ["block2"]) }() : ()
    } throws: { error in
      guard case .noSuchLayer(_, let near) = error as? LayerError else { return false }
      return near.contains("block2") || near.contains("block1")
    }
  }

  @Test(arguments: [
    ("block2_pool", "layer 'block2_pool' has no weights to train"),
    ("flatten", "layer 'flatten' has no weights to train"),
    ("*_pool", "'*_pool' means only layers without weights to train: 'block1_pool', 'block2_pool'"),
    ("last:1", "'last:1' means only layers without weights to train: 'block2_pool'"),
    ("last:0", "no layers are called 'last:0': expected last:1 to last:6"),
    ("last:7", "no layers are called 'last:7': expected last:1 to last:6"),
    ("last:x", "no layers are called 'last:x': expected last:1 to last:6"),
    ("from:blok2_conv1", "no layer matches 'from:blok2_conv1': near are 'from:block2_conv1'"),
  ])
  func saysWhyNothingCanBeTrained(pattern: String, message: String) throws {
    let network = try Self.network()
    let error = #expect(throws: LayerError.self) {
      try LayerSelection(pattern).nodes(in: network)
    }
    #expect(error?.description.hasPrefix(message) == true, "\(String(describing: error))")
  }

  private static let freezings: [(String?, String?, [String])] = [
    ("block2", nil, ["block2_conv1", "block2_conv2", "dense"]),
    ("none", nil, ["dense"]),
    ("all", "block1, block2_conv1", ["block2_conv2", "dense"]),
    (nil, "from:block2_conv2", ["block1_conv1", "block1_conv2", "block2_conv1"]),
    ("block2", "none", ["block2_conv1", "block2_conv2", "dense"]),
  ]

  @Test(arguments: freezings.indices) func freezesAfterUnfreezing(index: Int) throws {
    let (unfreeze, freeze, expected) = Self.freezings[index]
    let network = try Self.network()
    let chosen = try TrainableLayers(
      unfreeze: unfreeze.map(LayerSelection.init), freeze: freeze.map(LayerSelection.init)
    ).nodes(in: network)
    #expect(
      names(chosen.filter { network.nodes[$0].hasTrainableParameters }, network) == expected)
  }

  /// A dropout of the head draws anew in every step, so it cannot be part of what runs once.
  @Test func dropoutOfTheHeadLiesAboveTheCut() throws {
    var network = Network(name: "net", inputShape: [4, 4, 2], inputName: "input")
    try network.add(MaxPooling2D(name: "pool"))
    try network.add(Dropout(name: "dropout", rate: 0.5))
    try network.add(Flatten(name: "flatten"))
    let dense = try network.add(
      Dense(name: "dense", kernel: Tensor(zeros: [8, 1]), bias: nil, activation: .sigmoid))
    network.declareHead(from: 2)
    network.setTrainable([dense])
    let cut = try FreezeCut(network)
    #expect(network.nodes[cut.boundary].name == "pool")
    #expect(cut.suffix == [2, 3, 4])
    #expect(cut.influenced == [dense])
  }

  @Test func cutsBelowTheLowestTrainableLayer() throws {
    var network = try Self.network()
    network.setTrainable(try LayerSelection("block2,dense").nodes(in: network))
    var cut = try FreezeCut(network)
    #expect(network.nodes[cut.boundary].name == "block1_pool")
    #expect(
      names(cut.suffix, network)
        == ["block2_conv1", "block2_conv2", "block2_pool", "flatten", "dense"])
    network.setTrainable(try LayerSelection("dense").nodes(in: network))
    cut = try FreezeCut(network)
    #expect(network.nodes[cut.boundary].name == "flatten")
    network.setTrainable([])
    #expect(throws: LayerError.badGraph("nothing is trainable")) { try FreezeCut(network) }
  }

  @Test func prefixAndSuffixTogetherAreTheNetwork() throws {
    var network = try Self.network()
    var random = SeededRandom(seed: 9)
    let input = Tensor(shape: [3, 8, 8, 3], scalars: (0..<576).map { _ in random.normal() })
    let whole = network.plan(outputs: [network.outputIndex]).run(input)[0]
    for pattern in ["all", "block1_conv2,dense", "block2,dense", "dense"] {
      network.setTrainable(try LayerSelection(pattern).nodes(in: network))
      let cut = try FreezeCut(network)
      let boundary = network.plan(outputs: [cut.boundary]).run(input)[0]
      let pass = network.forward(suffix: cut, from: boundary, random: &random)
      expectClose(pass.output.scalars, whole.scalars, absolute: 1e-6, pattern)
      let logits = network.plan(from: [cut.boundary], to: [network.outputIndex], logits: true)
        .run(boundary)[0]
      expectClose(logits.scalars, pass.logits.scalars, absolute: 1e-5, "\(pattern) logits")
    }
  }

  @Test func frozenLayersInsideTheSuffixPassGradientsOn() throws {
    var network = try Self.network()
    network.setTrainable(try LayerSelection("block1_conv2").nodes(in: network))
    let cut = try FreezeCut(network)
    var random = SeededRandom(seed: 2)
    let boundary = Tensor(shape: [2, 8, 8, 4], scalars: (0..<512).map { _ in random.normal() })
    let pass = network.forward(suffix: cut, from: boundary, random: &random)
    let gradients = network.backward(
      suffix: cut, pass: pass, logitsGradient: Tensor(shape: [2, 1], scalars: [1, 1]))
    #expect(names(gradients.keys, network) == ["block1_conv2"])
    #expect(gradients.values.first?.first?.scalars.contains { $0 != 0 } == true)
  }

  @Test func resizesUnlessADenseLayerForbidsIt() throws {
    let network = try Self.network()
    #expect(network.headStart == 7)
    let base = network.ending(at: network.baseOutputIndex)
    #expect(base.outputShape == [2, 2, 4])
    #expect(try base.resized(to: [16, 12, 3]).outputShape == [4, 3, 4])
    #expect(throws: LayerError.self) { try network.resized(to: [16, 16, 3]) }
    #expect(throws: LayerError.emptyOutput(layer: "block2_pool", input: [1, 1, 4])) {
      try base.resized(to: [3, 3, 3])
    }
  }

  @Test func refusesTwoLayersOfOneName() throws {
    var network = try Self.network()
    #expect(throws: LayerError.badGraph("two layers are called 'flatten'")) {
      try network.add(Flatten(name: "flatten"))
    }
  }
}
