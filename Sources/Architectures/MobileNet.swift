import Compute
import Layers

/// MobileNet, version 1 (Howard and others 2017, arXiv:1704.04861), as in Keras's `mobilenet.py`:
/// every 3x3 convolution works on each channel by itself, and a 1x1 convolution mixes the channels.
struct MobileNet: PaperNetwork {
  let name: String
  /// The width multiplier.
  let alpha: Double
  let card: WeightCard
  var file = FileLayers.none
  let marker = "conv_dw_1"

  /// All widths of which weights are published, for pictures of 224 pixels.
  static let all = [(1, "1_0"), (0.75, "7_5"), (0.5, "5_0"), (0.25, "2_5")].map(MobileNet.init)

  private init(_ alpha: Double, _ text: String) {
    name = alpha == 1 ? "mobilenet" : "mobilenet-\(alpha)"
    self.alpha = alpha
    let place = WeightCard.keras + "mobilenet/mobilenet_\(text)_224_tf"
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

  /// Table 1 of the paper: the outputs and the stride of each depthwise separable convolution.
  private static let blocks = [
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1),
    (512, 1), (512, 1), (1024, 2), (1024, 1),
  ]

  func addBase(to net: inout Assembly) throws(LayerError) {
    try net.convolve("conv1", width(32), window: 3, stride: 2, bias: false)
    try normalizeAndActivate("conv1", &net)
    for (number, (outputs, stride)) in zip(1..., Self.blocks) {
      if stride == 2 {
        let border = PictureBorder(top: 0, bottom: 1, left: 0, right: 1)
        try net.add(ZeroPadding2D(name: "conv_pad_\(number)", border: border))
      }
      let name = "conv_dw_\(number)"
      try net.convolveDepthwise(name, stride: stride, padding: stride == 2 ? .valid : .same)
      try normalizeAndActivate(name, &net)
      try net.convolve("conv_pw_\(number)", width(outputs), bias: false)
      try normalizeAndActivate("conv_pw_\(number)", &net)
    }
  }

  private func width(_ published: Int) -> Int { Int(Double(published) * alpha) }

  private func normalizeAndActivate(
    _ name: String, _ net: inout Assembly
  ) throws(LayerError) {
    try net.normalize(name + "_bn")
    try net.add(ReLU(name: name + "_relu", maximum: 6))
  }

  /// The classes are the outputs of a 1x1 convolution over the one mean pixel.
  func addTop(to net: inout Assembly) throws(LayerError) {
    try net.add(GlobalAveragePooling2D(name: "global_average_pooling2d", keepsAxes: true))
    try net.add(Dropout(name: "dropout", rate: 1e-3))
    try net.convolve("conv_preds", 1000)
    try net.add(Reshape(name: "reshape_2", target: [net.channels(of: net.last)]))
    try net.activate("predictions", .softmax)
  }
}
