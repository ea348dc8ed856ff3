import Architectures
import Compute
import Foundation
import HDF5
import Layers
import TestSupport
import Testing
import Weights

/// Kernels in all orders become the same network; what is decided is said.
@Suite struct KernelOrderTests {
  private static let shapes =
    "their shapes are Theano's, and neither the file nor its name says what wrote it"
  private static let isOIHW = " and the shapes are [out, in, height, width]"

  /// A tiny VGG16 as a file that has its kernels in `order` and no marks but these.
  private func write(
    _ path: String, _ order: KernelOrder, backend: String?, _ expected: Expected
  ) throws {
    let network = try emptyVGG()
    var layers: [(String, [(String, Tensor)])] = []
    for node in network.nodes where node.layer is Conv2D {
      var kernel = try expected.tensor("weights/\(node.name)/kernel")
      if order.isTurned { kernel.scalars = turned(kernel) }
      if order.layout == .oihw { kernel = kernel.permuted([3, 2, 0, 1]) }
      let bias = try expected.tensor("weights/\(node.name)/bias")
      layers.append((node.name, [(node.name + "_W", kernel), (node.name + "_b", bias)]))
    }
    try writeLegacy(path, layers, backend: backend)
  }

  /// Height and width reversed, number by number.
  private func turned(_ kernel: Tensor) -> [Float] {
    let (h, w, rest) = (kernel.shape[0], kernel.shape[1], kernel.shape[2] * kernel.shape[3])
    var result = kernel.scalars
    for y in 0..<h {
      for x in 0..<w {
        for k in 0..<rest {
          result[(y * w + x) * rest + k] =
            kernel.scalars[((h - 1 - y) * w + (w - 1 - x)) * rest + k]
        }
      }
    }
    return result
  }

  @Test(arguments: [
    ("vgg16.h5", "oihw-turned", nil, shapes),
    (
      "vgg16_th_dim_ordering_th_kernels.h5", "oihw-turned", nil,
      "its name says 'th_kernels'" + isOIHW
    ),
    ("vgg16_th_dim_ordering_tf_kernels.h5", "oihw", nil, "its name says 'tf_kernels'" + isOIHW),
    ("vgg16_tf_dim_ordering_th_kernels.h5", "hwio-turned", nil, "its name says 'th_kernels'"),
    ("vgg16_tf_dim_ordering_tf_kernels.h5", "hwio", nil, nil),
    ("vgg16_th_1.h5", "oihw-turned", nil, "its name says '_th_'" + isOIHW),
    ("vgg16.h5", "hwio", nil, nil),
    ("vgg16.h5", "hwio-turned", "theano", "the file names the backend theano"),
    ("vgg16.h5", "oihw", "tensorflow", "the file names the backend tensorflow" + isOIHW),
    ("vgg16_th_kernels.h5", "oihw", "tensorflow", "the file names the backend tensorflow" + isOIHW),
  ])
  func isDecided(_ name: String, _ order: String, _ backend: String?, _ reason: String?) throws {
    let order = try #require(KernelOrder.all.first { $0.name == order })
    let expected = try Expected()
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: name).path
      try write(path, order, backend: backend, expected)
      let file = try KerasFile(path)
      defer { file.close() }
      #expect(file.kernels.order == order)
      let layers = file.signature.map { StoredLayer(name: $0.layer, shapes: $0.shapes) }
      let found = try #require(Architectures.identify(layers))
      var network = try found.network(inputShape: [32, 32, 3])
      let report = try WeightLoader.load(file, into: &network)
      #expect(
        report.notes
          == (reason.map { ["kernels are \(order.summary): \($0) (--kernel-order says otherwise)"] }
            ?? []))
      try expectBase(of: network, expected)
      try expectBlocks(of: network, expected)
    }
  }

  @Test(arguments: KernelOrder.all)
  func isGiven(_ order: KernelOrder) throws {
    let expected = try Expected()
    try Locations.withTemporaryFolder { folder in
      // Everything says otherwise.
      let path = folder.appending(path: "vgg16_th_kernels.h5").path
      try write(path, order, backend: order.isTurned ? "tensorflow" : "theano", expected)
      let file = try KerasFile(path, kernelOrder: order)
      defer { file.close() }
      var network = try emptyVGG()
      let report = try WeightLoader.load(file, into: &network)
      #expect(report.notes == ["kernels are \(order.summary): as asked for"])
      try expectBase(of: network, expected)
    }
  }

  /// Before Keras 1.1 a file has nothing but the order of its layers; Theano wrote it.
  @Test(arguments: [false, true])
  func filesWithoutNames(_ includesTop: Bool) throws {
    let expected = try Expected()
    let empty = try emptyVGG(includesTop: includesTop)
    var whole = empty
    if includesTop {
      let file = try KerasFile(fixture("vgg16_top_keras1.h5"))
      defer { file.close() }
      _ = try WeightLoader.load(file, into: &whole)
    }
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "vgg16_weights.h5").path
      let file = try HDF5File.create(path)
      try file.root.attributes.set("nb_layers", integer: Int64(whole.nodes.count))
      for (index, node) in whole.nodes.enumerated() {
        let group = try file.root.createGroup("layer_\(index)")
        var tensors = node.layer.parameters.map(\.value)
        if node.layer is Conv2D {
          tensors = try ["kernel", "bias"].map { try expected.tensor("weights/\(node.name)/\($0)") }
          tensors[0].scalars = turned(tensors[0])
          tensors[0] = tensors[0].permuted([3, 2, 0, 1])
        }
        try group.attributes.set("nb_params", integer: Int64(tensors.count))
        for (number, tensor) in tensors.enumerated() {
          try group.createDataset("param_\(number)", shape: tensor.shape, type: .float32)
            .write(tensor.scalars)
        }
      }
      try file.close()
      var network = empty
      let old = try KerasFile(path)
      defer { old.close() }
      #expect(old.isNameless)
      let count = includesTop ? 32 : 26
      #expect(try WeightLoader.load(old, into: &network).summary == "\(count) tensors loaded")
      try expectBase(of: network, expected)
    }
  }

  /// Rows of a dense layer after Flatten stand for channels first where kernels do.
  @Test func rowsAfterFlatten() throws {
    var network = Network(name: "net", inputShape: [2, 3, 4], inputName: "input")
    try network.add(
      Conv2D(name: "conv", kernel: Tensor(zeros: [1, 1, 4, 5]), bias: Tensor(zeros: [5])))
    try network.add(Flatten(name: "flatten"))
    try network.add(Dropout(name: "dropout", rate: 0.5))
    try network.add(Dense(name: "dense", kernel: Tensor(zeros: [30, 2]), bias: Tensor(zeros: [2])))
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "w.h5").path
      try writeLegacy(
        path,
        [
          ("conv", [("conv_W", counting([5, 4, 1, 1])), ("conv_b", counting([5]))]),
          ("dense", [("dense_W", counting([30, 2])), ("dense_b", counting([2]))]),
        ])
      let file = try KerasFile(path)
      defer { file.close() }
      _ = try WeightLoader.load(file, into: &network)
    }
    let dense = try #require(network.nodes.last).layer.parameters[0].value
    for y in 0..<2 {
      for x in 0..<3 {
        for c in 0..<5 {
          let (ours, theirs) = ((y * 3 + x) * 5 + c, (c * 2 + y) * 3 + x)
          #expect(dense.scalars[ours * 2] == Float(theirs * 2 + 1))
          #expect(dense.scalars[ours * 2 + 1] == Float(theirs * 2 + 2))
        }
      }
    }
  }
}
