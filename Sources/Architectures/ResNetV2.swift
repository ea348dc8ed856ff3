import Layers

/// ResNet with full pre-activation, version 2 (He and others 2016, arXiv:1603.05027), as in Keras's
/// `resnet_v2.py`: normalisation and ReLU come before the convolutions, the stride lies in the 3x3
/// convolution of a stage's last block, and its shortcut picks every second pixel.
struct ResNetV2: PaperNetwork {
  let name: String
  /// How many blocks each stage has.
  let depths: [Int]
  let card: WeightCard
  var file = FileLayers.none
  let marker = "conv2_block1_preact"

  static let all = [
    ResNetV2(
      "resnet50v2", depths: [3, 4, 6, 3], top: "3ef43a0b657b3be2300d5770ece849e0",
      noTop: "fac2f116257151a9d068a22e544a4917"),
    ResNetV2(
      "resnet101v2", depths: [3, 4, 23, 3], top: "6343647c601c52e1368623803854d971",
      noTop: "c0ed64b8031c3730f411d2eb4eea35b5"),
    ResNetV2(
      "resnet152v2", depths: [3, 8, 36, 3], top: "a49b44d1979771252814e80f8ec446f9",
      noTop: "ed17cf2e0169df9d443503ef94b23b33"),
  ]

  private init(_ name: String, depths: [Int], top: String, noTop: String) {
    self.name = name
    self.depths = depths
    card = WeightCard(
      inputSize: 224, preprocessing: "tf",
      files: WeightCard.PublishedFile.pair(
        name, at: WeightCard.keras + "resnet/\(name)_weights", top: top, noTop: noTop),
      licence: "BSD",
      origin: "Facebook (fb.resnet.torch); trained on ImageNet, ported to Keras")
  }

  func addBase(to net: inout Assembly) throws(LayerError) {
    try net.pad("conv1_pad", by: 3)
    try net.convolve("conv1_conv", 64, window: 7, stride: 2, padding: .valid)
    try net.pad("pool1_pad", by: 1)
    try net.maxPool("pool1_pool")
    for (stage, (depth, width)) in zip(2..., zip(depths, [64, 128, 256, 512])) {
      for block in 1...depth {
        try addBlock(
          "conv\(stage)_block\(block)", width, isFirst: block == 1,
          stride: block == depth && stage < 5 ? 2 : 1, to: &net)
      }
    }
    try normalizeAndActivate("post", &net)
  }

  private func addBlock(
    _ name: String, _ width: Int, isFirst: Bool, stride: Int, to net: inout Assembly
  ) throws(LayerError) {
    let input = net.last
    let active = try normalizeAndActivate(name + "_preact", &net)
    var shortcut = input
    if isFirst {
      shortcut = try net.convolve(name + "_0_conv", 4 * width, stride: stride, padding: .valid)
    } else if stride > 1 {
      shortcut = try net.maxPool(window: 1, stride: stride, after: input)
    }
    try net.convolve(name + "_1_conv", width, bias: false, after: active)
    try normalizeAndActivate(name + "_1", &net)
    try net.pad(name + "_2_pad", by: 1)
    try net.convolve(
      name + "_2_conv", width, window: 3, stride: stride, padding: .valid, bias: false)
    try normalizeAndActivate(name + "_2", &net)
    let residual = try net.convolve(name + "_3_conv", 4 * width)
    try net.sum(name + "_out", [shortcut, residual])
  }

  @discardableResult
  private func normalizeAndActivate(
    _ name: String, _ net: inout Assembly
  ) throws(LayerError) -> Int {
    try net.normalize(name + "_bn", epsilon: 1.001e-5)
    return try net.activate(name + "_relu")
  }
}
