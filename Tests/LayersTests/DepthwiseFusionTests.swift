import Compute
import Layers
import TestSupport
import Testing

/// What a plan does in one pass with a depthwise convolution, against the layers one by one.
struct DepthwiseFusionTests {
  struct Case: Sendable {
    var size = (9, 8)
    var channels = 5
    var window = 3
    var strides = 1
    var dilation = 1
    var padding = Padding.same
    var border: PictureBorder?
    var function = PointwiseFunction.relu6
  }

  static let cases = [
    Case(), Case(channels: 16, strides: 2), Case(channels: 33, padding: .valid),
    Case(
      channels: 24, strides: 2, padding: .valid, border: .init(top: 0, bottom: 1, left: 0, right: 1)
    ),
    Case(channels: 7, padding: .valid, border: .init(top: 1, bottom: 1, left: 1, right: 1)),
    Case(window: 5, dilation: 2), Case(channels: 3, window: 5, strides: 3),
    Case(size: (1, 1), channels: 17), Case(size: (2, 13), window: 7, function: .relu),
    Case(channels: 40, function: .silu),
  ]

  private func network(_ c: Case) throws -> Network {
    var random = SeededRandom(seed: 7)
    var network = Network(
      name: "n", inputShape: [c.size.0, c.size.1, c.channels], inputName: "input")
    if let border = c.border { try network.add(ZeroPadding2D(name: "pad", border: border)) }
    try network.add(
      DepthwiseConv2D(
        name: "depthwise",
        kernel: normalNumbers(
          [c.window, c.window, c.channels, 1], mean: 0, deviation: 0.5, random: &random),
        bias: normalNumbers([c.channels], mean: 0, deviation: 1, random: &random),
        strides: (c.strides, c.strides), dilation: (c.dilation, c.dilation), padding: c.padding))
    try network.add(BatchNormalization(name: "bn", channels: c.channels))
    try network.add(Activation(name: "function", activation: c.function))
    let bn = network.nodes.count - 2
    network.updateLayer(at: bn) { layer in
      for index in 0..<4 {
        layer.parameters[index].value = normalNumbers(
          [c.channels], mean: 1.5, deviation: 0.2, random: &random)
      }
    }
    return network
  }

  @Test(arguments: cases.indices) func planAgreesWithTraining(_ index: Int) throws {
    let c = Self.cases[index]
    let network = try network(c)
    var random = SeededRandom(seed: 8)
    let batch = normalNumbers(
      [3] + network.inputShape, mean: 0, deviation: 2, random: &random)
    let planned = network.plan(outputs: [network.outputIndex]).run(batch)[0]
    var value = batch
    for node in network.nodes.dropFirst() {
      value = node.layer.forward([value], random: &random).value
    }
    #expect(planned.shape == value.shape)
    expectClose(planned.scalars, value.scalars, absolute: 2e-5, relative: 1e-5, "case \(index)")
    // A border and a normalisation are taken into the one step; silu is a step of its own.
    let steps = network.plan(outputs: [network.outputIndex]).profile(batch)
    #expect(steps.count == (c.function.ceiling == nil ? 2 : 1), "\(steps.map(\.name))")
  }

  /// One photo alone gives the same numbers as in a batch, to the bit.
  @Test func batchesDoNotMatter() throws {
    let network = try network(Self.cases[1])
    var random = SeededRandom(seed: 9)
    let batch = normalNumbers([5] + network.inputShape, mean: 0, deviation: 2, random: &random)
    let plan = network.plan(outputs: [network.outputIndex])
    let all = plan.run(batch)[0]
    for photo in 0..<5 {
      #expect(plan.run(batch.rows(photo..<photo + 1))[0] == all.rows(photo..<photo + 1))
    }
  }
}
