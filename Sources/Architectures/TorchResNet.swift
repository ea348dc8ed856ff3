import Compute
package import Layers

/// ResNet as torchvision and timm have it, with their layer names (He and others 2015,
/// arXiv:1512.03385; torchvision's `resnet.py`).
///
/// It is another graph than Keras's: the stride of a block lies in its 3x3 convolution ("version
/// 1.5"), convolutions have no biases, batch normalisation adds 1e-5 to the variance, and a
/// convolution of stride 2 is padded by one pixel on every side.
package struct TorchResNet: Architecture {
  package let name: String
  /// How many blocks each stage has.
  let depths: [Int]
  /// Whether blocks are 1x1, 3x3, 1x1 convolutions, and not two of 3x3.
  let isBottleneck: Bool
  /// The channels of the stem, and inside the blocks of each stage.
  package private(set) var widths: [Int]
  /// The channels that the blocks of each stage give.
  private var outputWidths: [Int]
  private var topUnits = 1000

  package static let all = [
    TorchResNet("torch-resnet18", [2, 2, 2, 2], isBottleneck: false),
    TorchResNet("torch-resnet34", [3, 4, 6, 3], isBottleneck: false),
    TorchResNet("torch-resnet50", [3, 4, 6, 3]), TorchResNet("torch-resnet101", [3, 4, 23, 3]),
    TorchResNet("torch-resnet152", [3, 8, 36, 3]),
  ]

  private static let publishedWidths = [64, 64, 128, 256, 512]

  private init(_ name: String, _ depths: [Int], isBottleneck: Bool = true) {
    (self.name, self.depths, self.isBottleneck) = (name, depths, isBottleneck)
    widths = Self.publishedWidths
    outputWidths = widths.dropFirst().map { isBottleneck ? 4 * $0 : $0 }
  }

  package var card: WeightCard { .torch }
  package var isPublished: Bool { widths == Self.publishedWidths }
  package var topNames: [String] { ["avgpool", "fc"] }
  package var convolutionNames: [String] { ["conv1"] + blocks.flatMap(\.convolutionNames) }

  package func network(inputShape: [Int], includesTop: Bool) throws(LayerError) -> Network {
    var network = Network(name: name, inputShape: inputShape, inputName: "input_layer")
    try add("conv1", "bn1", Convolution(7, widths[0], stride: 2), to: &network)
    try network.add(Activation(name: "relu", activation: .relu))
    // Zeros, where PyTorch has minus infinity: after the relu that is the same.
    try network.add(ZeroPadding2D(name: "maxpool_pad", 1))
    try network.add(MaxPooling2D(name: "maxpool", window: (3, 3), strides: (2, 2)))
    for block in blocks { try add(block, to: &network) }
    guard includesTop else { return network }
    try network.add(GlobalAveragePooling2D(name: "avgpool"))
    try network.addDense("fc", units: topUnits, .softmax)
    return network
  }

  /// The convolutions of a block, added to a shortcut past them.
  private func add(_ block: Block, to network: inout Network) throws(LayerError) {
    let input = network.outputIndex
    let (width, output) = (widths[block.stage], outputWidths[block.stage - 1])
    let sizes =
      isBottleneck
      ? [
        Convolution(1, width), Convolution(3, width, stride: block.stride), Convolution(1, output),
      ] : [Convolution(3, width, stride: block.stride), Convolution(3, output)]
    for (index, size) in sizes.enumerated() {
      try add("\(block.name).conv\(index + 1)", "\(block.name).bn\(index + 1)", size, to: &network)
      guard index < sizes.count - 1 else { continue }
      try network.add(Activation(name: "\(block.name).relu\(index + 1)", activation: .relu))
    }
    let main = network.outputIndex
    var shortcut = input
    if block.hasDownsample {
      try add(
        "\(block.name).downsample.0", "\(block.name).downsample.1",
        Convolution(1, output, stride: block.stride), after: input, to: &network)
      shortcut = network.outputIndex
    }
    try network.add(Add(name: block.name + ".add"), after: [main, shortcut])
    try network.add(Activation(name: block.name + ".relu", activation: .relu))
  }

  /// The window of a convolution, its outputs and its stride.
  private struct Convolution {
    let (window, outputs, stride): (Int, Int, Int)

    init(_ window: Int, _ outputs: Int, stride: Int = 1) {
      (self.window, self.outputs, self.stride) = (window, outputs, stride)
    }
  }

  private func add(
    _ name: String, _ normalization: String, _ convolution: Convolution, after input: Int? = nil,
    to network: inout Network
  ) throws(LayerError) {
    var input = input ?? network.outputIndex
    let (window, stride) = (convolution.window, convolution.stride)
    if window > 1, stride > 1 {
      input = try network.add(ZeroPadding2D(name: name + "_pad", window / 2), after: [input])
    }
    let channels = network.nodes[input].shape[2]
    try network.add(
      Conv2D(
        name: name, kernel: Tensor(placeholder: [window, window, channels, convolution.outputs]),
        bias: nil, strides: (stride, stride), padding: stride == 1 ? .same : .valid),
      after: [input])
    try network.add(
      BatchNormalization(name: normalization, channels: convolution.outputs, epsilon: 1e-5))
  }
}

extension TorchResNet {
  private struct Block {
    /// 1 to 4, as in `layer1`.
    let stage: Int
    let name: String
    let stride: Int
    let hasDownsample: Bool
    let convolutionNames: [String]
  }

  private var blocks: [Block] {
    depths.enumerated().flatMap { index, depth in
      (0..<depth).map { number in
        let name = "layer\(index + 1).\(number)"
        let hasDownsample = number == 0 && (index > 0 || isBottleneck)
        return Block(
          stage: index + 1, name: name, stride: number == 0 && index > 0 ? 2 : 1,
          hasDownsample: hasDownsample,
          convolutionNames: (1...(isBottleneck ? 3 : 2)).map { "\(name).conv\($0)" }
            + (hasDownsample ? [name + ".downsample.0"] : []))
      }
    }
  }

  package func fitted(
    to layers: [StoredLayer]
  ) -> (architecture: any Architecture, missing: Int)? {
    let names = Set(convolutionNames)
    let convolutions = layers.filter { $0.shapes.contains { $0.count == 4 } }
    // With biases it is another network, as Keras's first convolution has the same name.
    guard convolutions.allSatisfy({ names.contains($0.name) && $0.shapes.count == 1 }),
      convolutions.count * 2 >= names.count
    else { return nil }
    var fitted = self
    let last = isBottleneck ? "conv3" : "conv2"
    for stage in 1...4 {
      fitted.widths[stage] = layers.outputs(of: "layer\(stage).0.conv1") ?? widths[stage]
      fitted.outputWidths[stage - 1] =
        layers.outputs(of: "layer\(stage).0.\(last)") ?? outputWidths[stage - 1]
    }
    fitted.widths[0] = layers.outputs(of: "conv1") ?? widths[0]
    fitted.topUnits = layers.outputs(of: "fc") ?? topUnits
    return (fitted, names.count - convolutions.count)
  }
}

extension [StoredLayer] {
  /// How many outputs the kernel of a layer has, nil where there is no such layer.
  func outputs(of name: String) -> Int? {
    first { $0.name == name }?.shapes.first { $0.count > 1 }?.last
  }
}

extension WeightCard {
  /// What torchvision's and timm's weights of these networks were trained with.
  static let torch = WeightCard(
    inputSize: 224, preprocessing: "torch", files: [], licence: "as its publisher says",
    origin: "torchvision or timm; trained on ImageNet",
    defaults: WeightDefaults(
      photoSize: 224, interpolation: "bilinear",
      headLearningRate: WeightDefaults().headLearningRate,
      tuningLearningRate: WeightDefaults().tuningLearningRate))
}
