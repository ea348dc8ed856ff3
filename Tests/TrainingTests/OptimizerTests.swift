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
    ("adamw", .adamW()),
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

/// What happens to gradients and weights beside the rule, against Keras: 20 steps of two tensors.
struct GradientTests {
  static let cases: [(String, Optimizer.Rule, GradientClipping?)] = [
    ("sgd_weight_decay", .sgd(momentum: 0.9), nil),
    ("adam_weight_decay", .adam(), nil),
    ("rmsprop_clipnorm", .rmsprop(), .norm(1.5)),
    ("sgd_clipnorm", .sgd(), .norm(1.5)),
    ("sgd_global_clipnorm", .sgd(), .globalNorm(2)),
    ("sgd_clipvalue", .sgd(), .value(0.5)),
    ("adam_average", .adam(), nil),
  ]

  @Test(arguments: cases.indices)
  func agreesWithKeras(index: Int) throws {
    let (name, rule, clipping) = Self.cases[index]
    let file = try HDF5File.open(Bundle.module.path(to: "Goldens/gradients.h5"))
    defer { try? file.close() }
    let root = try file.root
    let golden = try root.group(name)
    let names = ["first", "second"]
    let gradients = try names.map { try root.tensor("\($0)_gradients") }
    let expected = try names.map { try golden.tensor($0) }
    let rate = try #require(try golden.attributes.double("learning_rate"))
    let decay = try golden.attributes.double("weight_decay").map { Float($0) }
    var optimizer = Optimizer(rule, learningRate: Float(rate), weightDecay: decay)
    var values = expected.map { row($0, 0) }
    for step in 0..<20 {
      optimizer.beginStep()
      let plain = gradients.map { row($0, step) }
      for (index, gradient) in (clipping?.applied(to: plain) ?? plain).enumerated() {
        optimizer.update(.init(node: 0, parameter: index), &values[index], gradient: gradient)
        expectClose(
          values[index].scalars, row(expected[index], step + 1).scalars,
          absolute: 1e-7 + 1e-4 * Float(rate),
          relative: 1e-6, "\(name), \(names[index]) after step \(step + 1)")
      }
    }
  }

  @Test func averagesAgreeWithKeras() throws {
    let file = try HDF5File.open(Bundle.module.path(to: "Goldens/gradients.h5"))
    defer { try? file.close() }
    let golden = try file.root.group("adam_average")
    let keep = Float(try #require(try golden.attributes.double("ema_momentum")))
    let values = try golden.tensor("first")
    let expected = try golden.tensor("first_average")
    // The average starts as the value after the first step.
    var average = row(values, 1)
    for step in 1..<20 {
      ParameterUpdate.average(&average, with: row(values, step + 1), keep: keep)
      expectClose(
        average.scalars, row(expected, step).scalars, absolute: 1e-7, relative: 1e-6,
        "after step \(step + 1)")
    }
  }

  private func row(_ tensor: Tensor, _ index: Int) -> Tensor {
    tensor.rows(index..<index + 1).reshaped(Array(tensor.shape.dropFirst()))
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

/// Focal losses against Keras.
struct FocalLossTests {
  @Test(arguments: ["binary", "binary_smooth", "categorical", "categorical_smooth"])
  func agreesWithKeras(name: String) throws {
    let file = try HDF5File.open(Bundle.module.path(to: "Goldens/focal.h5"))
    defer { try? file.close() }
    let golden = try file.root.group(name)
    let focal = FocalLoss(
      gamma: try #require(try golden.attributes.double("gamma")),
      alpha: try #require(try golden.attributes.double("alpha")))
    let smoothing = Float(try #require(try golden.attributes.double("smoothing")))
    let logits = try golden.tensor("logits")
    let loss: Loss =
      logits.shape[1] == 1 ? .binaryCrossentropy : .categoricalCrossentropy
    let (value, gradient) = loss.value(
      logits: logits, labels: try golden.integers("labels"),
      LossOptions(smoothing: smoothing, focal: focal))
    let expected = try golden.tensor("loss").scalars[0]
    #expect(abs(Float(value) - expected) <= 1e-5 * expected)
    expectClose(
      gradient.scalars, try golden.tensor("logits_gradient").scalars, absolute: 2e-7,
      relative: 1e-5, name)
  }

  /// Without focus and smoothing it is cross-entropy, also where a probability is 1.
  @Test func gammaZeroIsCrossEntropy() {
    let logits = Tensor(shape: [4, 1], scalars: [-40, -0.5, 2, 40])
    let labels = [0, 1, 1, 0]
    let plain = Loss.binaryCrossentropy.value(logits: logits, labels: labels)
    let focal = Loss.binaryCrossentropy.value(
      logits: logits, labels: labels, LossOptions(focal: FocalLoss(gamma: 0)))
    #expect(abs(plain.loss - focal.loss) < 1e-6)
    expectClose(focal.gradient.scalars, plain.gradient.scalars, absolute: 1e-7)
    let sure = Loss.binaryCrossentropy.value(
      logits: logits, labels: labels, LossOptions(focal: FocalLoss()))
    #expect(sure.loss.isFinite && sure.gradient.scalars.allSatisfy(\.isFinite))
  }
}

struct ClassWeightTests {
  @Test func agreeWithKerasAndScikitLearn() throws {
    let file = try HDF5File.open(Bundle.module.path(to: "Goldens/class_weights.h5"))
    defer { try? file.close() }
    let root = try file.root
    let labels = try root.integers("labels")
    let names = ["a", "b", "c"]
    let weights = try ClassWeighting.balanced.weights(labels: labels, classNames: names)
    expectClose(
      weights.map { Float($0) }, try root.tensor("balanced").scalars, absolute: 1e-7)
    let (loss, gradient) = Loss.categoricalCrossentropy.value(
      logits: try root.tensor("logits"), labels: labels, LossOptions(classWeights: weights))
    let expected = try root.tensor("loss").scalars[0]
    #expect(abs(Float(loss) - expected) <= 1e-5 * expected)
    expectClose(
      gradient.scalars, try root.tensor("logits_gradient").scalars, absolute: 2e-7, relative: 1e-5)
    #expect(
      try ClassWeighting.given(["b": 3]).weights(labels: labels, classNames: names) == [1, 3, 1])
    #expect(throws: TrainingError.self) {
      try ClassWeighting.given(["d": 3]).weights(labels: labels, classNames: names)
    }
  }
}
