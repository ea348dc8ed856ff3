import Compute
import Foundation
import Layers
import TestSupport
import Testing
import Training

/// Checkpoints come back as they were written or are refused.
struct CheckpointTests {
  private func tensor(_ shape: [Int], _ start: Float) -> Tensor {
    Tensor(shape: shape, scalars: (0..<shape.reduce(1, *)).map { start + Float($0) / 3 })
  }

  /// A state in which nothing has its default value.
  private func checkpoint() -> TrainingCheckpoint {
    let names = ["inner/dense/kernel", "dense_1/bias"]
    func tensors(_ start: Float) -> [TrainingState.NamedTensor] {
      [.init(names[0], tensor([3, 4], start)), .init(names[1], tensor([4], -start))]
    }
    let epochs = [
      EpochResult(
        epoch: 1, loss: 0.1 + 0.2, accuracy: 1.0 / 3, validationLoss: .infinity,
        validationAccuracy: 0.5, learningRate: 1e-5, seconds: 1.25),
      EpochResult(epoch: 2, loss: 1e-300, accuracy: 1),
    ]
    var state = TrainingState(
      parameters: tensors(1), rule: "adam", step: 17,
      slots: [
        .init(
          parameter: names[0], steps: 16,
          tensors: [.init("m", tensor([3, 4], 5)), .init("v", tensor([3, 4], 6))])
      ], random: [1, .max, 1 << 63, 0], history: epochs)
    var position = TrainingState.Position(order: [2, 0, 1])
    (position.batches, position.examples, position.right, position.loss) = (1, 2, 1, 0.7)
    state.position = position
    state.best = .init(epoch: 1, value: 0.1, parameters: tensors(7))
    state.plateau.best = 0.3
    state.plateau.factor = 0.1
    state.stopping.wait = 2
    state.averages = tensors(9)
    let run = TrainingRun(
      command: "fine-tune", trained: "the head", settings: TrainingSettings(), photos: 3,
      proof: "1 tensor", epochs: epochs)
    return TrainingCheckpoint(
      phase: 1, finished: [run], digests: ["inner/dense/kernel": "abc"], state: state,
      photos: "def", kernels: "scalar")
  }

  @Test func comesBackAsWritten() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "checkpoint.h5").path
      let written = checkpoint()
      try CheckpointFile.write(written, to: path)
      let read = try CheckpointFile.read(path)
      #expect(read == written)
      #expect(read.state.history.map(\.seconds) == [1.25, nil])
      // Without a position and all that is optional.
      var small = written
      small.state.position = nil
      small.state.best = nil
      small.state.averages = []
      small.state.slots = []
      try CheckpointFile.write(small, to: path)
      #expect(try CheckpointFile.read(path) == small)
    }
  }

  @Test func everyDamageIsNoticed() throws {
    try Locations.withTemporaryFolder { folder in
      let file = folder.appending(path: "checkpoint.h5")
      try CheckpointFile.write(checkpoint(), to: file.path)
      let whole = try Data(contentsOf: file)
      var random = SeededRandom(seed: 3)
      for _ in 0..<200 {
        var damaged = whole
        damaged[Int.random(in: 0..<whole.count, using: &random)] ^=
          1
          << UInt8.random(
            in: 0..<8, using: &random)
        try damaged.write(to: file)
        #expect(throws: CheckpointError.self) { try CheckpointFile.read(file.path) }
      }
      for length in [0, 1, 50, 95, 96, whole.count / 2, whole.count - 1] {
        try whole.prefix(length).write(to: file)
        #expect(throws: CheckpointError.self) { try CheckpointFile.read(file.path) }
      }
      #expect(throws: CheckpointError.self) { try CheckpointFile.read(folder.path + "/none.h5") }
      try whole.write(to: file)
      #expect(try CheckpointFile.read(file.path) == checkpoint())
    }
  }

  @Test func aFolderHasOneRun() throws {
    try Locations.withTemporaryFolder { folder in
      let first = try RunLock(folder.path)
      #expect(throws: CheckpointError.inUse(folder.path)) { try RunLock(folder.path) }
      withExtendedLifetime(first) {}
    }
    try Locations.withTemporaryFolder { folder in
      do { _ = try RunLock(folder.path) }
      _ = try RunLock(folder.path)
    }
  }

  private func network(seed: UInt64) throws -> Network {
    var network = Network(name: "all", inputShape: [4], inputName: "input")
    var random = SeededRandom(seed: seed)
    let start = try network.add(
      Dense(
        name: "below", kernel: Tensor(zeros: [4, 3]), bias: Tensor(zeros: [3]), activation: .relu))
    let head = try network.add(
      Dense(
        name: "above", kernel: Tensor(zeros: [3, 1]), bias: Tensor(zeros: [1]),
        activation: .sigmoid))
    network.initialize(random: &random) { $0 >= start }
    network.setTrainable([head])
    return network
  }

  private func state(_ network: Network) throws -> TrainingState {
    try Trainer(
      network: network, loss: .binaryCrossentropy, settings: TrainingSettings(epochs: 3)
    ).state
  }

  @Test func aRunGoesOnWhereItStood() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "checkpoint.h5").path
      let network = try network(seed: 1)
      let run = TrainingRun(
        command: "head", trained: "the head", settings: TrainingSettings(), photos: 2, proof: "",
        epochs: [])
      let first = RunKeeper(path)
      #expect(first.skipFinishedPhase(network) == nil)
      #expect(try first.begin(network, photos: "a") == nil)
      let state = try state(network)
      try first.keep(state)
      // What is frozen is not kept: it comes from the base.
      #expect(
        try CheckpointFile.read(path).state.parameters.map(\.name) == [
          "above/kernel", "above/bias",
        ])
      try first.end(run, state)
      #expect(try first.begin(network, photos: "a") == nil)
      try first.keep(state)

      let again = RunKeeper(path, resuming: try CheckpointFile.read(path))
      #expect(again.skipFinishedPhase(network) == run)
      let going = try #require(try again.begin(network, photos: "a"))
      #expect(going.state.step == state.step)
      #expect(going.digests == FreezeProof.digests(network))
      #expect(try again.begin(network, photos: "a") == nil)
    }
  }

  @Test func refusesOtherPhotosAndAnotherBase() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "checkpoint.h5").path
      let network = try network(seed: 1)
      let keeper = RunKeeper(path)
      _ = try keeper.begin(network, photos: "a")
      try keeper.keep(try state(network))
      let kept = try CheckpointFile.read(path)
      #expect(throws: CheckpointError.otherPhotos(path)) {
        try RunKeeper(path, resuming: kept).begin(network, photos: "b")
      }
      let other = try self.network(seed: 2)
      #expect(throws: CheckpointError.otherTensor(path, tensor: "below/kernel")) {
        try RunKeeper(path, resuming: kept).begin(other, photos: "a")
      }
    }
  }

  @Test func failingToWriteSaysWhatIsKept() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.appending(path: "gone/checkpoint.h5").path
      let network = try network(seed: 1)
      let keeper = RunKeeper(path)
      _ = try keeper.begin(network, photos: "a")
      let error = try #require(throws: CheckpointError.self) {
        try keeper.keep(try state(network))
      }
      #expect("\(error)".hasSuffix("nothing was trained"), "\(error)")
    }
  }
}
