import Architectures
import Compute
import Foundation
import HDF5
import Images
import Layers
import TestSupport
import Testing
import Training
import Weights

/// Training from the first layer: the first step against Keras, progress, repeatability, and what
/// becomes of the base.
struct NewNetworkTests {
  /// One step of plain SGD at a rate of 1 changes every parameter by its gradient.
  @Test func theFirstStepOfTheSmallConvnetIsThatOfKeras() throws {
    let file = try HDF5File.open(Bundle.module.path(to: "Goldens/small_convnet.h5"))
    defer { try? file.close() }
    let root = try file.root
    let stride = Int(try #require(try root.attributes.integer("stride")))
    var input = try root.tensor("input")
    for index in input.scalars.indices { input.scalars[index] /= 255 }
    let before = try patterned()
    let settings = TrainingSettings(batchSize: 6, rule: .sgd(), learningRate: 1)
    var trainer = try Trainer(
      network: before, loss: .binaryCrossentropy, settings: settings)
    let loss = trainer.trainStep(input, labels: try root.integers("labels")).loss
    let expected = try root.tensor("loss").scalars[0]
    #expect(abs(Float(loss) - expected) <= 1e-5 * expected)
    let changes = zip(parameters(before), parameters(trainer.network)).map { old, new in
      zip(old.scalars, new.scalars).map { $0 - $1 }
    }
    for (number, change) in changes.enumerated() {
      let golden = try root.tensor("gradients/" + (number < 10 ? "0" : "") + "\(number)")
      let largest = golden.scalars.map { abs($0) }.max() ?? 0
      #expect(largest > 0)
      expectClose(
        Swift.stride(from: 0, to: change.count, by: stride).map { change[$0] }, golden.scalars,
        absolute: 1e-3 * largest, relative: 1e-3, "change of parameter \(number)")
    }
  }

  private func parameters(_ network: Network) -> [Tensor] {
    network.nodes.flatMap { $0.layer.parameters.map(\.value) }
  }

  /// The small convnet with the golden's kernels.
  private func patterned() throws -> Network {
    var random = SeededRandom(seed: 0)
    var network = try NewNetwork.smallConvnet.network(
      inputShape: [46, 46, 3], classCount: 2, dropout: 0, random: &random)
    var number = 0
    for index in network.nodes.indices where network.nodes[index].hasParameters {
      network.updateLayer(at: index) { layer in
        layer.parameters[0].value = pattern(layer.parameters[0].value.shape, number)
      }
      number += 2
    }
    return network
  }

  /// `pattern` of make_new_network_goldens.py.
  private func pattern(_ shape: [Int], _ number: Int) -> Tensor {
    let limit = KernelInitializer.glorotUniform.limit(shape: shape)
    let scalars = (0..<shape.reduce(1, *)).map { index in
      let hashed = (UInt64(index + 1) * 2_654_435_761 + UInt64(number) * 40503) % (1 << 32)
      return (2 * (Float(hashed >> 8) / Float(1 << 24)) - 1) * limit
    }
    return Tensor(shape: shape, scalars: scalars)
  }

  /// Pictures whose class shows in which half is bright.
  private func examples(_ count: Int, side: Int) -> CachedExamples {
    var random = SeededRandom(seed: 5)
    let labels = (0..<count).map { $0 % 2 }
    let scalars = labels.flatMap { label in
      (0..<side * side * 3).map { index in
        let isLeft = index / 3 % side < side / 2
        return (isLeft == (label == 0) ? 0.6 : 0.4) + 0.2 * random.uniform()
      }
    }
    return CachedExamples(
      features: Tensor(shape: [count, side, side, 3], scalars: scalars), labels: labels)
  }

  private func trained(
    _ name: NewNetwork, side: Int, seed: UInt64, rate: Float = 1e-3, batch: Int = 8,
    schedule: LearningRateSchedule = .init(), dropout: Double = 0.2
  ) throws -> (results: [EpochResult], network: Network) {
    var random = SeededRandom(seed: seed)
    let network = try name.network(
      inputShape: [side, side, 3], classCount: 2, dropout: dropout, random: &random)
    var settings = TrainingSettings(
      epochs: 10, batchSize: batch, rule: .adam(), learningRate: rate, seed: seed)
    settings.schedule = schedule
    settings.labelSmoothing = 0.1
    var trainer = try Trainer(network: network, loss: .binaryCrossentropy, settings: settings)
    let results = try trainer.train(examples(32, side: side), validation: nil) { _ in }
    return (results, trainer.network)
  }

  @Test(arguments: [(NewNetwork.smallConvnet, 46), (.leNet5, 20), (.tlMini, 32)])
  func learnsAndRepeatsWithItsSeed(name: NewNetwork, side: Int) throws {
    let first = try trained(name, side: side, seed: 3)
    #expect(first.results[9].loss < 0.8 * first.results[0].loss, "\(first.results)")
    let again = try trained(name, side: side, seed: 3)
    #expect(again.results == first.results)
    #expect(parameters(again.network) == parameters(first.network))
    #expect(try trained(name, side: side, seed: 4).results != first.results)
  }

  /// With one step an epoch and a rate that starts from zero, the first step changes nothing.
  @Test func theScheduleStartsFromZero() throws {
    let rising = LearningRateSchedule(.cosine, warmUpEpochs: 5)
    let losses = try trained(
      .leNet5, side: 20, seed: 3, batch: 32, schedule: rising, dropout: 0
    ).results.map(\.loss)
    // Only the order of the sum differs.
    #expect(abs(losses[1] - losses[0]) < 1e-6)
    #expect(abs(losses[2] - losses[1]) > 1e-4)
    let plain = try trained(.leNet5, side: 20, seed: 3, batch: 32, dropout: 0).results.map(\.loss)
    #expect(abs(plain[1] - plain[0]) > 1e-4)
  }

  /// A teacher's numbers are learned besides the classes, and its outputs are taken off.
  @Test func learnsWhatATeacherSays() throws {
    let examples = examples(32, side: 20)
    var random = SeededRandom(seed: 9)
    // How bright the left half is, which the label tells too, and noise that nothing tells.
    let targets = Tensor(
      shape: [32, 2],
      scalars: examples.labels.flatMap { [$0 == 0 ? 1 : -1, 3 * random.normal()] })
    let network = try NewNetwork.leNet5.network(
      inputShape: [20, 20, 3], classCount: 2, dropout: 0, random: &random)
    let settings = TrainingSettings(
      epochs: 30, batchSize: 8, rule: .adam(), learningRate: 1e-3, seed: 3)
    let wide = try network.widened(by: 2, seed: 1)
    #expect(wide.outputShape == [3])
    var trainer = try Trainer(
      network: wide, loss: .binaryCrossentropy, settings: settings, targets: targets)
    let results = try trainer.train(examples, validation: examples) { _ in }
    #expect(try #require(results.last?.validationAccuracy) == 1)
    let trained = trainer.network
    let plan = trained.plan(outputs: [trained.outputIndex], logits: true)
    let outputs = plan.run(examples.features)[0]
    let missed = (0..<32).reduce(Float(0)) { sum, row in
      let difference = outputs.scalars[row * 3 + 1] - targets.scalars[row * 2]
      return sum + difference * difference / 32
    }
    #expect(missed < 0.1)
    let narrow = try trained.narrowed(to: 1)
    #expect(narrow.outputShape == [1])
    #expect(narrow.headStart == network.headStart)
    let alone = narrow.plan(outputs: [narrow.outputIndex], logits: true).run(examples.features)[0]
    expectClose(alone.scalars, outputs.firstColumns(1).scalars, absolute: 1e-5)
  }

  @Test func theBaseLeavesWithoutItsClassifierInFloat16() throws {
    let loader = PhotoLoader(height: 64, width: 64, preprocessing: .rescale)
    let model = try ClassifierModel(
      new: .tlMini, classNames: ["a", "b", "c"], loader: loader, seed: 1)
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "base.h5").path
      try model.saveBase(path)
      let size = try #require(
        try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
      #expect(size < 3_000_000)
      let base = try BaseLoader.load(path, height: 96, width: 96)
      #expect(base.name == "tl-mini")
      #expect(base.preprocessing == .rescale)
      #expect(base.layer == "block5_pool")
      #expect(base.network.outputShape == [3, 3, 224])
      for (stored, drawn) in zip(parameters(base.network), parameters(model.network)) {
        #expect(stored.scalars == drawn.scalars.map { Float(Float16($0)) })
      }
    }
  }
}

/// Initial weights against those that Keras draws.
struct KernelInitializerTests {
  @Test(arguments: KernelInitializer.allCases)
  func drawsLikeKeras(initializer: KernelInitializer) throws {
    let file = try HDF5File.open(Bundle.module.path(to: "Goldens/initializers.h5"))
    defer { try? file.close() }
    let group = try file.root.group(initializer.rawValue)
    for dataset in try group.children() {
      let shape = dataset.name.split(separator: "/").last.map { $0.split(separator: "x") } ?? []
      let expected = try group.tensor(String(shape.joined(separator: "x"))).scalars
      var values: [Float] = []
      for seed in 0..<40 {
        var random = SeededRandom(seed: UInt64(seed))
        values += initializer.draw(shape: shape.compactMap { Int($0) }, random: &random).scalars
      }
      let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
      let variance = values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
      let deviation = (variance / Double(values.count)).squareRoot()
      #expect(abs(deviation / Double(expected[0]) - 1) < 0.01, "\(dataset.name)")
      #expect(abs(mean) < 0.02 * deviation, "\(dataset.name)")
      let largest = values.map { abs($0) }.max() ?? 0
      #expect(abs(largest / expected[1] - 1) < 0.002, "\(dataset.name)")
    }
  }
}

struct LearningRateScheduleTests {
  @Test(arguments: ["cosine", "cosine_warm_up", "cosine_all_warm_up"])
  func agreesWithKeras(name: String) throws {
    let file = try HDF5File.open(Bundle.module.path(to: "Goldens/schedules.h5"))
    defer { try? file.close() }
    let golden = try file.root.group(name)
    let perEpoch = Int(try #require(try golden.attributes.integer("steps_per_epoch")))
    let epochs = Int(try #require(try golden.attributes.integer("epochs")))
    let warmUp = try #require(try golden.attributes.double("warm_up_epochs"))
    let rate = try #require(try golden.attributes.double("learning_rate"))
    let schedule = LearningRateSchedule(.cosine, warmUpEpochs: warmUp)
    let expected = try golden.tensor("rates").scalars
    let found = expected.indices.map {
      Float(rate * schedule.share(step: $0, stepsPerEpoch: perEpoch, epochs: epochs))
    }
    expectClose(found, expected, absolute: 1e-6 * Float(rate), relative: 1e-5, name)
  }

  @Test(arguments: ["exponential", "step", "one_cycle", "one_cycle_half"])
  func agreesWithKerasAndPyTorch(name: String) throws {
    let file = try HDF5File.open(Bundle.module.path(to: "Goldens/rates.h5"))
    defer { try? file.close() }
    let golden = try file.root.group(name)
    func number(_ key: String) throws -> Double {
      try #require(try golden.attributes.double(key))
    }
    let shape = try #require(try golden.attributes.string("shape"))
    let schedule = LearningRateSchedule(
      try #require(LearningRateSchedule.Shape(rawValue: shape)),
      warmUpEpochs: try number("warm_up_epochs"), factor: try number("factor"),
      every: try number("every"))
    let perEpoch = Int(try #require(try golden.attributes.integer("steps_per_epoch")))
    let epochs = Int(try #require(try golden.attributes.integer("epochs")))
    let rate = try number("learning_rate")
    let expected = try golden.tensor("rates").scalars
    #expect(expected.count == perEpoch * epochs)
    let found = expected.indices.map {
      Float(rate * schedule.share(step: $0, stepsPerEpoch: perEpoch, epochs: epochs))
    }
    expectClose(found, expected, absolute: 1e-7 * Float(rate), relative: 1e-5, name)
  }

  @Test func staysWhereItIsConstant() {
    let schedule = LearningRateSchedule(warmUpEpochs: 0.5)
    let shares = (0..<12).map { schedule.share(step: $0, stepsPerEpoch: 4, epochs: 3) }
    #expect(shares == [0, 0.5] + [Double](repeating: 1, count: 10))
  }
}

struct LabelSmoothingTests {
  @Test(arguments: ["binary", "categorical"])
  func agreesWithKeras(name: String) throws {
    let file = try HDF5File.open(Bundle.module.path(to: "Goldens/label_smoothing.h5"))
    defer { try? file.close() }
    let golden = try file.root.group(name)
    let smoothing = Float(try #require(try golden.attributes.double("smoothing")))
    let logits = try golden.tensor("logits")
    let labels = try golden.integers("labels")
    let loss: Loss = name == "binary" ? .binaryCrossentropy : .categoricalCrossentropy
    let (value, gradient) = loss.value(logits: logits, labels: labels, smoothing: smoothing)
    let expected = try golden.tensor("loss").scalars[0]
    #expect(abs(Float(value) - expected) <= 1e-5 * expected)
    expectClose(
      gradient.scalars, try golden.tensor("logits_gradient").scalars, absolute: 1e-7, name)
    let each = loss.losses(logits: logits, labels: labels, smoothing: smoothing)
    #expect(abs(each.reduce(0, +) / Double(each.count) - value) < 1e-9)
  }
}
