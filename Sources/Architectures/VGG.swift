import Compute
package import Layers

/// VGG, configurations D and E: blocks of 3x3 convolutions, each block ended by 2x2 max pooling
/// (Simonyan and Zisserman 2014, arXiv:1409.1556), with the layer names of Keras's `vgg16.py` and
/// `vgg19.py`.
package struct VGG: Architecture {
  package let name: String
  /// How many convolutions each block has.
  package let depths: [Int]
  package private(set) var widths: [Int]
  /// The units of `fc1`, `fc2` and `predictions`.
  package private(set) var topUnits: [Int]
  package let card: WeightCard
  /// How fresh kernels are drawn.
  var initializer = KernelInitializer.glorotUniform
  /// Whether a file with other widths is taken for a relative of this network.
  var takesOtherWidths = true

  package static let vgg16 = VGG(
    name: "vgg16", depths: [2, 2, 3, 3, 3], widths: publishedWidths, topUnits: publishedTop,
    card: card(
      "vgg16", top: ("64373286793e3c8b2b4e3219cbf3544b", 553_467_096),
      noTop: ("6d6bbae143d832006294945121d1f1fc", 58_889_256)))

  package static let vgg19 = VGG(
    name: "vgg19", depths: [2, 2, 4, 4, 4], widths: publishedWidths, topUnits: publishedTop,
    card: card(
      "vgg19", top: ("cbe5617147190e668d6c5d5026f83318", 574_710_816),
      noTop: ("253f8cb515780f3b799900260a226db6", 80_134_624)))

  private static let publishedWidths = [64, 128, 256, 512, 512]
  private static let publishedTop = [4096, 4096, 1000]

  /// Addresses and digests as in Keras's `vgg16.py` and `vgg19.py`, sizes as its downloads tell.
  private static func card(
    _ name: String, top: (md5: String, bytes: Int), noTop: (md5: String, bytes: Int)
  ) -> WeightCard {
    let place =
      "https://storage.googleapis.com/tensorflow/keras-applications/\(name)/\(name)_weights"
      + "_tf_dim_ordering_tf_kernels"
    return WeightCard(
      inputSize: 224, preprocessing: "caffe",
      files: [
        .init(
          name: name + "-top", includesTop: true, md5: top.md5, bytes: top.bytes,
          url: place + ".h5"),
        .init(
          name: name, includesTop: false, md5: noTop.md5, bytes: noTop.bytes,
          url: place + "_notop.h5"),
      ],
      licence: "Creative Commons Attribution",
      origin: "Visual Geometry Group, Oxford; trained on ImageNet, ported to Keras")
  }

  package var isPublished: Bool { !takesOtherWidths || widths == Self.publishedWidths }

  package var convolutionNames: [String] {
    depths.enumerated().flatMap { block, depth in
      (1...depth).map { "block\(block + 1)_conv\($0)" }
    }
  }

  private static let denseNames = ["fc1", "fc2", "predictions"]
  package var topNames: [String] { ["flatten"] + Self.denseNames }

  /// The network for pictures `[height, width, 3]`, its parameters all zero.
  ///
  /// Throws `LayerError` where the picture is too small: five poolings need 32 pixels.
  package func network(inputShape: [Int], includesTop: Bool) throws(LayerError) -> Network {
    var network = Network(name: name, inputShape: inputShape, inputName: "input_layer")
    var channels = inputShape[2]
    for (block, depth) in depths.enumerated() {
      for convolution in 1...depth {
        try network.add(
          Conv2D(
            name: "block\(block + 1)_conv\(convolution)",
            kernel: Tensor(placeholder: [3, 3, channels, widths[block]]),
            bias: Tensor(zeros: [widths[block]]), padding: .same, activation: .relu,
            initializer: initializer))
        channels = widths[block]
      }
      try network.add(MaxPooling2D(name: "block\(block + 1)_pool"))
    }
    guard includesTop else { return network }
    try network.add(Flatten(name: "flatten"))
    for (name, units) in zip(Self.denseNames, topUnits) {
      try network.add(
        Dense(
          name: name, kernel: Tensor(placeholder: [network.outputShape[0], units]),
          bias: Tensor(zeros: [units]), activation: name == "predictions" ? .softmax : .relu))
    }
    return network
  }

  package func fitted(
    to layers: [StoredLayer]
  ) -> (architecture: any Architecture, missing: Int)? {
    let convolutions = layers.filter { $0.shapes.contains { $0.count == 4 } }
    let names = Set(convolutionNames)
    guard convolutions.allSatisfy({ names.contains($0.name) }),
      convolutions.count * 2 >= names.count
    else { return nil }
    var widths = self.widths
    for layer in convolutions.reversed() {
      guard let block = layer.name.dropFirst(5).first?.wholeNumberValue,
        let width = layer.shapes.first(where: { $0.count == 1 && $0[0] > 0 })?[0]
          ?? layer.shapes.first(where: { $0.count == 4 })?[3]
      else { continue }
      widths[block - 1] = width
    }
    guard takesOtherWidths || widths == self.widths else { return nil }
    let top = zip(Self.denseNames, topUnits).map { name, units in
      layers.first { $0.name == name }?.shapes.first { $0.count == 2 }?[1] ?? units
    }
    var fitted = self
    (fitted.widths, fitted.topUnits) = (widths, top)
    return (fitted, names.count - convolutions.count)
  }
}
