import Layers

/// DenseNet with bottlenecks and compression (Huang and others 2016, arXiv:1608.06993), as in Keras's
/// `densenet.py`: each layer sees all earlier ones of its block side by side.
struct DenseNet: PaperNetwork {
  let name: String
  /// How many layers each block has.
  let depths: [Int]
  let card: WeightCard
  var file = FileLayers.none
  let marker = "conv2_block1_0_bn"

  private static let growthRate = 32

  static let all = [
    DenseNet(
      "densenet121", depths: [6, 12, 24, 16], top: "9d60b8095a5708f2dcce2bca79d332c7",
      noTop: "30ee3e1110167f948a6b9946edeeb738"),
    DenseNet(
      "densenet169", depths: [6, 12, 32, 32], top: "d699b8f76981ab1b30698df4c175e90b",
      noTop: "b8c4d4c20dd625c148057b9ff1c1176b"),
    DenseNet(
      "densenet201", depths: [6, 12, 48, 32], top: "1ceb130c1ea1b78c3bf6114dbdfd8807",
      noTop: "c13680b51ded0fb44dff2d8f86ac8bb1"),
  ]

  private init(_ name: String, depths: [Int], top: String, noTop: String) {
    self.name = name
    self.depths = depths
    card = WeightCard(
      inputSize: 224, preprocessing: "torch",
      files: WeightCard.PublishedFile.pair(
        name, at: WeightCard.keras + "densenet/\(name)_weights", top: top, noTop: noTop),
      licence: "BSD 3-clause",
      origin: "Gao Huang and others; trained on ImageNet, ported to Keras")
  }

  func addBase(to net: inout Assembly) throws(LayerError) {
    try net.pad(by: 3)
    try net.convolve("conv1_conv", 64, window: 7, stride: 2, padding: .valid, bias: false)
    try normalizeAndActivate("conv1", &net)
    try net.pad(by: 1)
    try net.maxPool("pool1")
    var channels = 64
    for (block, depth) in zip(2..., depths) {
      for layer in 1...depth { try addLayer("conv\(block)_block\(layer)", to: &net) }
      channels = (channels + depth * Self.growthRate) / 2
      if block < 5 { try addTransition("pool\(block)", channels, to: &net) }
    }
    try net.normalize("bn", epsilon: 1.001e-5)
    try net.activate("relu")
  }

  private func addLayer(_ name: String, to net: inout Assembly) throws(LayerError) {
    let earlier = net.last
    try normalizeAndActivate(name + "_0", &net)
    try net.convolve(name + "_1_conv", 4 * Self.growthRate, bias: false)
    try normalizeAndActivate(name + "_1", &net)
    let new = try net.convolve(name + "_2_conv", Self.growthRate, window: 3, bias: false)
    try net.concatenate(name + "_concat", [earlier, new])
  }

  /// Half the channels, half the height and width.
  private func addTransition(
    _ name: String, _ channels: Int, to net: inout Assembly
  ) throws(LayerError) {
    try normalizeAndActivate(name, &net)
    try net.convolve(name + "_conv", channels, bias: false)
    try net.averagePool(name + "_pool", window: 2, stride: 2)
  }

  private func normalizeAndActivate(
    _ name: String, _ net: inout Assembly
  ) throws(LayerError) {
    try net.normalize(name + "_bn", epsilon: 1.001e-5)
    try net.activate(name + "_relu")
  }
}
