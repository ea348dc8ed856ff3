import Compute
import Layers
import TestSupport
import Testing

/// Networks with residual blocks: where freezing cuts them, and what flows back.
struct BranchTests {
  /// Two residual blocks, the first with a convolution as its shortcut, and a head.
  private static func network() throws -> Network {
    var network = Network(name: "residual", inputShape: [6, 6, 3], inputName: "input")
    func convolution(_ name: String, _ inputs: Int, _ window: Int) -> Conv2D {
      Conv2D(
        name: name, kernel: Tensor(zeros: [window, window, inputs, 4]),
        bias: Tensor(zeros: [4]), padding: .same)
    }
    try network.add(convolution("stem_conv", 3, 3))
    for block in ["a", "b"] {
      let input = network.outputIndex
      var shortcut = input
      if block == "a" { shortcut = try network.add(convolution("a_0_conv", 4, 1), after: [input]) }
      try network.add(convolution("\(block)_1_conv", 4, 3), after: [input])
      try network.add(BatchNormalization(name: "\(block)_1_bn", channels: 4))
      // Not relu, whose corners central differences would meet.
      try network.add(Activation(name: "\(block)_1_tanh", activation: .tanh))
      let last = try network.add(convolution("\(block)_2_conv", 4, 1))
      try network.add(Add(name: "\(block)_add"), after: [shortcut, last])
    }
    try network.add(GlobalAveragePooling2D(name: "pool"))
    try network.add(
      Dense(
        name: "dense", kernel: Tensor(zeros: [4, 2]), bias: Tensor(zeros: [2]),
        activation: .softmax))
    var random = SeededRandom(seed: 3)
    network.initialize(random: &random) { _ in true }
    for index in network.nodes.indices where network.nodes[index].layer is BatchNormalization {
      network.updateLayer(at: index) { layer in
        for parameter in layer.parameters.indices {
          for c in 0..<4 { layer.parameters[parameter].value.scalars[c] += 0.3 * random.uniform() }
        }
      }
    }
    return network
  }

  private func input() -> Tensor {
    var random = SeededRandom(seed: 4)
    return Tensor(shape: [2, 6, 6, 3], scalars: (0..<216).map { _ in random.normal() })
  }

  @Test(arguments: [
    ("b", "a_add", 5), ("b_1_conv", "a_add", 5), ("a", "stem_conv", 11), ("b_2_conv", "a_add", 2),
    ("a_0_conv", "stem_conv", 7), ("a_2_conv", "stem_conv", 7), ("dense", "pool", -1),
    ("stem_conv", "input", 12),
  ])
  func theCutGoesThroughOneValue(pattern: String, boundary: String, influenced: Int) throws {
    var network = try Self.network()
    network.setTrainable(try LayerSelection(pattern).nodes(in: network))
    let cut = try FreezeCut(network)
    #expect(network.nodes[cut.boundary].name == boundary)
    // From the trained layer on the rest of its block, the blocks after it, and two in the head.
    #expect(cut.influenced.count == influenced + 2)
    #expect(cut.influenced.isSubset(of: cut.suffix))
    let below = cut.suffix.flatMap { network.nodes[$0].inputs }.filter { !cut.suffix.contains($0) }
    #expect(Set(below) == [cut.boundary])

    let whole = network.plan(outputs: [network.outputIndex]).run(input())[0]
    let prefix = network.plan(outputs: [cut.boundary]).run(input())[0]
    var random = SeededRandom(seed: 0)
    let pass = network.forward(suffix: cut, from: prefix, random: &random)
    expectClose(pass.output.scalars, whole.scalars, absolute: 1e-6, pattern)
  }

  /// The gradient of `loss = weights * logits` for every trained number against differences.
  @Test(arguments: ["all", "a", "b", "a_0_conv", "b_2_conv,a_1_bn", "stem_conv"])
  func gradientsOfSharedNodesAddUp(pattern: String) throws {
    var network = try Self.network()
    network.setTrainable(try LayerSelection(pattern).nodes(in: network))
    let cut = try FreezeCut(network)
    let boundary = network.plan(outputs: [cut.boundary]).run(input())[0]
    let weights = Tensor(shape: [2, 2], scalars: [1, -2, 0.5, 3])
    func pass(_ network: Network) -> SuffixPass {
      var random = SeededRandom(seed: 0)
      return network.forward(suffix: cut, from: boundary, random: &random)
    }
    func loss(_ network: Network) -> Double {
      zip(pass(network).logits.scalars, weights.scalars).reduce(0) {
        $0 + Double($1.0) * Double($1.1)
      }
    }
    let gradients = network.backward(
      suffix: cut, pass: pass(network), logitsGradient: weights)
    let expected = try LayerSelection(pattern).nodes(in: network)
    #expect(Set(gradients.keys) == expected)
    let step: Float = 1e-2
    for (node, tensors) in gradients {
      let trainable = network.nodes[node].layer.parameters.filter(\.isTrainable)
      #expect(tensors.count == trainable.count)
      for (parameter, tensor) in tensors.enumerated() {
        let differences = tensor.scalars.indices.map { index -> Float in
          func moved(by step: Float) -> Double {
            var network = network
            network.updateLayer(at: node) { $0.parameters[parameter].value.scalars[index] += step }
            return loss(network)
          }
          return Float((moved(by: step) - moved(by: -step)) / Double(2 * step))
        }
        expectClose(
          differences, tensor.scalars, absolute: 3e-3, relative: 3e-3,
          "\(network.nodes[node].name)/\(trainable[parameter].name)")
      }
    }
  }

  @Test func addRefusesOtherShapes() {
    for shapes in [[[2, 2, 3], [2, 2, 4]], [[2, 2, 3]]] {
      #expect(throws: LayerError.self) { try Add(name: "add").outputShape(for: shapes) }
    }
    #expect(throws: LayerError.self) {
      try Concatenate(name: "c").outputShape(for: [[2, 2, 3], [2, 1, 4]])
    }
  }

  @Test(
    arguments: [
      ("BatchNormalization", ["axis": 1]), ("BatchNormalization", ["axis": [1, 2]]),
      ("ZeroPadding2D", ["padding": -1]), ("ZeroPadding2D", ["padding": [1, 2, 3]]),
      ("ZeroPadding2D", ["data_format": "channels_first"]), ("Concatenate", ["axis": 4]),
      ("ReLU", ["negative_slope": -1]), ("ReLU", ["max_value": -1]), ("Softmax", ["axis": 1]),
      ("Activation", ["activation": "mush"]), ("DepthwiseConv2D", ["kernel_size": 0]),
      ("DepthwiseConv2D", ["kernel_size": 3, "depth_multiplier": 0]),
    ] as [(String, [String: JSONValue])])
  func refusesWhatItCannotDo(className: String, fields: [String: JSONValue]) throws {
    let configuration = try Configuration(fields.merging(["name": "it"]) { $1 })
    #expect(throws: LayerError.self) {
      try LayerRegistry.layer(
        className: className, configuration: configuration, inputShapes: [[4, 4, 3]])
    }
  }

  @Test func configurationsComeBack() throws {
    let layers: [any Layer] = [
      BatchNormalization(name: "bn", channels: 3, epsilon: 1.001e-5, momentum: 0.9, scales: false),
      ZeroPadding2D(name: "pad", border: .init(top: 1, bottom: 2, left: 3, right: 4)),
      Add(name: "add"), Concatenate(name: "join"), ReLU(name: "relu", maximum: 6),
    ]
    for layer in layers {
      let again = try LayerRegistry.layer(
        className: layer.className, configuration: Configuration(layer.configuration),
        inputShapes: [[4, 4, 3]])
      #expect(again.configuration == layer.configuration)
      #expect(again.parameters.map(\.name) == layer.parameters.map(\.name))
    }
    #expect(layers[0].parameters.map(\.name) == ["beta", "moving_mean", "moving_variance"])
  }
}
