package import Compute
import Layers

/// All that a training run needs to go on as if it had never stopped, bit for bit.
///
/// Tensors are known by `<scope>/<layer>/<parameter>`, such as `dense_1/kernel`, in the network's
/// order. What is not here is the same whenever a run is set up alike: the settings, the photos and
/// how they are changed at random, which depends on the seed, the epoch and the path alone.
package struct TrainingState: Sendable, Equatable {
  package struct NamedTensor: Sendable, Equatable {
    package var name: String
    package var tensor: Tensor

    package init(_ name: String, _ tensor: Tensor) {
      self.name = name
      self.tensor = tensor
    }
  }

  /// What the optimizer remembers of one tensor.
  package struct Slot: Sendable, Equatable {
    /// The tensor's name.
    package var parameter: String
    /// How many steps it has had.
    package var steps: Int
    /// Under Keras's names, such as `velocity`; each has the tensor's shape.
    package var tensors: [NamedTensor]

    package init(parameter: String, steps: Int, tensors: [NamedTensor]) {
      self.parameter = parameter
      self.steps = steps
      self.tensors = tensors
    }
  }

  /// A place within an epoch.
  package struct Position: Sendable, Equatable {
    /// The order in which this epoch takes the examples.
    package var order: [Int]
    /// How many batches are done.
    package var batches = 0
    /// How many examples are done, and how many of them were right.
    package var examples = 0
    package var right = 0
    /// The sum of the losses of the examples that are done.
    package var loss = 0.0
    /// How long the epoch has taken; not part of what is compared.
    package var seconds = 0.0

    package init(order: [Int]) { self.order = order }

    package static func == (one: Position, other: Position) -> Bool {
      one.order == other.order && one.batches == other.batches && one.examples == other.examples
        && one.right == other.right && one.loss == other.loss
    }
  }

  /// The tensors that did best by what is watched.
  package struct Best: Sendable, Equatable {
    package var epoch: Int
    package var value: Double
    package var parameters: [NamedTensor]

    package init(epoch: Int, value: Double, parameters: [NamedTensor]) {
      self.epoch = epoch
      self.value = value
      self.parameters = parameters
    }
  }

  /// Every tensor of the network.
  package var parameters: [NamedTensor]
  /// The optimizer's rule by name.
  package var rule: String
  /// How many steps the optimizer has made.
  package var step: Int
  /// Of every tensor that has had a step.
  package var slots: [Slot]
  /// The four words of the generator that draws order and dropout.
  package var random: [UInt64]
  /// The finished epochs.
  package var history: [EpochResult]
  /// Where the next epoch stands, or nil before its first batch.
  package var position: Position?
  /// The epochs after which other layers came to be trained, where those change within a run.
  package var stageEnds: [Int] = []
  package var best: Best?
  package var plateau = PlateauCounters()
  package var stopping = StoppingCounters()
  /// The moving averages of the tensors that have been trained, or nothing.
  package var averages: [NamedTensor] = []

  /// How many epochs are finished.
  package var epoch: Int { history.count }

  package init(
    parameters: [NamedTensor], rule: String, step: Int, slots: [Slot], random: [UInt64],
    history: [EpochResult]
  ) {
    self.parameters = parameters
    self.rule = rule
    self.step = step
    self.slots = slots
    self.random = random
    self.history = history
  }
}

/// Where the reduction of the rate on a plateau stands.
package struct PlateauCounters: Sendable, Equatable, Codable {
  /// The best value so far; nil before the first epoch.
  package var best: Double?
  /// Epochs without a better value.
  package var wait = 0
  /// Epochs left in which nothing is counted.
  package var cooldown = 0
  /// What the learning rate is multiplied by.
  package var factor = 1.0

  package init() {}
}

/// Where early stopping stands.
package struct StoppingCounters: Sendable, Equatable, Codable {
  /// The best value so far; nil before the first epoch.
  package var best: Double?
  /// Epochs without a better value.
  package var wait = 0
  /// Whether the run is over.
  package var hasStopped = false

  package init() {}
}

/// The names of a network's tensors in a `TrainingState`, by node and parameter.
struct TensorNames {
  /// In the network's order.
  let keys: [(key: Optimizer.Key, name: String)]
  private let byName: [String: Optimizer.Key]

  init(_ network: Network) {
    var keys: [(Optimizer.Key, String)] = []
    for (index, node) in network.nodes.enumerated() where node.sharedWith == nil {
      for (parameter, tensor) in node.layer.parameters.enumerated() {
        let name = (node.scope + [node.name, tensor.name]).joined(separator: "/")
        keys.append((.init(node: index, parameter: parameter), name))
      }
    }
    self.keys = keys
    byName = Dictionary(keys.map { ($0.1, $0.0) }, uniquingKeysWith: { first, _ in first })
  }

  func key(_ name: String) throws -> Optimizer.Key {
    guard let key = byName[name] else { throw TrainingError.otherState("a tensor '\(name)'") }
    return key
  }
}

extension Network {
  subscript(key: Optimizer.Key) -> Tensor {
    nodes[key.node].layer.parameters[key.parameter].value
  }

  /// Every tensor by name.
  var namedTensors: [TrainingState.NamedTensor] {
    TensorNames(self).keys.map { .init($0.name, self[$0.key]) }
  }

  /// Takes over tensors by name; throws where one is unknown or of another shape.
  mutating func take(_ tensors: [TrainingState.NamedTensor]) throws {
    let names = TensorNames(self)
    for named in tensors {
      let key = try names.key(named.name)
      let shape = self[key].shape
      guard named.tensor.shape == shape else {
        throw TrainingError.otherState(
          "'\(named.name)' of shape \(named.tensor.shape), where the network has \(shape)")
      }
      updateLayer(at: key.node) { $0.parameters[key.parameter].value = named.tensor }
    }
  }
}
