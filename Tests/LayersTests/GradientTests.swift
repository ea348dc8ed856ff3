import Compute
import Layers
import TestSupport
import Testing

/// Backward passes against central differences of the forward pass.
struct GradientTests {
  static let layers: [any Layer] = [
    Conv2D(
      name: "conv", kernel: random([3, 3, 2, 3], seed: 1), bias: random([3], seed: 2),
      strides: (2, 1), padding: .same, activation: .tanh),
    Conv2D(
      name: "conv", kernel: random([2, 3, 2, 3], seed: 3), bias: nil, activation: .sigmoid),
    AveragePooling2D(name: "pool", window: (3, 2), strides: (2, 2), padding: .same),
    MaxPooling2D(name: "pool", window: (2, 3), strides: (1, 2)),
    GlobalAveragePooling2D(name: "pool"),
    GlobalMaxPooling2D(name: "pool"),
    Flatten(name: "flatten"),
    Activation(name: "softmax", activation: .softmax),
  ]

  @Test(arguments: layers.indices)
  func agreesWithDifferences(index: Int) {
    expectGradients(Self.layers[index], input: random([2, 5, 6, 2], seed: 10))
  }

  @Test(arguments: [PointwiseFunction.linear, .sigmoid, .tanh, .softmax])
  func denseAgreesWithDifferences(activation: PointwiseFunction) {
    let layer = Dense(
      name: "dense", kernel: random([4, 3], seed: 4), bias: random([3], seed: 5),
      activation: activation)
    expectGradients(layer, input: random([3, 4], seed: 11))
  }

  @Test func dropoutKeepsTheMeanAndMasksTheGradient() {
    let layer = Dropout(name: "dropout", rate: 0.25)
    let input = Tensor(shape: [1, 20_000], scalars: .init(repeating: 1, count: 20_000))
    var random = SeededRandom(seed: 3)
    let output = layer.forward([input], random: &random)
    let mean = output.value.scalars.reduce(0, +) / 20_000
    #expect(abs(mean - 1) < 0.02)
    #expect(Set(output.value.scalars) == [0, 1 / 0.75])
    let gradients = layer.backward(
      input, inputs: [input], output: output,
      wanted: WantedGradients(inputs: true, parameters: false))
    #expect(gradients.inputs[0].scalars == output.value.scalars)
  }

  private func expectGradients(_ layer: any Layer, input: Tensor) {
    var generator = SeededRandom(seed: 0)
    let output = layer.forward([input], random: &generator)
    // The loss is a fixed weighted sum of the outputs.
    let weights = random(output.value.shape, seed: 20)
    let gradients = layer.backward(
      weights, inputs: [input], output: output,
      wanted: WantedGradients(inputs: true, parameters: true))
    func loss(_ layer: any Layer, _ input: Tensor) -> Double {
      var generator = SeededRandom(seed: 0)
      let y = layer.forward([input], random: &generator).value
      return zip(y.scalars, weights.scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let step: Float = 1e-2
    expectClose(
      differences(of: input, step: step) { loss(layer, $0) }, gradients.inputs[0].scalars,
      absolute: 5e-3, relative: 5e-3, "\(layer.className) input")
    for (index, parameter) in layer.parameters.enumerated() {
      let numeric = differences(of: parameter.value, step: step) { value in
        var changed = layer
        changed.parameters[index].value = value
        return loss(changed, input)
      }
      expectClose(
        numeric, gradients.parameters[index].scalars, absolute: 5e-3, relative: 5e-3,
        "\(layer.className) \(parameter.name)")
    }
  }

  private func differences(
    of x: Tensor, step: Float, _ f: (Tensor) -> Double
  ) -> [Float] {
    x.scalars.indices.map { index in
      var (above, below) = (x, x)
      above.scalars[index] += step
      below.scalars[index] -= step
      return Float((f(above) - f(below)) / Double(2 * step))
    }
  }
}

/// Normal numbers, spread so that no two maxima of a window are nearly equal by design of the seed.
private func random(_ shape: [Int], seed: UInt64) -> Tensor {
  var generator = SeededRandom(seed: seed)
  return Tensor(
    shape: shape, scalars: (0..<shape.reduce(1, *)).map { _ in generator.normal() })
}
