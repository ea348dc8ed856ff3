import Compute
import Foundation
import Images
import Layers
import TestSupport
import Testing
import Training

/// Parts of a network that are trained at other times and rates, and what is kept when a run breaks.
struct TrainerPartsTests {
  /// Three Dense layers, of which the last is the head.
  private func network() throws -> Network {
    var network = Network(name: "net", inputShape: [4], inputName: "input")
    for (name, units, function) in [
      ("low_1", 6, PointwiseFunction.relu), ("low_2", 5, .relu), ("top", 1, .sigmoid),
    ] {
      let inputs = network.outputShape[0]
      try network.add(
        Dense(
          name: name, kernel: Tensor(zeros: [inputs, units]), bias: Tensor(zeros: [units]),
          activation: function))
    }
    var random = SeededRandom(seed: 1)
    network.initialize(random: &random) { _ in true }
    network.declareHead(from: 3)
    return network
  }

  private func examples(_ count: Int = 24) -> CachedExamples {
    var random = SeededRandom(seed: 2)
    let features = Tensor(shape: [count, 4], scalars: (0..<4 * count).map { _ in random.normal() })
    return CachedExamples(
      features: features, labels: (0..<count).map { features.scalars[4 * $0] > 0 ? 1 : 0 })
  }

  private func trainer(
    _ network: Network, _ change: (inout TrainingSettings) -> Void = { _ in }
  ) throws -> Trainer {
    var settings = TrainingSettings(
      epochs: 6, batchSize: 8, rule: .adam(), learningRate: 0.01, seed: 3)
    change(&settings)
    return try Trainer(network: network, loss: .binaryCrossentropy, settings: settings)
  }

  @Test func otherLayersKeepWhatTheOptimizerRemembers() throws {
    var network = try network()
    network.setTrainable([3])
    var trainer = try trainer(network)
    let data = examples()
    // What enters the head.
    let plan = network.plan(outputs: [2])
    let rows = CachedExamples(features: plan.run(data.features)[0], labels: data.labels)
    _ = try trainer.train(rows, validation: nil, through: 2) { _ in }
    let before = trainer.state
    #expect(before.slots.map(\.parameter) == ["top/kernel", "top/bias"])
    trainer.endStage()
    try trainer.setTrainable([2, 3])
    #expect(trainer.state.slots == before.slots)
    #expect(trainer.cut.boundary == 1)
    let lower = CachedExamples(
      features: network.plan(outputs: [1]).run(data.features)[0], labels: data.labels)
    _ = try trainer.train(lower, validation: nil, through: 4) { _ in }
    let after = trainer.state
    // The head's tensors have had 12 steps, the others those 6 since they were unfrozen.
    #expect(after.slots.map(\.steps) == [6, 6, 12, 12])
    #expect(after.stageEnds == [2])
    #expect(after.parameters[0] == before.parameters[0])
    #expect(after.parameters[2] != before.parameters[2])
  }

  /// A tensor's first step with Adam is as long as the rate, whenever it comes.
  @Test func aLateTensorStartsAfresh() throws {
    var optimizer = Optimizer(.adam(), learningRate: 0.1)
    var (early, late) = (Tensor(zeros: [1]), Tensor(zeros: [1]))
    let gradient = Tensor(shape: [1], scalars: [0.3])
    for _ in 0..<50 {
      optimizer.beginStep()
      optimizer.update(.init(node: 0, parameter: 0), &early, gradient: gradient)
    }
    optimizer.beginStep()
    optimizer.update(.init(node: 1, parameter: 0), &late, gradient: gradient)
    expectClose(late.scalars, [-0.1], absolute: 1e-6)
  }

  @Test func partsHaveTheirOwnRates() throws {
    let network = try network()
    func changes(_ rates: PartRates) throws -> [Tensor] {
      var trainer = try trainer(network) {
        $0.rule = .sgd()
        $0.partRates = rates
      }
      let data = examples(8)
      _ = trainer.trainStep(data.features, labels: data.labels)
      return zip(network.nodes, trainer.network.nodes).dropFirst().map { old, new in
        let (old, new) = (old.layer.parameters[0].value, new.layer.parameters[0].value)
        return Tensor(
          shape: old.shape, scalars: zip(old.scalars, new.scalars).map { $0 - $1 })
      }
    }
    let plain = try changes(PartRates())
    let scaled = try changes(
      PartRates(scales: [.init(LayerSelection("low"), 0.5)], layerDecay: 0.1))
    // low_2 is the base's last layer.
    let factors: [Float] = [0.5 * 0.01, 0.5 * 0.1, 1]
    for (index, factor) in factors.enumerated() {
      #expect(plain[index].scalars.contains { abs($0) > 1e-5 })
      expectClose(
        scaled[index].scalars, plain[index].scalars.map { $0 * factor }, absolute: 1e-7,
        "layer \(index + 1)")
    }
    #expect(throws: LayerError.self) {
      try PartRates(scales: [.init(LayerSelection("hihg"), 0.5)]).factors(in: network)
    }
  }

  /// A loss that is no number names the layer, and the weights stay.
  @Test func namesTheLayerThatFirstGivesNoNumber() throws {
    var network = try network()
    network.updateLayer(at: 2) { $0.parameters[0].value.scalars[0] = 3e38 }
    network.updateLayer(at: 1) { $0.parameters[1].value.scalars = .init(repeating: 5, count: 6) }
    var trainer = try trainer(network)
    let error = #expect(throws: TrainingError.self) {
      try trainer.train(examples(), validation: nil) { _ in }
    }
    #expect(
      error?.description
        == "the loss is no longer a number in epoch 1, batch 1: the output of layer 'low_2' is the "
        + "first that is not finite")
    #expect(trainer.state.step == 0)
    #expect(trainer.lastGood == nil)
    network.updateLayer(at: 1) { $0.parameters[0].value.scalars[3] = .nan }
    var broken = try self.trainer(network)
    let other = #expect(throws: TrainingError.self) {
      try broken.train(examples(), validation: nil) { _ in }
    }
    #expect(
      other?.description.hasSuffix("the weights 'low_1/kernel' are not finite any more") == true)
  }

  /// Examples of which one turns into no number in a later epoch.
  private struct Spoiled: Examples {
    let whole: CachedExamples
    let epoch: Int
    var labels: [Int] { whole.labels }
    func values(at indices: [Int]) -> Tensor { whole.values(at: indices) }
    func forEachBatch(
      _ batches: [[Int]], epoch: Int, _ body: ([Int], Tensor, [LabelMixture?]) throws -> Void
    ) throws {
      for (index, batch) in batches.enumerated() {
        var values = whole.values(at: batch)
        if epoch == self.epoch, index == 1 { values.scalars[0] = .infinity }
        try body(batch, values, [])
      }
    }
  }

  @Test(arguments: [nil, 0.9]) func keepsTheLastGoodWeights(averaging: Float?) throws {
    let data = examples()
    var whole = try trainer(try network()) {
      $0.epochs = 3
      $0.averaging = averaging
    }
    _ = try whole.train(data, validation: nil) { _ in }
    var broken = try trainer(try network()) { $0.averaging = averaging }
    let error = #expect(throws: TrainingError.self) {
      try broken.train(Spoiled(whole: data, epoch: 4), validation: nil) { _ in }
    }
    #expect(
      error?.description.hasPrefix("the loss is no longer a number in epoch 4, batch 2") == true)
    #expect(error?.description.contains("'input', below all that is trained") == true)
    let good = try #require(broken.lastGood)
    #expect(good.epoch == 3)
    #expect(tensors(good.network) == tensors(whole.result))
  }

  @Test func theBestWeightsAreTakenAlsoAtTheLastEpoch() throws {
    let data = examples()
    // Far too high a rate in the end: what is best comes before.
    func run(_ epochs: Int, stops: Bool) throws -> (Trainer, [EpochResult]) {
      var trainer = try self.trainer(try network()) {
        $0.epochs = epochs
        $0.rule = .sgd()
        $0.learningRate = 4
        if stops { $0.stopping = StoppingRule(patience: 100) }
      }
      let history = try trainer.train(data, validation: examples(40)) { _ in }
      return (trainer, history)
    }
    let (trainer, history) = try run(6, stops: true)
    let losses = history.compactMap(\.validationLoss)
    #expect(losses.count == 6)
    let best = try #require(losses.indices.min { losses[$0] < losses[$1] }) + 1
    #expect(best < 6)
    #expect(trainer.bestEpoch == best)
    #expect(!trainer.hasStoppedEarly)
    let (until, _) = try run(best, stops: false)
    #expect(tensors(trainer.result) == tensors(until.network))
    #expect(tensors(trainer.result) != tensors(trainer.network))
  }

  private func tensors(_ network: Network) -> [Tensor] {
    network.nodes.flatMap { $0.layer.parameters.map(\.value) }
  }
}

/// Layers of photos' networks that come to be trained one after the other.
struct UnfreezingTests {
  private func tuning(
    _ schedule: String, _ folder: PhotoFolder, stopping: StoppingRule? = nil
  ) throws -> FineTuning {
    let loader = PhotoLoader(height: 32, width: 32, preprocessing: .rescale)
    let model = try ClassifierModel(
      new: .tlMini, classNames: folder.classNames, loader: loader, seed: 1)
    var settings = TrainingSettings(batchSize: 7, rule: .adam(), learningRate: 1e-3, seed: 2)
    settings.stopping = stopping
    return try FineTuning(
      model: model, trained: TrainableLayers(freeze: LayerSelection("block4_conv2")),
      schedule: UnfreezingSchedule(schedule), settings: settings, photosAtOnce: 5, isStrict: true,
      cacheLimit: 1 << 30)
  }

  private func folder() throws -> PhotoFolder {
    try PhotoFolder(labelled: Locations.tests("TLCommandsTests/Fixtures/photos/train"))
  }

  @Test func readsWhatIsWritten() throws {
    let schedule = try UnfreezingSchedule("head:5, block5:10,from:block4_conv1+block1:2")
    #expect(schedule.text == "head:5, block5:10, from:block4_conv1+block1:2")
    #expect(schedule.epochs == 17)
    #expect(schedule.steps[2].layers == LayerSelection("from:block4_conv1,block1"))
    for wrong in ["", "head", "head:0", "head:x", ":5", "head:5,", "head:-1"] {
      #expect(throws: TrainingError.self, "\(wrong)") { try UnfreezingSchedule(wrong) }
    }
  }

  @Test func eachStageTrainsItsLayersAndNoOthers() throws {
    let folder = try folder()
    let tuning = try tuning("head:1, block5:2, block4:1", folder)
    #expect(
      tuning.stages.map(\.trainedParts) == [
        ["the head"], ["block5_conv1", "block5_conv2", "the head"],
        ["block4_conv1", "block5_conv1", "block5_conv2", "the head"],
      ])
    #expect(tuning.stages.map(\.boundary.name) == ["avg_pool", "block4_pool", "block3_pool"])
    var epochs: [(stage: Int, of: Int)] = []
    var stage = 0
    let result = try tuning.run(folder, validation: nil) { event in
      if case .stage(_, let index, _, _) = event { stage = index }
      if case .training(.epoch(_, let total)) = event { epochs.append((stage, total)) }
    }
    #expect(epochs.map(\.stage) == [0, 1, 1, 2])
    #expect(epochs.allSatisfy { $0.of == 4 })
    // Of block4 and block5 three kernels and biases, and the head's two.
    #expect(result.proof.baseTrained == 6)
    #expect(result.proof.headTrained == 2)
    #expect(
      result.proof.rows.filter { $0.tensor.hasPrefix("block4_conv2") }.allSatisfy { !$0.hasChanged }
    )
    #expect(result.model.history.last?.unfreezing == "head:1, block5:2, block4:1")
    #expect(result.model.history.last?.epochs.count == 4)
  }

  /// An end for lack of gain ends the stage, not the run.
  @Test func anEarlyStopLeadsToTheNextStage() throws {
    let folder = try folder()
    let tuning = try tuning(
      "head:4, block5:2", folder, stopping: StoppingRule(patience: 0, minimumDelta: 100))
    let result = try tuning.run(folder, validation: folder) { _ in }
    // Nothing gains 100: the first stage stops after its second epoch, the next after its first.
    #expect(result.model.history.last?.epochs.count == 3)
    #expect(result.model.history.last?.bestEpoch == 1)
  }

  /// From a checkpoint in any stage the run ends as it would have.
  @Test func goesOnFromAnyStage() throws {
    let folder = try folder()
    let tuning = try tuning("head:1, block5:2, block4:1", folder)
    try Locations.withTemporaryFolder { place in
      let path = place.appending(path: "checkpoint.h5").path
      var kept: [TrainingCheckpoint] = []
      let keeper = RunKeeper(path, interval: .zero)
      let whole = try tuning.run(folder, validation: nil, keeper: keeper) { event in
        if case .training(.batch) = event { kept.append(try CheckpointFile.read(path)) }
      }
      #expect(kept.count == 16)
      for checkpoint in [kept[1], kept[3], kept[5], kept[11], kept[13]] {
        let keeper = RunKeeper(path, resuming: checkpoint)
        let rest = try tuning.run(folder, validation: nil, keeper: keeper) { _ in }
        #expect(rest.model.history == whole.model.history)
        for (one, other) in zip(rest.model.network.nodes, whole.model.network.nodes) {
          #expect(one.layer.parameters.map(\.value) == other.layer.parameters.map(\.value))
          #expect(one.isTrainable == other.isTrainable)
        }
        #expect(rest.proof == whole.proof)
      }
    }
  }
}
