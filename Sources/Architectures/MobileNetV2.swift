import Compute
import Layers

/// MobileNet, version 2 (Sandler and others 2018, arXiv:1801.04381), as in Keras's `mobilenet_v2.py`:
/// blocks that expand a few channels, work on each by itself, and project them back without a ReLU;
/// shortcuts join the narrow ends.
struct MobileNetV2: PaperNetwork {
  let name: String
  /// The width multiplier.
  let alpha: Double
  let card: WeightCard
  var file = FileLayers.none
  let marker = "expanded_conv"

  /// All widths of which weights are published, for pictures of 224 pixels.
  static let all = [1, 0.35, 0.5, 0.75, 1.3, 1.4].map(MobileNetV2.init)

  private init(_ alpha: Double) {
    name = alpha == 1 ? "mobilenet_v2" : "mobilenet_v2-\(alpha)"
    self.alpha = alpha
    let place =
      WeightCard.keras + "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels"
      + "_\(alpha)_224"
    card = WeightCard(
      inputSize: 224, preprocessing: "tf",
      files: [
        .init(
          name: name + "-top", includesTop: true, md5: nil, bytes: nil, url: place + ".h5"),
        .init(name: name, includesTop: false, md5: nil, bytes: nil, url: place + "_no_top.h5"),
      ],
      licence: "Apache 2.0",
      origin: "Google (TensorFlow models); trained on ImageNet, ported to Keras")
  }

  /// Table 2 of the paper: the outputs, repetitions and first stride of the blocks.
  private static let stages = [
    (16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1),
  ]

  func addBase(to net: inout Assembly) throws(LayerError) {
    var (number, inputs) = (0, Self.divisible(32 * alpha))
    try net.convolve("Conv1", inputs, window: 3, stride: 2, bias: false)
    try net.normalize("bn_Conv1", momentum: 0.999)
    try net.add(ReLU(name: "Conv1_relu", maximum: 6))
    for (width, repetitions, stride) in Self.stages {
      // Keras cuts the fraction off before it rounds.
      let outputs = Self.divisible(Double(Int(Double(width) * alpha)))
      for repetition in 0..<repetitions {
        try addBlock(number, inputs, outputs, stride: repetition == 0 ? stride : 1, to: &net)
        (number, inputs) = (number + 1, outputs)
      }
    }
    // Narrow networks keep the last convolution as wide as it is.
    try net.convolve("Conv_1", Self.divisible(1280 * max(alpha, 1)), bias: false)
    try net.normalize("Conv_1_bn", momentum: 0.999)
    try net.add(ReLU(name: "out_relu", maximum: 6))
  }

  private func addBlock(
    _ number: Int, _ inputs: Int, _ outputs: Int, stride: Int, to net: inout Assembly
  ) throws(LayerError) {
    let input = net.last
    let prefix = number == 0 ? "expanded_conv_" : "block_\(number)_"
    // The first block has nothing to expand.
    if number > 0 {
      try net.convolve(prefix + "expand", 6 * inputs, bias: false)
      try normalizeAndActivate(prefix + "expand", &net)
    }
    if stride == 2 { try net.padForStride(prefix + "pad") }
    try net.convolveDepthwise(
      prefix + "depthwise", stride: stride, padding: stride == 2 ? .valid : .same)
    try normalizeAndActivate(prefix + "depthwise", &net)
    try net.convolve(prefix + "project", outputs, bias: false)
    let end = try net.normalize(prefix + "project_BN", momentum: 0.999)
    if stride == 1, net.channels(of: end) == net.channels(of: input) {
      try net.sum(prefix + "add", [input, end])
    }
  }

  private func normalizeAndActivate(
    _ name: String, _ net: inout Assembly
  ) throws(LayerError) {
    try net.normalize(name + "_BN", momentum: 0.999)
    try net.add(ReLU(name: name + "_relu", maximum: 6))
  }

  /// The nearest multiple of 8, but not less than nine tenths of `width`.
  static func divisible(_ width: Double) -> Int {
    let nearest = max(8, Int(width + 4) / 8 * 8)
    return Double(nearest) < 0.9 * width ? nearest + 8 : nearest
  }

  func addTop(to net: inout Assembly) throws(LayerError) {
    try net.averageAndClassify(pooling: "global_average_pooling2d")
  }
}
