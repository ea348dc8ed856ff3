import Compute
package import Layers

/// ResNet with bottleneck blocks, version 1 (He and others 2015, arXiv:1512.03385), as Keras has it
/// in `resnet.py` and had it in `resnet50.py`: the stride lies in the first 1x1 convolution of a
/// block, and convolutions have biases.
///
/// Two incompatible files go by one name. Since 2018 layers are called `conv2_block1_1_conv` and
/// batch normalisation adds 1.001e-5 to the variance; before, they were called `res2a_branch2a` and
/// it added 1e-3. The names in a file tell which it is.
package struct ResNet: Architecture {
  /// How the layers are called, and what goes with it.
  package enum Naming: Sendable {
    case blocks
    case branches
  }

  package let name: String
  package let naming: Naming
  /// How many blocks each stage has.
  package let depths: [Int]
  /// The channels of the stem, and inside the blocks of each stage.
  package let widths: [Int]
  /// The channels that the blocks of each stage give.
  package let outputWidths: [Int]
  package let topUnits: Int
  package let card: WeightCard

  package static let resnet50 = published(
    "resnet50", depths: [3, 4, 6, 3], top: ("2cb95161c43110f7111970584f804107", 102_967_424),
    noTop: ("4d473c1dd8becc155b73f8504c6f6626", 94_765_736),
    older: [
      older("", includesTop: true, md5: "a7b3fe01876f51b976af0dea6bc144eb", bytes: 102_853_048),
      older(
        "_notop", includesTop: false, md5: "a268eb855778b3df3c7506639542a6af", bytes: 94_653_016),
    ])

  package static let resnet101 = published(
    "resnet101", depths: [3, 4, 23, 3], top: ("f1aeb4b969a6efcfb50fad2f0c20cfc5", 179_648_224),
    noTop: ("88cf7a10940856eca736dc7b7e228a21", 171_446_536))

  package static let resnet152 = published(
    "resnet152", depths: [3, 8, 36, 3], top: ("100835be76be38e30d865e96f2aaae62", nil),
    noTop: ("ee4c566cf9a93f14d82f913c2dc6dd0c", 234_698_864))

  private static let publishedWidths = [64, 64, 128, 256, 512]

  /// Addresses and digests as in Keras's `resnet.py`, sizes as its downloads tell.
  private static func published(
    _ name: String, depths: [Int], top: (md5: String, bytes: Int?),
    noTop: (md5: String, bytes: Int?), older: [WeightCard.PublishedFile] = []
  ) -> ResNet {
    let place =
      "https://storage.googleapis.com/tensorflow/keras-applications/resnet/\(name)_weights"
      + "_tf_dim_ordering_tf_kernels"
    let card = WeightCard(
      inputSize: 224, preprocessing: "caffe",
      files: older + [
        .init(
          name: name + "-top", includesTop: true, md5: top.md5, bytes: top.bytes,
          url: place + ".h5"),
        .init(
          name: name, includesTop: false, md5: noTop.md5, bytes: noTop.bytes,
          url: place + "_notop.h5"),
      ],
      licence: "MIT",
      origin: "Kaiming He and others, Microsoft Research; trained on ImageNet, ported to Keras")
    return ResNet(
      name: name, naming: .blocks, depths: depths, widths: publishedWidths,
      outputWidths: [256, 512, 1024, 2048], topUnits: 1000, card: card)
  }

  /// The files of Keras's `resnet50.py` before 2018; on the disk they need other names than the
  /// newer ones, which are called the same.
  private static func older(
    _ suffix: String, includesTop: Bool, md5: String, bytes: Int
  ) -> WeightCard.PublishedFile {
    let file = "weights_tf_dim_ordering_tf_kernels\(suffix).h5"
    return .init(
      name: "resnet50-v0.2" + (includesTop ? "-top" : ""), includesTop: includesTop, md5: md5,
      bytes: bytes,
      url: "https://github.com/fchollet/deep-learning-models/releases/download/v0.2/resnet50_"
        + file,
      fileName: "resnet50_v0.2_" + file)
  }

  package var isPublished: Bool { widths == Self.publishedWidths }
  package var topNames: [String] { ["avg_pool", naming == .blocks ? "predictions" : "fc1000"] }
  package var convolutionNames: [String] {
    [naming == .blocks ? "conv1_conv" : "conv1"] + blocks.flatMap { $0.paths.map(\.convolution) }
  }

  package func network(inputShape: [Int], includesTop: Bool) throws(LayerError) -> Network {
    var network = Network(name: name, inputShape: inputShape, inputName: "input_layer")
    let isNew = naming == .blocks
    try network.add(ZeroPadding2D(name: "conv1_pad", 3))
    try add(
      to: &network, convolution: isNew ? "conv1_conv" : "conv1", isNew ? "conv1_bn" : "bn_conv1",
      window: 7, widths[0], stride: 2)
    try network.add(Activation(name: "conv1_relu", activation: .relu))
    try network.add(ZeroPadding2D(name: "pool1_pad", 1))
    try network.add(
      MaxPooling2D(name: isNew ? "pool1_pool" : "max_pooling2d", window: (3, 3), strides: (2, 2)))
    for block in blocks { try add(block, to: &network) }
    guard includesTop else { return try network.inKerasOrder() }
    try network.add(GlobalAveragePooling2D(name: "avg_pool"))
    try network.add(
      Dense(
        name: topNames[1], kernel: Tensor(placeholder: [network.outputShape[0], topUnits]),
        bias: Tensor(zeros: [topUnits]), activation: .softmax))
    return try network.inKerasOrder()
  }

  /// A bottleneck: 1x1, 3x3 and 1x1 convolutions, added to a shortcut past them.
  private func add(_ block: Block, to network: inout Network) throws(LayerError) {
    let input = network.outputIndex
    var shortcut = input
    let (width, output) = (widths[block.stage - 1], outputWidths[block.stage - 2])
    // The first block of a stage halves the picture, but that of the first stage.
    let stride = block.number == 1 && block.stage > 2 ? 2 : 1
    if block.number == 1 {
      let path = block.paths[0]
      shortcut = try add(
        to: &network, after: input, convolution: path.convolution, path.normalization, window: 1,
        output, stride: stride)
    }
    let main = block.paths.suffix(3)
    let shapes = [(1, width, stride), (3, width, 1), (1, output, 1)]
    var last = input
    for (number, (path, shape)) in zip(main, shapes).enumerated() {
      last = try add(
        to: &network, after: last, convolution: path.convolution, path.normalization,
        window: shape.0, shape.1, stride: shape.2)
      guard number < 2 else { continue }
      last = try network.add(
        Activation(name: "\(block.name)_\(number + 1)_relu", activation: .relu))
    }
    try network.add(Add(name: block.name + "_add"), after: [shortcut, last])
    try network.add(Activation(name: block.name + "_out", activation: .relu))
  }

  @discardableResult
  private func add(
    to network: inout Network, after input: Int? = nil, convolution: String,
    _ normalization: String, window: Int, _ outputs: Int, stride: Int
  ) throws(LayerError) -> Int {
    let input = input ?? network.outputIndex
    let channels = network.nodes[input].shape[2]
    try network.add(
      Conv2D(
        name: convolution, kernel: Tensor(placeholder: [window, window, channels, outputs]),
        bias: Tensor(zeros: [outputs]), strides: (stride, stride),
        padding: window == 3 ? .same : .valid),
      after: [input])
    return try network.add(
      BatchNormalization(
        name: normalization, channels: outputs, epsilon: naming == .blocks ? 1.001e-5 : 1e-3))
  }
}

extension ResNet {
  /// The names of a residual block.
  private struct Block {
    /// 2 to 5, as in the paper.
    let stage: Int
    /// From 1.
    let number: Int
    let name: String
    /// The shortcut of a first block, then the three convolutions.
    let paths: [(convolution: String, normalization: String)]

    init(stage: Int, number: Int, naming: Naming) {
      (self.stage, self.number) = (stage, number)
      let branches = (number == 1 ? [0] : []) + [1, 2, 3]
      switch naming {
      case .blocks:
        let name = "conv\(stage)_block\(number)"
        paths = branches.map { ("\(name)_\($0)_conv", "\(name)_\($0)_bn") }
        self.name = name
      case .branches:
        let place = "\(stage)\(Self.letter(number))"
        paths = branches.map { branch in
          let suffix = "\(place)_branch" + ["1", "2a", "2b", "2c"][branch]
          return ("res" + suffix, "bn" + suffix)
        }
        name = "res" + place
      }
    }

    private static func letter(_ number: Int) -> Character {
      Character(Unicode.Scalar(UInt8(ascii: "a") + UInt8(number - 1)))
    }
  }

  private var blocks: [Block] {
    depths.enumerated().flatMap { index, depth in
      (1...depth).map { Block(stage: index + 2, number: $0, naming: naming) }
    }
  }

  package func fitted(
    to layers: [StoredLayer]
  ) -> (architecture: any Architecture, missing: Int)? {
    // Only ResNet50 was published under the old names.
    let namings: [Naming] = depths.reduce(0, +) == 16 ? [.blocks, .branches] : [.blocks]
    return namings.lazy.compactMap { with(naming: $0).fittedByName(to: layers) }.first
  }

  private func fittedByName(
    to layers: [StoredLayer]
  ) -> (architecture: any Architecture, missing: Int)? {
    let names = Set(convolutionNames)
    let normalizations = Set(
      [naming == .blocks ? "conv1_bn" : "bn_conv1"]
        + blocks.flatMap { $0.paths.map(\.normalization) })
    let convolutions = layers.filter { $0.shapes.contains { $0.count == 4 } }
    // Version 2 and ResNeXt have the same names for convolutions, but other normalisations or
    // convolutions without biases.
    guard convolutions.allSatisfy({ names.contains($0.name) && $0.shapes.count == 2 }),
      layers.allSatisfy({ $0.shapes.count < 3 || normalizations.contains($0.name) }),
      convolutions.count * 2 >= names.count
    else { return nil }
    let stored = Dictionary(layers.map { ($0.name, $0) }) { first, _ in first }
    func outputs(_ names: [String]) -> Int? {
      names.lazy.compactMap { stored[$0]?.shapes.first { $0.count == 4 }?[3] }.first
    }
    func outputs(stage: Int, path: Int) -> Int? {
      let stages = blocks.filter { $0.stage == stage }
      return outputs(stages.map { $0.paths[$0.paths.count - path].convolution })
    }
    let stem = outputs([convolutionNames[0]]) ?? widths[0]
    let fitted = ResNet(
      name: name, naming: naming, depths: depths,
      widths: [stem] + (2...5).map { outputs(stage: $0, path: 3) ?? widths[$0 - 1] },
      outputWidths: (2...5).map { outputs(stage: $0, path: 1) ?? outputWidths[$0 - 2] },
      topUnits: stored[topNames[1]]?.shapes.first { $0.count == 2 }?[1] ?? topUnits, card: card)
    return (fitted, names.count - convolutions.count)
  }

  private func with(naming: Naming) -> ResNet {
    ResNet(
      name: name, naming: naming, depths: depths, widths: widths, outputWidths: outputWidths,
      topUnits: topUnits, card: card)
  }
}
