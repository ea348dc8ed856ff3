import Compute
import Layers

/// LeNet-5 (LeCun and others 1998) as courses have it: tanh, average pooling, and plain
/// convolutions between all channels, its classifier a softmax.
///
/// C5, a convolution over the whole of its 5x5 input in the paper, is the Dense layer that it
/// equals, so that pictures of other sizes than 32x32 can be taken too.
enum LeNet5 {
  /// The network with its parameters all zero; pictures need 16 pixels.
  static func network(
    inputShape: [Int], classCount: Int, dropout: Double
  ) throws(LayerError) -> Network {
    var network = Network(
      name: NewNetwork.leNet5.rawValue, inputShape: inputShape, inputName: "input_layer")
    var channels = inputShape[2]
    for (layer, width) in zip([1, 3], [6, 16]) {
      try network.add(
        Conv2D(
          name: "c\(layer)", kernel: Tensor(zeros: [5, 5, channels, width]),
          bias: Tensor(zeros: [width]), activation: .tanh))
      try network.add(AveragePooling2D(name: "s\(layer + 1)"))
      channels = width
    }
    try network.add(Flatten(name: "flatten"))
    try network.addDense("c5", units: 120, .tanh)
    try network.addDense("f6", units: 84, .tanh)
    try network.addDropout(dropout)
    try network.addClassifier("predictions", classCount: classCount)
    return network
  }
}
