import Compute
import Foundation
import Images
import Layers
import TestSupport
import Testing
import Training

/// A run that stops anywhere and goes on from its state ends as one that never stopped.
struct TrainingStateTests {
  private struct Stop: Error {}

  static let rules: [Optimizer.Rule] = [
    .sgd(momentum: 0.9), .rmsprop(), .rmsprop(momentum: 0.5, centered: true), .adagrad(),
    .adadelta(), .adam(), .adamW(),
  ]

  private func examples() -> CachedExamples {
    var random = SeededRandom(seed: 7)
    let features = Tensor(shape: [50, 6], scalars: (0..<300).map { _ in random.normal() })
    return CachedExamples(
      features: features, labels: (0..<50).map { features.scalars[$0 * 6] > 0 ? 1 : 0 })
  }

  /// A head with dropout; every epoch has a new order.
  ///
  /// - Parameter isWatched: with averages, clipped gradients, and a rate and an end that depend on
  ///   how it goes.
  private func trainer(_ rule: Optimizer.Rule, isWatched: Bool = false) throws -> Trainer {
    var network = Network(name: "head", inputShape: [6], inputName: "features")
    var random = SeededRandom(seed: 3)
    let start = try network.add(
      Dense(
        name: "dense", kernel: Tensor(zeros: [6, 40]), bias: Tensor(zeros: [40]), activation: .relu)
    )
    try network.add(Dropout(name: "dropout", rate: 0.5))
    try network.add(
      Dense(
        name: "dense_1", kernel: Tensor(zeros: [40, 1]), bias: Tensor(zeros: [1]),
        activation: .sigmoid))
    network.initialize(random: &random) { $0 >= start }
    var settings = TrainingSettings(
      epochs: 10, batchSize: 8, rule: rule, learningRate: 0.01, seed: 5)
    settings.schedule = LearningRateSchedule(.cosine, warmUpEpochs: 2)
    if isWatched {
      settings.learningRate = 0.1
      settings.averaging = 0.8
      settings.clipping = .globalNorm(0.5)
      settings.l2 = 0.01
      settings.plateau = PlateauRule(patience: 1, factor: 0.5, minimumDelta: 0.01, cooldown: 1)
      settings.stopping = StoppingRule(patience: 2, minimumDelta: 0.05)
    }
    return try Trainer(network: network, loss: .binaryCrossentropy, settings: settings)
  }

  /// The state after the given count of batches or epochs.
  private func state(
    _ rule: Optimizer.Rule, after count: Int, _ moment: TrainingMoment, isWatched: Bool = false
  ) throws -> TrainingState {
    var trainer = try trainer(rule, isWatched: isWatched)
    var (seen, found) = (0, TrainingState?.none)
    do {
      _ = try trainer.train(
        examples(), validation: examples(),
        checkpoint: { offered, state in
          if offered == moment { seen += 1 }
          guard seen == count else { return }
          found = state()
          throw Stop()
        }, report: { _ in })
    } catch is Stop {}
    return try #require(found)
  }

  @Test(arguments: rules.indices)
  func goesOnAsIfItHadNeverStopped(rule: Int) throws {
    let rule = Self.rules[rule]
    var whole = try trainer(rule)
    let expected = try whole.train(examples(), validation: examples()) { _ in }
    #expect(expected.count == 10)
    // After 5 epochs, and after 3 of the 7 batches of the third epoch.
    for (count, moment) in [(5, TrainingMoment.epoch), (17, .batch), (7, .batch)] {
      let state = try state(rule, after: count, moment)
      var rest = try trainer(rule)
      let threads = Threads.count
      Threads.count = threads + 1
      defer { Threads.count = threads }
      try rest.resume(state)
      #expect(rest.state == state)
      let history = try rest.train(examples(), validation: examples()) { _ in }
      #expect(history == expected)
      #expect(rest.state == whole.state)
    }
  }

  @Test func whatIsWatchedGoesOnToo() throws {
    var whole = try trainer(.adam(), isWatched: true)
    let expected = try whole.train(examples(), validation: examples()) { _ in }
    #expect(whole.state.plateau.factor < 1)
    #expect(whole.hasStoppedEarly)
    let best = try #require(whole.bestEpoch)
    #expect(best < expected.count)
    for (count, moment) in [(1, TrainingMoment.epoch), (best + 1, .epoch), (11, .batch)] {
      let state = try state(.adam(), after: count, moment, isWatched: true)
      #expect(state.averages.count == 4)
      var rest = try trainer(.adam(), isWatched: true)
      try rest.resume(state)
      #expect(rest.state == state)
      #expect(try rest.train(examples(), validation: examples()) { _ in } == expected)
      #expect(rest.state == whole.state)
      #expect(tensors(rest.result) == tensors(whole.result))
    }
  }

  private func tensors(_ network: Network) -> [Tensor] {
    network.nodes.flatMap { $0.layer.parameters.map(\.value) }
  }

  @Test func namesWhatItHolds() throws {
    let state = try state(.rmsprop(), after: 17, .batch)
    #expect(
      state.parameters.map(\.name) == [
        "dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias",
      ])
    #expect(state.slots.map(\.parameter) == state.parameters.map(\.name))
    #expect(state.slots.allSatisfy { $0.tensors.map(\.name) == ["velocity"] && $0.steps == 17 })
    #expect(state.step == 17)
    #expect(state.epoch == 2)
    #expect(state.position?.batches == 3)
    #expect(state.position?.order.sorted() == Array(0..<50))
    #expect(state.history.allSatisfy { $0.seconds ?? 0 > 0 })
    // The last of the second epoch's steps, with a warm-up of 14 of 70 steps.
    #expect(abs((state.history[1].learningRate ?? 0) - 0.01 * 13 / 14) < 1e-8)
  }

  @Test func refusesTheStateOfAnotherRun() throws {
    let state = try state(.adam(), after: 1, .epoch)
    var other = try trainer(.rmsprop())
    #expect(throws: TrainingError.self) { try other.resume(state) }
    var renamed = state
    renamed.parameters[0].name = "dense_7/kernel"
    var shaped = state
    shaped.slots[0].tensors[1].tensor = Tensor(zeros: [6])
    for wrong in [renamed, shaped] {
      var trainer = try trainer(.adam())
      #expect(throws: TrainingError.self) { try trainer.resume(wrong) }
    }
  }

  /// Photos that change at random and come through a frozen part, from the start and in the middle.
  @Test(arguments: [nil, 2]) func fineTuningGoesOn(views: Int?) throws {
    let path = Locations.tests("TLCommandsTests/Fixtures/photos/train")
    let folder = try PhotoFolder(labelled: path)
    let loader = PhotoLoader(height: 32, width: 32, preprocessing: .rescale)
    let model = try ClassifierModel(
      new: .tlMini, classNames: folder.classNames, loader: loader, seed: 1)
    let ranges = Augmentation.book
    let tuning = try FineTuning(
      model: model, trained: TrainableLayers(unfreeze: LayerSelection("block5")),
      settings: TrainingSettings(
        epochs: 4, batchSize: 7, rule: .adam(), learningRate: 1e-3, seed: 2),
      photosAtOnce: 5, isStrict: true, cacheLimit: 1 << 30,
      augmentation: AugmentationPlan(ranges: ranges, views: views))
    try Locations.withTemporaryFolder { place in
      let path = place.appending(path: "checkpoint.h5").path
      var kept: [TrainingCheckpoint] = []
      let keeper = RunKeeper(path, interval: .zero)
      let whole = try tuning.run(folder, validation: folder, keeper: keeper) { event in
        if case .training(.batch) = event { kept.append(try CheckpointFile.read(path)) }
      }
      // 4 batches of 24 photos in each epoch.
      #expect(kept.count == 16)
      try expectSame(
        whole,
        [kept[1], kept[3], kept[9], CheckpointFile.read(path)].map { checkpoint in
          let keeper = RunKeeper(path, resuming: checkpoint)
          return try tuning.run(folder, validation: folder, keeper: keeper) { _ in }
        })
    }
  }

  private func expectSame(_ whole: FineTuning.Result, _ others: [FineTuning.Result]) {
    for rest in others {
      #expect(rest.model.history == whole.model.history)
      for (one, other) in zip(rest.model.network.nodes, whole.model.network.nodes) {
        #expect(one.layer.parameters.map(\.value) == other.layer.parameters.map(\.value))
      }
      #expect(rest.proof == whole.proof)
    }
  }
}
