import Compute
import Layers

/// Height and width of a kernel.
struct Window: ExpressibleByIntegerLiteral {
  let (rows, columns): (Int, Int)

  init(_ rows: Int, _ columns: Int) { (self.rows, self.columns) = (rows, columns) }
  init(integerLiteral size: Int) { self.init(size, size) }

  var pair: (Int, Int) { (rows, columns) }
}

/// Puts a network together layer after layer, all parameters zero, each layer as wide as a file says
/// and else as published.
///
/// A layer follows the one before it unless told otherwise. Without a name it gets the number that
/// Keras would give it.
struct Assembly {
  private(set) var network: Network
  /// The widths that were asked for, by layer.
  private(set) var published: [(layer: String, width: Int)] = []
  private let file: FileLayers
  private var counts: [String: Int] = [:]

  init(name: String, inputShape: [Int], file: FileLayers) {
    network = Network(name: name, inputShape: inputShape, inputName: "input_layer")
    self.file = file
  }

  /// The layer that was added last.
  var last: Int { network.outputIndex }
  func shape(of layer: Int) -> [Int] { network.nodes[layer].shape }
  func channels(of layer: Int) -> Int { network.nodes[layer].shape[2] }

  @discardableResult
  mutating func add(_ layer: any Layer, after input: Int? = nil) throws(LayerError) -> Int {
    try network.add(layer, after: [input ?? last])
  }

  mutating func declareHead() { network.declareHead(from: network.nodes.count) }

  @discardableResult
  mutating func convolve(
    _ name: String?, _ width: Int, window: Window = 1, stride: Int = 1,
    padding: Padding = .same, groups: Int = 1, bias: Bool = true,
    activation: PointwiseFunction = .linear, after input: Int? = nil
  ) throws(LayerError) -> Int {
    let (layer, width) = self.layer(name, "conv2d", width)
    let inputs = channels(of: input ?? last) / groups
    return try add(
      Conv2D(
        name: layer, kernel: Tensor(placeholder: [window.rows, window.columns, inputs, width]),
        bias: bias ? Tensor(zeros: [width]) : nil, strides: (stride, stride), groups: groups,
        padding: padding, activation: activation),
      after: input)
  }

  /// Each channel by itself, 3x3.
  mutating func convolveDepthwise(
    _ name: String, stride: Int, padding: Padding
  ) throws(LayerError) {
    try add(
      DepthwiseConv2D(
        name: name, kernel: Tensor(zeros: [3, 3, channels(of: last), 1]), bias: nil,
        strides: (stride, stride), padding: padding))
  }

  /// Each channel by itself, then all of them mixed.
  mutating func convolveSeparably(
    _ name: String, _ width: Int, window: Int, after input: Int? = nil
  ) throws(LayerError) {
    let (layer, width) = self.layer(name, "separable_conv2d", width)
    let inputs = channels(of: input ?? last)
    try add(
      SeparableConv2D(
        name: layer, depthwise: Tensor(zeros: [window, window, inputs, 1]),
        pointwise: Tensor(zeros: [1, 1, inputs, width]), bias: nil, padding: .same),
      after: input)
  }

  @discardableResult
  mutating func normalize(
    _ name: String? = nil, epsilon: Double = 1e-3, momentum: Double = 0.99, scales: Bool = true,
    after input: Int? = nil
  ) throws(LayerError) -> Int {
    try add(
      BatchNormalization(
        name: file.name(of: numbered(name, "batch_normalization")),
        channels: channels(of: input ?? last), epsilon: epsilon, momentum: momentum,
        scales: scales),
      after: input)
  }

  @discardableResult
  mutating func activate(
    _ name: String? = nil, _ function: PointwiseFunction = .relu, after input: Int? = nil
  ) throws(LayerError) -> Int {
    try add(Activation(name: numbered(name, "activation"), activation: function), after: input)
  }

  @discardableResult
  mutating func maxPool(
    _ name: String? = nil, window: Int = 3, stride: Int = 2, padding: Padding = .valid,
    after input: Int? = nil
  ) throws(LayerError) -> Int {
    try add(
      MaxPooling2D(
        name: numbered(name, "max_pooling2d"), window: (window, window),
        strides: (stride, stride), padding: padding),
      after: input)
  }

  @discardableResult
  mutating func averagePool(
    _ name: String? = nil, window: Int, stride: Int, padding: Padding = .valid,
    after input: Int? = nil
  ) throws(LayerError) -> Int {
    try add(
      AveragePooling2D(
        name: numbered(name, "average_pooling2d"), window: (window, window),
        strides: (stride, stride), padding: padding),
      after: input)
  }

  mutating func pad(_ name: String? = nil, by pixels: Int) throws(LayerError) {
    try add(ZeroPadding2D(name: numbered(name, "zero_padding2d"), pixels))
  }

  /// One row and one column of zeros at the end, as far as a stride of 2 needs them.
  mutating func padForStride(_ name: String) throws(LayerError) {
    let shape = shape(of: last)
    let border = PictureBorder(
      top: shape[0] % 2, bottom: 1, left: shape[1] % 2, right: 1)
    try add(ZeroPadding2D(name: name, border: border))
  }

  @discardableResult
  mutating func concatenate(_ name: String?, _ layers: [Int]) throws(LayerError) -> Int {
    try network.add(Concatenate(name: numbered(name, "concatenate")), after: layers)
  }

  @discardableResult
  mutating func sum(_ name: String?, _ layers: [Int]) throws(LayerError) -> Int {
    try network.add(Add(name: numbered(name, "add")), after: layers)
  }

  mutating func dense(
    _ name: String, _ units: Int, _ activation: PointwiseFunction
  ) throws(LayerError) {
    let (layer, units) = self.layer(name, "dense", units)
    try network.addDense(layer, units: units, activation)
  }

  /// The mean of each channel, and a softmax over 1000 classes: the top of most networks.
  mutating func averageAndClassify(pooling: String = "avg_pool") throws(LayerError) {
    try add(GlobalAveragePooling2D(name: pooling))
    try dense("predictions", 1000, .softmax)
  }

  /// A layer's name and how many outputs it has.
  private mutating func layer(
    _ name: String?, _ stem: String, _ width: Int
  ) -> (name: String, width: Int) {
    let name = numbered(name, stem)
    published.append((name, width))
    return (file.name(of: name), file.width(of: name, published: width))
  }

  private mutating func numbered(_ name: String?, _ stem: String) -> String {
    if let name { return name }
    defer { counts[stem, default: 0] += 1 }
    return FileLayers.name(stem, counts[stem, default: 0])
  }
}
