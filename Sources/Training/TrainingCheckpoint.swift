import Layers

/// What is kept of a run so that it can go on as if it had never stopped.
///
/// A run has phases, such as the training of a head before fine-tuning; each trains by itself.
package struct TrainingCheckpoint: Sendable, Equatable {
  /// The phase that the state is of, counted from 0.
  package var phase: Int
  /// What the phases before it did.
  package var finished: [TrainingRun]
  /// The digest of every tensor before this phase, by name.
  package var digests: [String: String]
  /// Of all tensors only those that the run has had to train so far.
  package var state: TrainingState
  /// A digest of the photos, their order and their classes.
  package var photos: String
  /// The kernels that computed it: others give other last bits.
  package var kernels: String

  package init(
    phase: Int, finished: [TrainingRun], digests: [String: String], state: TrainingState,
    photos: String, kernels: String
  ) {
    self.phase = phase
    self.finished = finished
    self.digests = digests
    self.state = state
    self.photos = photos
    self.kernels = kernels
  }
}

/// Why a run cannot go on from a checkpoint; `description` is one line.
package enum CheckpointError: Error, CustomStringConvertible, Equatable {
  case cannotRead(String, reason: String)
  case damaged(String, expected: String, found: String)
  case cannotWrite(String, reason: String, kept: String?)
  case noSpace(String, needed: Int, free: Int)
  case otherPhotos(String)
  case otherTensor(String, tensor: String)
  case inUse(String)

  package var description: String {
    switch self {
    case .cannotRead(let path, let reason): "cannot go on from '\(path)': \(reason)"
    case .damaged(let path, let expected, let found):
      "cannot go on from '\(path)', which is damaged: expected the checksum "
        + "\(expected.prefix(12)), found \(found.prefix(12))"
    case .cannotWrite(let path, let reason, let kept):
      "cannot write the checkpoint '\(path)': \(reason)"
        + (kept.map { "; \($0) is kept" } ?? "; nothing was trained")
    case .noSpace(let path, let needed, let free):
      "there is no room for the run's files beside '\(path)': expected \(needed / 1_000_000) MB, "
        + "found \(free / 1_000_000) MB"
    case .otherPhotos(let path):
      "cannot go on from '\(path)': the photos, their order or their classes have changed since"
    case .otherTensor(let path, let tensor):
      "cannot go on from '\(path)': '\(tensor)' of the base is not what it was"
    case .inUse(let folder):
      "'\(folder)' is in use: another run is writing into it"
    }
  }
}

extension Network {
  /// The digest of every tensor by name.
  var namedDigests: [String: String] {
    let digests = FreezeProof.digests(self)
    return Dictionary(
      TensorNames(self).keys.map { ($0.name, digests[$0.key.node][$0.key.parameter]) },
      uniquingKeysWith: { first, _ in first })
  }

  /// The names of the tensors of layers to be trained, moving statistics included.
  var namesToTrain: Set<String> {
    Set(TensorNames(self).keys.filter { nodes[$0.key.node].isTrainable }.map(\.name))
  }

  /// `namedDigests` as `FreezeProof` takes them; nil where a tensor has none.
  func digests(by name: [String: String]) -> [[String]]? {
    var digests = nodes.map { _ in [String]() }
    for (key, tensor) in TensorNames(self).keys {
      guard let digest = name[tensor] else { return nil }
      digests[key.node].append(digest)
    }
    return digests
  }
}
