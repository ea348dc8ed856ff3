import Compute
import Foundation
import Layers
import SwiftProtobuf
import TestSupport
import Testing
import Weights

@testable import ONNX

/// ONNX models, read back message by message.
///
/// `recipes/check-export` runs them in onnxruntime.
@Suite struct ONNXModelTests {
  private func counting(_ shape: [Int]) -> Tensor {
    Tensor(shape: shape, scalars: (0..<shape.reduce(1, *)).map { Float($0) })
  }

  private func network(_ build: (inout Network) throws -> Void) rethrows -> Network {
    var network = Network(name: "net", inputShape: [7, 6, 3], inputName: "photos")
    try build(&network)
    return network
  }

  private func small() throws -> Network {
    try network {
      try $0.add(
        Conv2D(
          name: "conv", kernel: counting([3, 2, 3, 4]), bias: counting([4]), strides: (2, 2),
          padding: .same, activation: .relu), scope: ["base"])
      try $0.add(MaxPooling2D(name: "pool"), scope: ["base"])
      try $0.add(Flatten(name: "flatten"))
      try $0.add(
        Dense(
          name: "output", kernel: counting([8, 2]), bias: counting([2]), activation: .softmax))
    }
  }

  private func model(_ network: Network, _ onnx: ONNXModel = ONNXModel()) throws
    -> Onnx_ModelProto
  {
    try Onnx_ModelProto(serializedBytes: onnx.bytes(of: network))
  }

  /// What ONNX's checker asks of a graph: names used once, and sources before what takes them.
  private func expectWhole(
    _ graph: Onnx_GraphProto, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var known = Set(graph.input.map(\.name) + graph.initializer.map(\.name))
    #expect(
      known.count == graph.input.count + graph.initializer.count, sourceLocation: sourceLocation)
    for node in graph.node {
      for input in node.input where !input.isEmpty {
        #expect(known.contains(input), "\(input) of \(node.name)", sourceLocation: sourceLocation)
      }
      for output in node.output {
        #expect(known.insert(output).inserted, "\(output)", sourceLocation: sourceLocation)
      }
    }
    #expect(graph.output.allSatisfy { known.contains($0.name) }, sourceLocation: sourceLocation)
  }

  private func numbers(_ tensor: Onnx_TensorProto) -> [Float] {
    let bytes = [UInt8](tensor.rawData)
    return stride(from: 0, to: bytes.count, by: 4).map { start in
      Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * $1) })
    }
  }

  private func ints(_ name: String, _ node: Onnx_NodeProto?) -> [Int64]? {
    node?.attribute.first { $0.name == name }?.ints
  }

  @Test func graphOfAClassifier() throws {
    var onnx = ONNXModel()
    onnx.metadata = ["b": "2", "a": "[\"cats\"]"]
    onnx.producer = ("tl", "1.2.3")
    onnx.inputText = "7 x 6 pixels"
    let model = try model(small(), onnx)
    #expect(model.irVersion == 8 && model.opsetImport.map(\.version) == [18])
    #expect((model.producerName, model.producerVersion) == ("tl", "1.2.3"))
    #expect(model.metadataProps.map(\.key) == ["a", "b"])
    #expect(model.metadataProps.map(\.value) == ["[\"cats\"]", "2"])
    let graph = model.graph
    expectWhole(graph)
    #expect(
      graph.node.map(\.opType) == [
        "Transpose", "Conv", "Relu", "MaxPool", "Transpose", "Flatten", "Gemm", "Softmax",
        "Identity",
      ])
    #expect(graph.node.dropLast().map(\.name).contains("base/conv"))
    let input = try #require(graph.input.first)
    #expect(input.name == "input" && input.docString == "7 x 6 pixels")
    #expect(
      input.type.tensorType.shape.dim.map(\.value) == [
        .dimParam("batch"), .dimValue(7), .dimValue(6), .dimValue(3),
      ])
    // A layer of the same name gives way.
    #expect(graph.output.map(\.name) == ["output"])
    #expect(graph.output[0].type.tensorType.shape.dim.last?.dimValue == 2)
    #expect(graph.node.last?.output == ["output"])
  }

  @Test func kernelsAndBordersOfConvolutions() throws {
    let graph = try model(small()).graph
    let conv = graph.node.first { $0.opType == "Conv" }
    // 7 rows by steps of 2 with windows of 3 need 2 more, 6 columns with windows of 2 none.
    #expect(ints("pads", conv) == [1, 0, 1, 0])
    #expect(ints("strides", conv) == [2, 2] && ints("kernel_shape", conv) == [3, 2])
    let kernel = try #require(graph.initializer.first { $0.name == "base/conv/kernel" })
    #expect(kernel.dims == [4, 3, 3, 2])
    let found = numbers(kernel)
    for o in 0..<4 {
      for i in 0..<3 {
        for y in 0..<3 {
          for x in 0..<2 {
            // [y, x, i, o] of [3, 2, 3, 4]
            #expect(
              found[((o * 3 + i) * 3 + y) * 2 + x] == Float(((y * 2 + x) * 3 + i) * 4 + o))
          }
        }
      }
    }
    let dense = try #require(graph.initializer.first { $0.name == "output/kernel" })
    #expect(dense.dims == [8, 2] && numbers(dense) == (0..<16).map { Float($0) })
  }

  @Test func oddPixelsOfABorderComeLast() throws {
    let graph = try model(
      network {
        try $0.add(
          MaxPooling2D(name: "pool", window: (2, 3), strides: (2, 2), padding: .same))
      }
    ).graph
    // 7 rows need one more, which Keras puts at the bottom; 6 columns one at the right.
    #expect(ints("pads", graph.node.first { $0.opType == "MaxPool" }) == [0, 0, 1, 1])
  }

  @Test func halvesBecomeFloatsInTheGraph() throws {
    var onnx = ONNXModel()
    onnx.numberType = .float16
    let graph = try model(small(), onnx).graph
    expectWhole(graph)
    let stored = graph.initializer.filter { $0.dataType == 10 }
    #expect(stored.count == 4)
    #expect(graph.node.count { $0.opType == "Cast" } == 4)
    #expect(
      stored.allSatisfy { tensor in
        tensor.rawData.count == 2 * tensor.dims.reduce(1) { $0 * Int($1) }
      })
  }

  @Test func preprocessingInsideOfTheGraph() throws {
    var onnx = ONNXModel()
    onnx.change = PictureChange(
      reversesChannels: true, divisor: 2, mean: [1, 2, 3], deviation: [4, 5, 6])
    let graph = try model(small(), onnx).graph
    expectWhole(graph)
    #expect(
      graph.node.prefix(5).map(\.opType) == ["Gather", "Div", "Sub", "Div", "Transpose"])
    onnx.change = PictureChange()
    #expect(try model(small(), onnx).graph == model(small()).graph)
  }

  private static let pointwise: [(PointwiseFunction, [String])] = [
    (.linear, []), (.relu, ["Relu"]), (.relu6, ["Clip"]),
    (.sigmoid, ["Sigmoid"]), (.tanh, ["Tanh"]), (.softplus, ["Softplus"]),
    (.softsign, ["Softsign"]), (.exponential, ["Exp"]), (.selu, ["Selu"]),
    (.elu(alpha: 0.5), ["Elu"]), (.hardSigmoid(slope: 0.2), ["HardSigmoid"]),
    (.hardSilu, ["HardSwish"]), (.silu, ["Sigmoid", "Mul"]),
    (.softmax, ["Transpose", "Softmax", "Transpose"]),
    (.gelu(isApproximate: false), ["Mul", "Erf", "Add", "Mul", "Mul"]),
    (.rectifier(.init(slope: 0.1)), ["LeakyRelu"]),
    (.rectifier(.init(slope: 0.1, ceiling: 2)), ["LeakyRelu", "Min"]),
    (.rectifier(.init(threshold: 1)), ["Less", "Sub", "Mul", "Where"]),
  ]

  @Test(arguments: pointwise)
  func functions(_ function: PointwiseFunction, _ operators: [String]) throws {
    let graph = try model(
      network {
        try $0.add(Conv2D(name: "conv", kernel: counting([1, 1, 3, 2]), bias: nil))
        try $0.add(Activation(name: "function", activation: function))
        try $0.add(MaxPooling2D(name: "pool"))
      }
    ).graph
    expectWhole(graph)
    let types = graph.node.map(\.opType)
    #expect(Array(types[2..<(types.count - 3)]) == operators)
  }

  /// Turned once each way, whoever asks.
  @Test func picturesAreTurnedOnce() throws {
    let graph = try model(
      network {
        func conv(_ name: String) -> Conv2D {
          Conv2D(name: name, kernel: counting([1, 1, 3, 2]), bias: nil)
        }
        let left = try $0.add(conv("left"))
        let right = try $0.add(conv("right"), after: [0])
        let sum = try $0.add(Add(name: "sum"), after: [left, right])
        let both = try $0.add(Concatenate(name: "both"), after: [sum, left])
        try $0.add(Flatten(name: "flatten"), after: [both])
      }
    ).graph
    expectWhole(graph)
    #expect(graph.node.count { $0.opType == "Transpose" } == 2)
    let concat = graph.node.first { $0.opType == "Concat" }
    #expect(concat?.attribute.first?.i == 1)
  }

  private struct Unknown: Layer {
    static let className = "Capsule"
    let name: String
    var parameters: [Parameter] = []

    init(name: String) { self.name = name }
    init(configuration: Configuration, inputShapes: [[Int]]) { name = configuration.name }

    var configuration: [String: JSONValue] { ["name": .string(name)] }
    func outputShape(for inputs: [[Int]]) -> [Int] { inputs[0] }
    func compile(_ inputs: [PlanValue], into builder: inout InferencePlanBuilder) -> PlanValue {
      inputs[0]
    }
    func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
      LayerOutput(inputs[0])
    }
    func backward(
      _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
    ) -> LayerGradients {
      LayerGradients()
    }
  }

  @Test func anUnknownLayerIsNamed() throws {
    let network = try network { try $0.add(Unknown(name: "caps"), scope: ["base"]) }
    let error = ONNXError.unknownLayer("base/caps", className: "Capsule")
    #expect(throws: error) { try ONNXModel().bytes(of: network) }
    #expect(
      "\(error)" == "cannot write layer 'base/caps' as ONNX: its class Capsule has no translation")
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "m.onnx").path
      #expect(throws: error) { try ONNXModel().write(network, to: path) }
      let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(files == [])
    }
  }

  /// Whatever layers there are have a translation.
  @Test func everyLayerIsKnown() {
    let missing = Set(LayerRegistry.knownClassNames).subtracting(LayerTranslations.all.keys)
    #expect(missing == ["InputLayer"])
  }
}
