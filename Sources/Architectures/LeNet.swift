import Compute
import Layers

/// LeNet-5 (LeCun and others 1998) as courses have it: tanh, average pooling, and plain
/// convolutions between all channels, its classifier a softmax.
///
/// C5, a convolution over the whole of its 5x5 input in the paper, is the Dense layer that it
/// equals, so that pictures of other sizes than 32x32 can be taken too; they need 16 pixels.
struct LeNet5: PaperNetwork {
  let name = NewNetwork.leNet5.rawValue
  var file = FileLayers.none
  let marker = "c1"
  /// How many outputs the classifier has, unless a file says otherwise.
  var classCount = 10
  /// What is dropped before it.
  var dropout = 0.0

  let card = WeightCard(
    inputSize: 32, preprocessing: "rescale", files: [],
    licence: "that of the file", origin: "a file of yours, as `tl train --network lenet-5` makes",
    defaults: WeightDefaults(
      photoSize: 32, interpolation: "nearest", headLearningRate: 1e-3, tuningLearningRate: 1e-4))

  func addBase(to net: inout Assembly) throws(LayerError) {
    try net.convolve("c1", 6, window: 5, padding: .valid, activation: .tanh)
    try net.averagePool("s2", window: 2, stride: 2)
    try net.convolve("c3", 16, window: 5, padding: .valid, activation: .tanh)
    try net.averagePool("s4", window: 2, stride: 2)
  }

  func addTop(to net: inout Assembly) throws(LayerError) {
    try net.add(Flatten(name: "flatten"))
    try net.dense("c5", 120, .tanh)
    try net.dense("f6", 84, .tanh)
    if dropout > 0 { try net.add(Dropout(name: "dropout", rate: dropout)) }
    // Two classes get one sigmoid output.
    let outputs = file.width(of: "predictions", published: classCount == 2 ? 1 : classCount)
    try net.dense("predictions", outputs, outputs == 1 ? .sigmoid : .softmax)
  }
}
