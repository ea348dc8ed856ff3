package import Compute
package import Layers

/// The networks that `tl train` builds by name, to be trained from random weights.
package enum NewNetwork: String, CaseIterable, Sendable {
  case smallConvnet = "small-convnet"
  case leNet5 = "lenet-5"
  case tlMini = "tl-mini"

  /// Height and width of the pictures, unless others are asked for.
  package var inputSize: Int {
    switch self {
    case .smallConvnet: 150
    case .leNet5: 32
    case .tlMini: VGG.tlMini.card.inputSize
    }
  }

  /// What is dropped before the classifier, unless another share is asked for.
  package var dropout: Double {
    switch self {
    case .smallConvnet: 0.5
    case .leNet5: 0
    case .tlMini: 0.2
    }
  }

  /// The name of the preprocessing that the network is trained with, unless another is asked for.
  package var preprocessing: String { "rescale" }

  /// The architecture whose weights can be kept without the classifier, as a base.
  package var base: (any Architecture)? { self == .tlMini ? VGG.tlMini : nil }

  /// The network for pictures `[height, width, 3]`, its parameters drawn afresh.
  ///
  /// Two classes get one sigmoid output, more a softmax. Throws `LayerError` where the picture is
  /// too small.
  package func network(
    inputShape: [Int], classCount: Int, dropout: Double, random: inout SeededRandom
  ) throws(LayerError) -> Network {
    var network =
      switch self {
      case .smallConvnet:
        try SmallConvnet.network(
          inputShape: inputShape, classCount: classCount, dropout: dropout)
      case .leNet5:
        try LeNet5(classCount: classCount, dropout: dropout)
          .network(inputShape: inputShape, includesTop: true)
      case .tlMini:
        try tlMini(inputShape: inputShape, classCount: classCount, dropout: dropout)
      }
    network.initialize(random: &random) { _ in true }
    return network
  }

  /// The base and, while it learns, the smallest classifier that there is.
  private func tlMini(
    inputShape: [Int], classCount: Int, dropout: Double
  ) throws(LayerError) -> Network {
    var network = try VGG.tlMini.network(inputShape: inputShape)
    let head = network.nodes.count
    try network.add(GlobalAveragePooling2D(name: "avg_pool"))
    try network.addDropout(dropout)
    try network.addClassifier("predictions", classCount: classCount)
    network.declareHead(from: head)
    return network
  }
}

extension Network {
  /// Adds a dropout of the given share, or nothing for 0.
  mutating func addDropout(_ rate: Double) throws(LayerError) {
    if rate > 0 { try add(Dropout(name: "dropout", rate: rate)) }
  }

  mutating func addDense(
    _ name: String, units: Int, _ activation: PointwiseFunction
  ) throws(LayerError) {
    try add(
      Dense(
        name: name, kernel: Tensor(placeholder: [outputShape[0], units]),
        bias: Tensor(zeros: [units]),
        activation: activation))
  }

  /// Adds one sigmoid output for two classes, a softmax for more.
  mutating func addClassifier(_ name: String, classCount: Int) throws(LayerError) {
    try addDense(
      name, units: classCount == 2 ? 1 : classCount, classCount == 2 ? .sigmoid : .softmax)
  }
}
