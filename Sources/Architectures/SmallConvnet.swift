import Compute
import Layers

/// The small convnet of section 5.2 of Chollet's *Deep Learning with Python*.
///
/// Four convolutions, each with max pooling, and a dense classifier.
enum SmallConvnet {
  private static let widths = [32, 64, 128, 128]
  private static let hidden = 512

  /// The network with its parameters all zero; pictures need 46 pixels.
  ///
  /// - Parameter dropout: the share of the flattened picture that is dropped; 0 for no dropout.
  static func network(
    inputShape: [Int], classCount: Int, dropout: Double
  ) throws(LayerError) -> Network {
    var network = Network(
      name: NewNetwork.smallConvnet.rawValue, inputShape: inputShape, inputName: "input_layer")
    var channels = inputShape[2]
    for (index, width) in widths.enumerated() {
      let suffix = index == 0 ? "" : "_\(index)"
      try network.add(
        Conv2D(
          name: "conv2d" + suffix, kernel: Tensor(placeholder: [3, 3, channels, width]),
          bias: Tensor(zeros: [width]), activation: .relu))
      try network.add(MaxPooling2D(name: "max_pooling2d" + suffix))
      channels = width
    }
    try network.add(Flatten(name: "flatten"))
    try network.addDropout(dropout)
    try network.addDense("dense", units: hidden, .relu)
    try network.addClassifier("dense_1", classCount: classCount)
    return network
  }
}
