import Compute
import Foundation
import HDF5
import TestSupport
import Testing
import Training

/// Optimizers against Keras: 20 steps on the same gradients.
struct OptimizerTests {
  static let rules: [(String, Optimizer.Rule)] = [
    ("sgd", .sgd()),
    ("sgd_momentum", .sgd(momentum: 0.9)),
    ("sgd_nesterov", .sgd(momentum: 0.9, nesterov: true)),
    ("rmsprop", .rmsprop()),
    ("rmsprop_momentum", .rmsprop(momentum: 0.9)),
    ("rmsprop_centered", .rmsprop(centered: true)),
    ("rmsprop_centered_momentum", .rmsprop(momentum: 0.9, centered: true)),
    ("adagrad", .adagrad()),
    ("adadelta", .adadelta()),
    ("adam", .adam()),
  ]

  @Test(arguments: rules)
  func agreesWithKeras(name: String, rule: Optimizer.Rule) throws {
    let file = try HDF5File.open(Bundle.module.path(to: "Goldens/optimizers.h5"))
    defer { try? file.close() }
    let gradients = try file.root.tensor("gradients")
    let golden = try file.root.group(name)
    let expected = try golden.tensor("parameters")
    let rate = try #require(try golden.attributes.double("learning_rate"))
    var optimizer = Optimizer(rule, learningRate: Float(rate))
    var value = expected.rows(0..<1)
    for step in 0..<gradients.shape[0] {
      optimizer.beginStep()
      optimizer.update(
        .init(node: 0, parameter: 0), &value, gradient: gradients.rows(step..<step + 1))
      expectClose(
        value.scalars, expected.rows(step + 1..<step + 2).scalars, absolute: 1e-7, relative: 1e-6,
        "\(name) after step \(step + 1)")
    }
  }
}

/// Losses against Keras, also where a probability is 0 or 1.
struct LossTests {
  @Test(arguments: [
    "binary", "binary_extreme", "categorical", "categorical_extreme", "categorical_many",
  ])
  func agreesWithKeras(name: String) throws {
    let file = try HDF5File.open(Bundle.module.path(to: "Goldens/losses.h5"))
    defer { try? file.close() }
    let golden = try file.root.group(name)
    let logits = try golden.tensor("logits")
    let targets = try golden.tensor("targets")
    let width = logits.shape[1]
    let loss: Loss = width == 1 ? .binaryCrossentropy : .categoricalCrossentropy
    let labels = (0..<logits.shape[0]).map { row in
      width == 1
        ? Int(targets.scalars[row])
        : (0..<width).first { targets.scalars[row * width + $0] == 1 } ?? 0
    }
    let (value, gradient) = loss.value(logits: logits, labels: labels)
    let expected = try golden.tensor("loss").scalars[0]
    #expect(abs(Float(value) - expected) <= 1e-6 + 1e-5 * expected)
    expectClose(
      gradient.scalars, try golden.tensor("logits_gradient").scalars, absolute: 1e-7, name)
    let probabilities = loss.probabilities(logits: logits).flatMap {
      width == 1 ? [$0[1]] : $0
    }
    expectClose(probabilities, try golden.tensor("probabilities").scalars, absolute: 1e-6, name)
  }
}
