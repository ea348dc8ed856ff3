import Compute
import Layers

/// AlexNet (Krizhevsky, Sutskever and Hinton 2012), with the layer names of Caffe's `bvlc_alexnet`.
///
/// The paper is *ImageNet Classification with Deep Convolutional Neural Networks*. What ran there on
/// two processors are two groups here; it says 224 pixels, but its sizes come out with 227.
struct AlexNet: PaperNetwork {
  let name = "alexnet"
  var file = FileLayers.none
  let marker = "conv1"

  let card = WeightCard(
    inputSize: 227, preprocessing: "caffe", files: [],
    licence: "that of the file", origin: "a file of yours, in the layout of Caffe's bvlc_alexnet")

  func addBase(to net: inout Assembly) throws(LayerError) {
    try net.convolve(
      "conv1", 96, window: 11, stride: 4, padding: .valid, activation: .relu)
    try net.add(normalization("norm1"))
    try net.maxPool("pool1")
    try net.convolve("conv2", 256, window: 5, groups: 2, activation: .relu)
    try net.add(normalization("norm2"))
    try net.maxPool("pool2")
    try net.convolve("conv3", 384, window: 3, activation: .relu)
    try net.convolve("conv4", 384, window: 3, groups: 2, activation: .relu)
    try net.convolve("conv5", 256, window: 3, groups: 2, activation: .relu)
    try net.maxPool("pool5")
  }

  /// Section 3.3 of the paper.
  private func normalization(_ name: String) -> LocalResponseNormalization {
    LocalResponseNormalization(name: name, radius: 2, bias: 2, alpha: 1e-4, beta: 0.75)
  }

  func addTop(to net: inout Assembly) throws(LayerError) {
    try net.add(Flatten(name: "flatten"))
    for number in 6...7 {
      try net.dense("fc\(number)", 4096, .relu)
      try net.add(Dropout(name: "drop\(number)", rate: 0.5))
    }
    try net.dense("fc8", 1000, .softmax)
  }
}
