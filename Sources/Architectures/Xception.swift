import Compute
import Layers

/// Xception (Chollet 2016, arXiv:1610.02357), as in Keras's `xception.py`: an Inception of which only
/// depthwise separable convolutions are left, with shortcuts; those that are convolutions have no
/// names.
struct Xception: PaperNetwork {
  let name = "xception"
  var file = FileLayers.none
  let marker = "block2_sepconv1"
  let numbersLayers = true

  let card = WeightCard(
    inputSize: 299, preprocessing: "tf",
    files: WeightCard.PublishedFile.pair(
      "xception", at: WeightCard.keras + "xception/xception_weights",
      top: "0a58e3b7378bc2990ea3b43d5981f1f6", noTop: "b0042744bf5b25fce3cb969f33bebb97"),
    licence: "MIT", origin: "F. Chollet; trained on ImageNet with Keras")

  func addBase(to net: inout Assembly) throws(LayerError) {
    for (number, (width, stride)) in zip(1..., [(32, 2), (64, 1)]) {
      let name = "block1_conv\(number)"
      try net.convolve(
        name, width, window: 3, stride: stride, padding: .valid, bias: false)
      try net.normalize(name + "_bn")
      try net.activate(name + "_act")
    }
    // The entry flow.
    for (number, width) in zip(2..., [128, 256, 728]) {
      try addReduction(number, width, width, startsActive: number > 2, to: &net)
    }
    // The middle flow.
    for number in 5...12 {
      let input = net.last
      for layer in 1...3 { try addSeparable(number, layer, 728, isActive: true, to: &net) }
      try net.sum(nil, [net.last, input])
    }
    // The exit flow.
    try addReduction(13, 728, 1024, startsActive: true, to: &net)
    for (layer, width) in zip(1..., [1536, 2048]) {
      try addSeparable(14, layer, width, isActive: false, to: &net)
      try net.activate("block14_sepconv\(layer)_act")
    }
  }

  /// Two separable convolutions and a pooling beside a 1x1 convolution; all halve the picture.
  private func addReduction(
    _ number: Int, _ first: Int, _ second: Int, startsActive: Bool, to net: inout Assembly
  ) throws(LayerError) {
    let input = net.last
    try net.convolve(nil, second, stride: 2, bias: false)
    let shortcut = try net.normalize()
    if startsActive { try net.activate("block\(number)_sepconv1_act", after: input) }
    let start = startsActive ? net.last : input
    try addSeparable(number, 1, first, isActive: false, after: start, to: &net)
    try addSeparable(number, 2, second, isActive: true, to: &net)
    try net.maxPool("block\(number)_pool", padding: .same)
    try net.sum(nil, [net.last, shortcut])
  }

  private func addSeparable(
    _ block: Int, _ number: Int, _ width: Int, isActive: Bool, after input: Int? = nil,
    to net: inout Assembly
  ) throws(LayerError) {
    let name = "block\(block)_sepconv\(number)"
    if isActive { try net.activate(name + "_act") }
    try net.convolveSeparably(name, width, window: 3, after: input)
    try net.normalize(name + "_bn")
  }
}
