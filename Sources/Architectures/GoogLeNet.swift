import Layers

/// GoogLeNet, the first Inception network (Szegedy and others 2014, arXiv:1409.4842), with the layer
/// names and the local response normalisation of Caffe's `bvlc_googlenet`, as its ports to Keras have
/// them: `inception_3a_1x1` for `inception_3a/1x1`.
///
/// The two classifiers beside the network serve to train it from nothing and are left out.
struct GoogLeNet: PaperNetwork {
  let name = "googlenet"
  var file = FileLayers.none
  let marker = "inception_3a"
  let auxiliary = ["loss1", "loss2"]

  let card = WeightCard(
    inputSize: 224, preprocessing: "caffe", files: [],
    licence: "that of the file", origin: "a file of yours, in the layout of Caffe's bvlc_googlenet")

  /// Table 1 of the paper: 1x1, 3x3 behind its reduction, 5x5 behind its reduction, 1x1 behind a pool.
  private struct Widths {
    let (single, reduced3, triple, reduced5, quintuple, pooled): (Int, Int, Int, Int, Int, Int)

    init(_ single: Int, _ triple: (Int, Int), _ quintuple: (Int, Int), _ pooled: Int) {
      self.single = single
      (reduced3, self.triple) = triple
      (reduced5, self.quintuple) = quintuple
      self.pooled = pooled
    }
  }

  func addBase(to net: inout Assembly) throws(LayerError) {
    try net.pad("conv1_pad", by: 3)
    try net.convolve(
      "conv1_7x7_s2", 64, window: 7, stride: 2, padding: .valid, activation: .relu)
    try net.maxPool("pool1_3x3_s2", padding: .same)
    try net.add(normalization("pool1_norm1"))
    try net.convolve("conv2_3x3_reduce", 64, activation: .relu)
    try net.convolve("conv2_3x3", 192, window: 3, activation: .relu)
    try net.add(normalization("conv2_norm2"))
    try net.maxPool("pool2_3x3_s2", padding: .same)
    try add("3a", Widths(64, (96, 128), (16, 32), 32), to: &net)
    try add("3b", Widths(128, (128, 192), (32, 96), 64), to: &net)
    try net.maxPool("pool3_3x3_s2", padding: .same)
    try add("4a", Widths(192, (96, 208), (16, 48), 64), to: &net)
    try add("4b", Widths(160, (112, 224), (24, 64), 64), to: &net)
    try add("4c", Widths(128, (128, 256), (24, 64), 64), to: &net)
    try add("4d", Widths(112, (144, 288), (32, 64), 64), to: &net)
    try add("4e", Widths(256, (160, 320), (32, 128), 128), to: &net)
    try net.maxPool("pool4_3x3_s2", padding: .same)
    try add("5a", Widths(256, (160, 320), (32, 128), 128), to: &net)
    try add("5b", Widths(384, (192, 384), (48, 128), 128), to: &net)
  }

  /// Caffe's `alpha: 0.0001` is spread over the five channels.
  private func normalization(_ name: String) -> LocalResponseNormalization {
    LocalResponseNormalization(name: name, radius: 2, bias: 1, alpha: 0.0001 / 5, beta: 0.75)
  }

  private func add(
    _ block: String, _ widths: Widths, to net: inout Assembly
  ) throws(LayerError) {
    let input = net.last
    func name(_ layer: String) -> String { "inception_\(block)_\(layer)" }
    let single = try net.convolve(name("1x1"), widths.single, activation: .relu)
    try net.convolve(name("3x3_reduce"), widths.reduced3, activation: .relu, after: input)
    let triple = try net.convolve(name("3x3"), widths.triple, window: 3, activation: .relu)
    try net.convolve(name("5x5_reduce"), widths.reduced5, activation: .relu, after: input)
    let quintuple = try net.convolve(name("5x5"), widths.quintuple, window: 5, activation: .relu)
    try net.maxPool(name("pool"), stride: 1, padding: .same, after: input)
    let pooled = try net.convolve(name("pool_proj"), widths.pooled, activation: .relu)
    try net.concatenate(name("output"), [single, triple, quintuple, pooled])
  }

  func addTop(to net: inout Assembly) throws(LayerError) {
    try net.add(GlobalAveragePooling2D(name: "pool5_7x7_s1"))
    try net.add(Dropout(name: "pool5_drop_7x7_s1", rate: 0.4))
    try net.dense("loss3_classifier", 1000, .softmax)
  }
}
