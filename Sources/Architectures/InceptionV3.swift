import Compute
import Layers

/// Inception v3 (Szegedy and others 2015, arXiv:1512.00567), as in Keras's `inception_v3.py`:
/// convolutions without names, each with a normalisation without gamma and a ReLU; the ends of the
/// blocks are called `mixed0` to `mixed10`.
struct InceptionV3: PaperNetwork {
  let name = "inception_v3"
  var file = FileLayers.none
  let marker = "conv"
  let numbersLayers = true

  let card = WeightCard(
    inputSize: 299, preprocessing: "tf",
    files: WeightCard.PublishedFile.pair(
      "inception_v3", at: WeightCard.keras + "inception_v3/inception_v3_weights",
      top: "9a0d58056eeedaa3f26cb7ebd46da564", noTop: "bcbd6486424b2319ff4ef7d526e38f63"),
    licence: "Apache 2.0",
    origin: "Google (TensorFlow models); trained on ImageNet, ported to Keras")

  /// A part of a block's branch.
  private indirect enum Part {
    case convolution(Int, Window, stride: Int = 1)
    case averagePool
    case maxPool
    /// A 1x3 and a 3x1 convolution of that width side by side, joined under the name.
    case fork(Int, String? = nil)
  }

  private typealias Branch = [Part]

  func addBase(to net: inout Assembly) throws(LayerError) {
    try convolve(32, 3, stride: 2, .valid, to: &net)
    try convolve(32, 3, .valid, to: &net)
    try convolve(64, 3, to: &net)
    try net.maxPool()
    try convolve(80, 1, .valid, to: &net)
    try convolve(192, 3, .valid, to: &net)
    try net.maxPool()
    // 35x35 pictures.
    for (number, pooled) in zip(0..., [32, 64, 64]) {
      try add(
        "mixed\(number)",
        [
          [.convolution(64, 1)],
          [.convolution(48, 1), .convolution(64, 5)],
          [.convolution(64, 1), .convolution(96, 3), .convolution(96, 3)],
          [.averagePool, .convolution(pooled, 1)],
        ], to: &net)
    }
    try add(
      "mixed3",
      [
        [.convolution(384, 3, stride: 2)],
        [.convolution(64, 1), .convolution(96, 3), .convolution(96, 3, stride: 2)],
        [.maxPool],
      ], to: &net)
    // 17x17 pictures, 7x7 convolutions as a row and a column.
    let (row, column) = (Window(1, 7), Window(7, 1))
    for (number, width) in zip(4..., [128, 160, 160, 192]) {
      try add(
        "mixed\(number)",
        [
          [.convolution(192, 1)],
          [.convolution(width, 1), .convolution(width, row), .convolution(192, column)],
          [
            .convolution(width, 1), .convolution(width, column), .convolution(width, row),
            .convolution(width, column), .convolution(192, row),
          ],
          [.averagePool, .convolution(192, 1)],
        ], to: &net)
    }
    try add(
      "mixed8",
      [
        [.convolution(192, 1), .convolution(320, 3, stride: 2)],
        [
          .convolution(192, 1), .convolution(192, row), .convolution(192, column),
          .convolution(192, 3, stride: 2),
        ],
        [.maxPool],
      ], to: &net)
    // 8x8 pictures.
    for number in 9...10 {
      try add(
        "mixed\(number)",
        [
          [.convolution(320, 1)],
          [.convolution(384, 1), .fork(384, "mixed9_\(number - 9)")],
          [.convolution(448, 1), .convolution(384, 3), .fork(384)],
          [.averagePool, .convolution(192, 1)],
        ], to: &net)
    }
  }

  private func add(
    _ name: String, _ branches: [Branch], to net: inout Assembly
  ) throws(LayerError) {
    let input = net.last
    var ends: [Int] = []
    for branch in branches {
      var end = input
      for part in branch { end = try add(part, after: end, to: &net) }
      ends.append(end)
    }
    try net.concatenate(name, ends)
  }

  private func add(
    _ part: Part, after input: Int, to net: inout Assembly
  ) throws(LayerError) -> Int {
    switch part {
    case .convolution(let width, let window, let stride):
      return try convolve(
        width, window, stride: stride, stride == 1 ? .same : .valid, after: input, to: &net)
    case .averagePool:
      return try net.averagePool(window: 3, stride: 1, padding: .same, after: input)
    case .maxPool:
      return try net.maxPool(after: input)
    case .fork(let width, let name):
      let row = try convolve(width, Window(1, 3), after: input, to: &net)
      let column = try convolve(width, Window(3, 1), after: input, to: &net)
      return try net.concatenate(name, [row, column])
    }
  }

  @discardableResult
  private func convolve(
    _ width: Int, _ window: Window, stride: Int = 1, _ padding: Padding = .same,
    after input: Int? = nil, to net: inout Assembly
  ) throws(LayerError) -> Int {
    try net.convolve(
      nil, width, window: window, stride: stride, padding: padding, bias: false, after: input)
    try net.normalize(scales: false)
    return try net.activate()
  }
}
