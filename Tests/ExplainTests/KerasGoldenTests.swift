import Architectures
import Compute
import Explain
import Foundation
import HDF5
import Images
import Layers
import TestSupport
import Testing
import Training
import Weights

/// What the network's layers, gradients and heat maps are, against Keras (`make_explain_goldens.py`).
struct KerasGoldenTests {
  /// The largest difference allowed, as a share of the largest number.
  static let tolerance: Float = 1e-3

  static func fixture(_ path: String, _ classNames: [String]) throws -> ClassifierModel {
    try ClassifierModel.load(
      Locations.tests(path),
      overrides: ModelOverrides(classNames: classNames, preprocessing: .caffe))
  }

  @Test func nestedModelWithSigmoid() throws {
    let model = try Self.fixture(
      "WeightsTests/Fixtures/nested_keras3_full.h5", ["cats", "dogs"])
    try Self.check(model, golden: "nested_sigmoid", layers: ["block3_conv3", "block5_conv3"])
  }

  @Test func nestedModelWithSoftmax() throws {
    let model = try Self.fixture(
      "WeightsTests/Fixtures/nested_softmax_keras3_full.h5", ["a", "b", "c"])
    try Self.check(model, golden: "nested_softmax", layers: ["block3_conv3", "block5_conv3"])
  }

  /// The network that `make_resnet_goldens.py` packed into another file, and a top of ours.
  private static func resnet() throws -> ClassifierModel {
    let packed = try HDF5File.open(
      Locations.tests("TrainingTests/Goldens/resnet50_full_file.h5"))
    defer { try? packed.close() }
    let bytes = try packed.root.integers("file").map { UInt8($0) }
    var network = try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "resnet.h5")
      try Data(bytes).write(to: path)
      return try KerasModel.read(path.path, inputShape: [64, 64, 3]).network
    }
    let golden = try HDF5File.open(Bundle.module.path(to: "Goldens/resnet.h5"))
    defer { try? golden.close() }
    try network.add(GlobalAveragePooling2D(name: "avg_pool"))
    try network.add(
      Dense(
        name: "predictions", kernel: golden.root.tensor("kernel"),
        bias: golden.root.tensor("bias"), activation: .softmax))
    return ClassifierModel(
      network: network, classNames: ["a", "b", "c", "d", "e"],
      loader: PhotoLoader(height: 64, width: 64, preprocessing: .caffe), history: [],
      baseDescription: "resnet50")
  }

  /// Branches join again after the layer, and class activation maps can be had.
  @Test func residualNetworkWithPooledHead() throws {
    let model = try Self.resnet()
    let last = "conv5_block3_out"
    try Self.check(
      model, golden: "resnet", layers: ["conv3_block4_out", last], maps: [.cam: [last]])
    #expect(try HeatMapper(model).layer == last)
  }

  @Test(.enabled(if: Locations.shared != nil, "no TL_SHARED with weights/vgg16_notop.h5"))
  func realVGG16() throws {
    let shared = try #require(Locations.shared)
    var network = try VGG.vgg16.network(inputShape: [48, 48, 3])
    let file = try KerasFile(shared.appending(path: "weights/vgg16_notop.h5").path)
    defer { file.close() }
    _ = try WeightLoader.load(file, into: &network, allowPartial: false)
    let kernel = (0..<512 * 3).map { index -> Float in
      let (row, column) = (index / 3 + 1, index % 3 + 1)
      return Float(0.005 * sin(0.1 * Double(row * column)))
    }
    try network.add(GlobalAveragePooling2D(name: "pool"))
    try network.add(
      Dense(
        name: "predictions", kernel: Tensor(shape: [512, 3], scalars: kernel),
        bias: Tensor(zeros: [3]), activation: .softmax))
    let model = ClassifierModel(
      network: network, classNames: ["a", "b", "c"],
      loader: PhotoLoader(height: 48, width: 48, preprocessing: .caffe), history: [],
      baseDescription: "vgg16")
    try Self.check(model, golden: "vgg16", layers: ["block5_conv3"])
    try Self.checkValues(model, golden: "vgg16", layers: ["block2_conv2", "block3_conv3"])
  }

  /// Compares values, gradients of the probabilities and maps of all classes.
  private static func check(
    _ model: ClassifierModel, golden: String, layers: [String],
    maps extra: [HeatMapMethod: [String]] = [:]
  ) throws {
    let file = try HDF5File.open(Bundle.module.path(to: "Goldens/\(golden).h5"))
    defer { try? file.close() }
    let root = try file.root
    let photos = try root.tensor("input")
    let classes = min(model.classNames.count, 3)
    try checkValues(model, golden: golden, layers: layers)
    for layer in [nil] + layers.map(Optional.some) {
      for label in 0..<classes {
        let name = "\(label)/\(layer ?? "input")"
        let gradient = try probabilityGradient(model, layer: layer, photos, label: label, root)
        try expectClose(gradient, root.tensor("gradients/\(name)"), "\(golden) gradients/\(name)")
      }
    }
    var wanted = extra
    wanted[.gradCAM] = layers
    wanted[.gradCAMPlusPlus] = layers
    for (method, layers) in wanted {
      for layer in layers {
        let mapper = try HeatMapper(model, method: method, layer: layer)
        for label in 0..<classes {
          let name = "\(method.rawValue)/\(label)/\(layer)"
          let maps = mapper.maps(photos, label: label)
          let values = Tensor(
            shape: [photos.shape[0], mapper.shape[0], mapper.shape[1]],
            scalars: maps.flatMap(\.values))
          try expectClose(values, root.tensor(name), "\(golden) \(name)")
        }
      }
    }
  }

  /// The channels that the golden holds of each layer.
  private static func checkValues(
    _ model: ClassifierModel, golden: String, layers: [String]
  ) throws {
    let file = try HDF5File.open(Bundle.module.path(to: "Goldens/\(golden).h5"))
    defer { try? file.close() }
    let photos = try file.root.tensor("input")
    for layer in layers {
      let expected = try file.root.tensor("values/\(layer)")
      let node = try model.network.pictureLayer(named: layer)
      for photo in 0..<photos.shape[0] {
        let found = LayerActivations.of(
          model.network, nodes: [node], photo: photos.rows(photo..<photo + 1))[0]
        let channels = expected.shape[3]
        let kept = stride(from: 0, to: found.value.count, by: found.channels).flatMap {
          found.value.scalars[$0..<$0 + channels]
        }
        expectClose(
          Tensor(shape: Array(expected.shape.dropFirst()), scalars: kept),
          expected.rows(photo..<photo + 1).reshaped(Array(expected.shape.dropFirst())),
          "\(golden) values/\(layer)")
      }
    }
  }

  /// The gradient of the probability, which is that of the score times `p * (1 - p)`.
  private static func probabilityGradient(
    _ model: ClassifierModel, layer: String?, _ photos: Tensor, label: Int, _ golden: HDF5Group
  ) throws -> Tensor {
    let network = model.network
    let source = try layer.map { try network.pictureLayer(named: $0) } ?? 0
    let path = try GradientPath(network, from: source, to: network.outputIndex)
    let pass = path.forward(network.plan(outputs: path.known).run(photos))
    let probabilities = model.loss.probabilities(logits: pass.logits)
    let classes = probabilities[0].count
    expectClose(
      Tensor(shape: [photos.shape[0], classes], scalars: probabilities.flatMap { $0 }),
      try golden.tensor("probabilities"), "probabilities")
    let labels = probabilities.map { _ in label }
    var gradient = path.gradient(
      pass,
      ofLogits: ClassScore.gradient(logits: pass.logits, labels: labels, loss: model.loss))
    let size = gradient.count / labels.count
    for index in gradient.scalars.indices {
      let p = probabilities[index / size][label]
      gradient.scalars[index] *= p * (1 - p)
    }
    return gradient
  }
}

/// Compares whole tensors, differences as a share of the largest expected number.
private func expectClose(
  _ actual: Tensor, _ expected: Tensor, _ what: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(actual.shape == expected.shape, "\(what)", sourceLocation: sourceLocation)
  let largest = expected.scalars.reduce(0) { max($0, abs($1)) }
  TestSupport.expectClose(
    actual.scalars, expected.scalars, absolute: KerasGoldenTests.tolerance * largest, relative: 0,
    what, sourceLocation: sourceLocation)
}
