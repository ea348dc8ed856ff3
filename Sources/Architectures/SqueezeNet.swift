import Layers

/// SqueezeNet 1.1 (Iandola and others 2016, arXiv:1602.07360; 1.1 is that of the authors' repository),
/// with the layer names of github.com/rcmalli/keras-squeezenet, whose weights people use, where
/// Keras 3 lets them stand: `fire2_squeeze1x1` for `fire2/squeeze1x1`.
struct SqueezeNet: PaperNetwork {
  let name = "squeezenet"
  var file = FileLayers.none
  let marker = "fire2"

  let card = WeightCard(
    inputSize: 227, preprocessing: "caffe",
    files: WeightCard.PublishedFile.pair(
      "squeezenet",
      at: "https://github.com/rcmalli/keras-squeezenet/releases/download/v1.0/squeezenet_weights",
      top: nil, noTop: nil),
    licence: "BSD 2-clause (SqueezeNet), MIT (port)",
    origin: "F. N. Iandola and others; trained on ImageNet, ported to Keras by R. C. Malli")

  func addBase(to net: inout Assembly) throws(LayerError) {
    try net.convolve("conv1", 64, window: 3, stride: 2, padding: .valid)
    try net.activate("relu_conv1")
    try net.maxPool("pool1")
    try fire(2, squeeze: 16, expand: 64, &net)
    try fire(3, squeeze: 16, expand: 64, &net)
    try net.maxPool("pool3")
    try fire(4, squeeze: 32, expand: 128, &net)
    try fire(5, squeeze: 32, expand: 128, &net)
    try net.maxPool("pool5")
    try fire(6, squeeze: 48, expand: 192, &net)
    try fire(7, squeeze: 48, expand: 192, &net)
    try fire(8, squeeze: 64, expand: 256, &net)
    try fire(9, squeeze: 64, expand: 256, &net)
  }

  /// Few channels, then two convolutions side by side that see them.
  private func fire(
    _ number: Int, squeeze: Int, expand: Int, _ net: inout Assembly
  ) throws(LayerError) {
    func name(_ layer: String) -> String { "fire\(number)_\(layer)" }
    try net.convolve(name("squeeze1x1"), squeeze)
    let squeezed = try net.activate(name("relu_squeeze1x1"))
    try net.convolve(name("expand1x1"), expand)
    let small = try net.activate(name("relu_expand1x1"))
    try net.convolve(name("expand3x3"), expand, window: 3, after: squeezed)
    let large = try net.activate(name("relu_expand3x3"))
    try net.concatenate(name("concat"), [small, large])
  }

  /// A convolution gives the classes of every place; their mean counts.
  func addTop(to net: inout Assembly) throws(LayerError) {
    try net.add(Dropout(name: "drop9", rate: 0.5))
    try net.convolve("conv10", 1000, padding: .valid)
    try net.activate("relu_conv10")
    try net.add(GlobalAveragePooling2D(name: "global_average_pooling2d"))
    try net.activate("loss", .softmax)
  }
}
