import Compute
import Foundation
import Layers
import TestSupport
import Testing

/// Local response normalisation against its formula.
struct ResponseNormalizationTests {
  private static let layers = [
    LocalResponseNormalization(name: "lrn", radius: 2, bias: 1, alpha: 0.3, beta: 0.75),
    LocalResponseNormalization(name: "lrn", radius: 0, bias: 2, alpha: 0.1, beta: 0.5),
    LocalResponseNormalization(name: "lrn", radius: 9, bias: 0.5, alpha: 1, beta: 1.25),
  ]

  private func random(_ shape: [Int], seed: UInt64) -> Tensor {
    var generator = SeededRandom(seed: seed)
    return Tensor(
      shape: shape, scalars: (0..<shape.reduce(1, *)).map { _ in generator.normal() })
  }

  private func naive(_ x: Tensor, _ window: ResponseWindow) -> [Float] {
    let width = x.shape[x.shape.count - 1]
    return x.scalars.indices.map { index in
      let (row, channel) = (index / width * width, index % width)
      let seen = max(channel - window.radius, 0)...min(channel + window.radius, width - 1)
      let sum = seen.reduce(0.0) { $0 + pow(Double(x.scalars[row + $1]), 2) }
      return Float(Double(x.scalars[index]) / pow(window.bias + window.alpha * sum, window.beta))
    }
  }

  @Test(arguments: layers.indices, [1, 5, 17])
  func followsTheFormula(index: Int, channels: Int) throws {
    let layer = Self.layers[index]
    let x = random([2, 9, 8, channels], seed: 3)
    let expected = naive(x, layer.window)
    var generator = SeededRandom(seed: 0)
    expectClose(layer.forward([x], random: &generator).value.scalars, expected, "forward")
    var network = Network(name: "n", inputShape: [9, 8, channels], inputName: "input")
    try network.add(layer)
    expectClose(network.plan(outputs: [1]).run(x)[0].scalars, expected, "plan")
  }

  @Test(arguments: layers.indices)
  func gradientsAgreeWithDifferences(index: Int) {
    let layer = Self.layers[index]
    let (x, weights) = (random([2, 3, 7], seed: 4), random([2, 3, 7], seed: 5))
    var generator = SeededRandom(seed: 0)
    let output = layer.forward([x], random: &generator)
    let found = layer.backward(
      weights, inputs: [x], output: output,
      wanted: WantedGradients(inputs: true, parameters: false))
    let step: Float = 1e-2
    let expected = x.scalars.indices.map { place -> Float in
      let sums = [step, -step].map { change -> Double in
        var moved = x
        moved.scalars[place] += change
        return zip(naive(moved, layer.window), weights.scalars).reduce(0) {
          $0 + Double($1.0) * Double($1.1)
        }
      }
      return Float((sums[0] - sums[1]) / Double(2 * step))
    }
    expectClose(found.inputs[0].scalars, expected, absolute: 2e-3, relative: 2e-3)
  }

  @Test func itsConfigurationBuildsIt() throws {
    for layer in Self.layers {
      let copy = try LocalResponseNormalization(
        configuration: Configuration(layer.configuration), inputShapes: [[4, 4, 3]])
      #expect(copy.window == layer.window && copy.name == layer.name)
    }
  }
}
