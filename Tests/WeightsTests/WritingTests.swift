import Compute
import Foundation
import HDF5
import Layers
import TestSupport
import Testing
import Weights

@Suite struct WritingTests {
  private let extras = ModelExtras(
    classNames: ["cats", "dögs"], preprocessing: "caffe", imageSize: [150, 160],
    interpolation: "nearest", ignoresOrientation: false, history: #"[{"seed": 1}]"#,
    baseDescription: "vgg16 from vgg16_notop.h5", freezeProof: "20 tensors of the base unchanged",
    version: "0.1.0")

  @Test(arguments: [
    "nested_keras3_full.h5", "nested_tf_keras_full.h5", "nested_softmax_keras3_full.h5",
    "vgg16_top_keras3_full.h5", "vgg16_tf_keras_full.h5",
  ])
  func readWriteRead(_ name: String) throws {
    let first = try KerasModel.read(fixture(name)).network
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "model.h5").path
      try KerasModel.write(
        first, to: path, extras: extras,
        compilation: Compilation(
          optimizer: "RMSprop", learningRate: 1e-5, loss: "binary_crossentropy"))
      let second = try KerasModel.read(path)
      #expect(second.extras == extras)
      expectSame(second.network, first)
      let again = folder.appending(path: "again.h5").path
      try KerasModel.write(
        second.network, to: again, extras: extras,
        compilation: Compilation(
          optimizer: "RMSprop", learningRate: 1e-5, loss: "binary_crossentropy"))
      #expect(try FileDigest.sha256(path) == FileDigest.sha256(again))
      let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(files.sorted() == ["again.h5", "model.h5"])
    }
  }

  private func expectSame(
    _ a: Network, _ b: Network, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(a.name == b.name, sourceLocation: sourceLocation)
    #expect(a.inputShape == b.inputShape, sourceLocation: sourceLocation)
    #expect(a.nodes.map(\.name) == b.nodes.map(\.name), sourceLocation: sourceLocation)
    #expect(a.nodes.map(\.scope) == b.nodes.map(\.scope), sourceLocation: sourceLocation)
    #expect(a.nodes.map(\.inputs) == b.nodes.map(\.inputs), sourceLocation: sourceLocation)
    #expect(
      a.nodes.dropFirst().map(\.isTrainable) == b.nodes.dropFirst().map(\.isTrainable),
      sourceLocation: sourceLocation)
    #expect(
      a.nodes.map(\.layer.configuration) == b.nodes.map(\.layer.configuration),
      sourceLocation: sourceLocation)
    for (left, right) in zip(a.nodes, b.nodes) {
      #expect(
        left.layer.parameters.map(\.value) == right.layer.parameters.map(\.value),
        "\(left.name)", sourceLocation: sourceLocation)
    }
  }

  @Test func kerasFindsWhatItLooksFor() throws {
    let network = try KerasModel.read(fixture("nested_keras3_full.h5")).network
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "model.h5").path
      try KerasModel.write(network, to: path)
      let file = try HDF5File.open(path)
      defer { try? file.close() }
      let weights = try file.root.group("model_weights")
      #expect(try file.root.attributes.string("keras_version") == "2.15.0")
      #expect(
        try weights.attributes.strings("layer_names")
          == ["vgg16", "flatten", "dense", "dropout", "dense_1"])
      // Trained tensors come first; Keras takes them by this order.
      let names = try #require(try weights.group("vgg16").attributes.strings("weight_names"))
      #expect(names.count == 26)
      #expect(
        names.prefix(7) == [
          "block5_conv1/kernel:0", "block5_conv1/bias:0", "block5_conv2/kernel:0",
          "block5_conv2/bias:0", "block5_conv3/kernel:0", "block5_conv3/bias:0",
          "block1_conv1/kernel:0",
        ])
      #expect(try weights.group("flatten").attributes.strings("weight_names") == [])
      #expect(try !file.root.attributes.contains("training_config"))
      #expect(try file.root.attributes.names().filter { $0.hasPrefix("tl_") } == [])
    }
  }

  @Test func weightsAlone() throws {
    let network = try KerasModel.read(fixture("vgg16_top_keras3_full.h5")).network
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "weights.h5").path
      try KerasModel.writeWeights(network, to: path)
      let file = try KerasFile(path)
      defer { file.close() }
      #expect(file.format == .legacyWeights)
      #expect(!file.hasConfiguration)
      #expect(
        file.layers[0].tensors.map(\.path) == [
          "/block1_conv1/block1_conv1/kernel:0", "/block1_conv1/block1_conv1/bias:0",
        ])
      var loaded = try emptyVGG(includesTop: true)
      #expect(try WeightLoader.load(file, into: &loaded).summary == "32 tensors loaded")
      #expect(TensorDigest.sha256(loaded) == TensorDigest.sha256(network))
    }
  }

  @Test func longListsAreSplit() throws {
    var network = Network(name: "long", inputShape: [1, 1, 1], inputName: "input")
    let long = String(repeating: "x", count: 200)
    for index in 0..<400 {
      let kernel = Tensor(shape: [1, 1, 1, 1], scalars: [Float(index)])
      try network.add(
        Conv2D(name: "\(long)_\(index)", kernel: kernel, bias: nil), scope: ["inner"])
    }
    try network.add(Flatten(name: "flatten"))
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "long.h5").path
      try KerasModel.write(network, to: path)
      let file = try KerasFile(path)
      let inner = try file.file!.root.group("model_weights/inner")
      #expect(try inner.attributes.names() == ["weight_names0", "weight_names1"])
      // More than the 64 KB that fit into the header of an object.
      let text = try #require(try file.file!.root.attributes.string("model_config"))
      #expect(text.utf8.count > 100_000)
      file.close()
      expectSame(try KerasModel.read(path).network, network)
    }
  }

  @Test func aFileThatIsGoneIsNamed() throws {
    try Locations.withTemporaryFolder { folder in
      let target = folder.path + "/m.h5"
      #expect(throws: WeightsError.cannotWrite(path: target, reason: "no such file")) {
        try AtomicFile.rename(folder.path + "/gone", to: target)
      }
      #expect(throws: WeightsError.cannotRead(path: folder.path, reason: "Is a directory")) {
        try FileDigest.md5(folder.path)
      }
    }
  }

  @Test func errorLeavesTheOldFile() throws {
    var network = Network(name: "net", inputShape: [4, 4, 1], inputName: "input")
    try network.add(Conv2D(name: "conv", kernel: Tensor(zeros: [1, 1, 1, 1]), bias: nil))
    // HDF5 has no name with a NUL.
    try network.add(
      Conv2D(name: "co\0nv", kernel: Tensor(zeros: [1, 1, 1, 1]), bias: nil))
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "model.h5").path
      try Data("old".utf8).write(to: URL(filePath: path))
      #expect(throws: HDF5Error.self) { try KerasModel.write(network, to: path) }
      #expect(try Data(contentsOf: URL(filePath: path)) == Data("old".utf8))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model.h5"])
    }
  }

  @Test func folderInTheWay() throws {
    let network = try KerasModel.read(fixture("vgg16_tf_keras_full.h5")).network
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "model.h5").path
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
      #expect(
        message { try KerasModel.write(network, to: path) }
          == "cannot write '\(path)': Is a directory")
      #expect(
        message { try KerasModel.write(network, to: path + "/none/model.h5") }
          == "cannot write '\(path)/none/model.h5': there is no folder '\(path)/none'")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model.h5"])
    }
  }
}

/// The sum of two tensors, enough of a layer to build graphs that branch.
private struct Sum: Layer {
  static let className = "Add"
  let name: String

  init(_ name: String) { self.name = name }
  init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    name = configuration.name
  }

  var parameters: [Parameter] {
    get { [] }
    set {}
  }
  var configuration: [String: JSONValue] { ["name": .string(name)] }
  func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] { inputs[0] }
  func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue { inputs[0] }
  func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    LayerOutput(inputs[0])
  }
  func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients { LayerGradients() }
}

@Suite struct BranchingTests {
  private func branching(scope: [String]) throws -> Network {
    var network = Network(name: "branching", inputShape: [8, 8, 2], inputName: "image")
    func convolution(_ name: String, after input: Int) throws -> Int {
      try network.add(
        Conv2D(name: name, kernel: Tensor(zeros: [1, 1, 2, 2]), bias: nil), after: [input],
        scope: scope)
    }
    let stem = try convolution("stem", after: 0)
    let a1 = try convolution("a1", after: stem)
    let a2 = try convolution("a2", after: a1)
    let a3 = try convolution("a3", after: a2)
    let shortcut = try convolution("short", after: stem)
    let add1 = try network.add(Sum("add1"), after: [shortcut, a3], scope: scope)
    let b1 = try convolution("b1", after: add1)
    let b2 = try convolution("b2", after: b1)
    let add2 = try network.add(Sum("add2"), after: [add1, b2], scope: scope)
    let c = try convolution("c", after: add2)
    let d = try convolution("d", after: add1)
    let e = try convolution("e", after: d)
    try network.add(Sum("add3"), after: [e, c], scope: scope)
    return network
  }

  /// `[layer.name for layer in model.layers]` of this graph in Keras 3.15.1 and tf_keras 2.21.0.
  private let kerasOrder = [
    "image", "stem", "a1", "a2", "short", "a3", "add1", "b1", "b2", "d", "add2", "e", "c", "add3",
  ]

  @Test func layersInTheOrderOfKeras() throws {
    let network = try branching(scope: [])
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "model.h5").path
      try KerasModel.write(network, to: path)
      let file = try KerasFile(path)
      defer { file.close() }
      #expect(file.layers.map(\.name) == kerasOrder)
      #expect(file.configuration?["class_name"] == "Functional")
    }
  }

  @Test func nestedTensorsInTheOrderOfKeras() throws {
    var network = try branching(scope: ["net"])
    try network.add(GlobalAveragePooling2D(name: "pool"))
    let trained = ["e", "b1", "stem"].compactMap { network.index(named: $0) }
    network.setTrainable(Set(trained))
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "model.h5").path
      try KerasModel.write(network, to: path)
      let file = try KerasFile(path)
      defer { file.close() }
      #expect(file.configuration?["class_name"] == "Sequential")
      #expect(
        file.layers.filter { $0.scope == ["net"] }.map(\.name)
          == ["stem", "b1", "e", "a1", "a2", "short", "a3", "b2", "d", "c"])
    }
  }

  @Test func scopeWithTwoOutputs() throws {
    var network = Network(name: "net", inputShape: [4, 4, 2], inputName: "input")
    let kernel = Tensor(zeros: [1, 1, 2, 2])
    let first = try network.add(Conv2D(name: "a", kernel: kernel, bias: nil), scope: ["base"])
    let second = try network.add(Conv2D(name: "b", kernel: kernel, bias: nil), scope: ["base"])
    try network.add(Sum("sum"), after: [first, second])
    #expect(
      message { try KerasModel.write(network, to: "/nowhere/model.h5") }
        == "cannot write the layers of 'base' as a nested model: expected one output, found 2")
  }
}
