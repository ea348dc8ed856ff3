import Compute
import Foundation
import Images
package import Layers

/// Writes a run's checkpoint while it trains, and leads a run that goes on to where it stood.
///
/// A run goes through the same phases whether it is new or goes on: it asks `begin` in each. The
/// state is kept after every epoch, and within long ones from time to time, but so that writing
/// takes a fiftieth of the time at most: where an epoch takes less than writing fifty times over,
/// some are passed over.
package final class RunKeeper {
  package let path: String
  /// How long an epoch may go on without being kept.
  private let interval: Duration
  /// Whether the user has asked to stop, so that now is the last chance.
  private let isStopping: () -> Bool
  private var resumed: TrainingCheckpoint?
  private var phase = -1
  private var finished: [TrainingRun] = []
  /// The names of all tensors that the run has had to train.
  private var names: Set<String> = []
  private var digests: [String: String] = [:]
  private var photos = ""
  private var lastEnd = ContinuousClock.now
  private var lastCost = Duration.zero
  private var lastEpoch: Int?
  private static let share = 50

  /// - Parameters:
  ///   - resumed: what an earlier process left at `path`.
  ///   - interval: how long an epoch may go on without being kept.
  ///   - isStopping: asked after every batch.
  package init(
    _ path: String, resuming resumed: TrainingCheckpoint? = nil,
    interval: Duration = .seconds(600), isStopping: @escaping () -> Bool = { false }
  ) {
    self.path = path
    self.resumed = resumed
    self.interval = interval
    self.isStopping = isStopping
  }

  /// A digest of photos, their order and their classes.
  package static func digest(of fingerprints: [String], labels: [Int]) -> String {
    let lines = zip(fingerprints, labels).map { "\($0) \($1)\n" }.joined()
    return PhotoFingerprint.sha256(Array(lines.utf8))
  }

  /// What the next phase did if an earlier process finished it, nil if not; then the phase counts as
  /// begun, and needs no photos.
  package func skipFinishedPhase(_ network: Network) -> TrainingRun? {
    guard let resumed, resumed.phase > phase + 1, resumed.finished.count > phase + 1 else {
      return nil
    }
    phase += 1
    names.formUnion(network.namesToTrain)
    finished.append(resumed.finished[phase])
    return resumed.finished[phase]
  }

  /// The state that the next phase goes on from; nil where it starts.
  package var upcoming: TrainingState? {
    resumed.flatMap { $0.phase == phase + 1 ? $0.state : nil }
  }

  /// Begins the next phase.
  ///
  /// Throws `CheckpointError` where the checkpoint is of other photos or of another network.
  /// - Parameters:
  ///   - network: as it is before the phase, with the layers to train marked.
  ///   - photos: a digest of what it trains and validates on.
  /// - Returns: the state to go on from and the digests before the phase; nil for a fresh phase.
  package func begin(
    _ network: Network, photos: String
  ) throws -> (state: TrainingState, digests: [[String]])? {
    phase += 1
    names.formUnion(network.namesToTrain)
    self.photos = photos
    lastEpoch = nil
    guard let checkpoint = resumed, checkpoint.phase == phase else {
      digests = network.namedDigests
      return nil
    }
    resumed = nil
    guard checkpoint.photos == photos else { throw CheckpointError.otherPhotos(path) }
    let found = network.namedDigests
    for (name, digest) in found.sorted(by: { $0.key < $1.key })
    where !names.contains(name) && checkpoint.digests[name] != digest {
      throw CheckpointError.otherTensor(path, tensor: name)
    }
    guard let before = network.digests(by: checkpoint.digests) else {
      throw CheckpointError.cannotRead(path, reason: "it is of another network")
    }
    digests = checkpoint.digests
    return (checkpoint.state, before)
  }

  /// Ends the phase, whose last state is kept however short its epochs were.
  package func end(_ run: TrainingRun, _ state: TrainingState) throws {
    if lastEpoch != state.epoch { try keep(state) }
    finished.append(run)
  }

  /// Writes the state at once, as before the first epoch, where it shows whether it can be written.
  package func keep(_ state: TrainingState) throws {
    let start = ContinuousClock.now
    if lastEpoch == nil { try requireSpace(for: state) }
    var state = state
    state.parameters.removeAll { !names.contains($0.name) }
    let checkpoint = TrainingCheckpoint(
      phase: phase, finished: finished, digests: digests, state: state, photos: photos,
      kernels: KernelTable.current.name)
    do {
      try CheckpointFile.write(checkpoint, to: path)
    } catch {
      throw CheckpointError.cannotWrite(
        path, reason: Self.reason(error), kept: lastEpoch.map { "that of epoch \($0)" })
    }
    lastEpoch = state.epoch
    lastEnd = ContinuousClock.now
    lastCost = lastEnd - start
  }

  /// What a trainer offers its state to.
  package func offer(_ moment: TrainingMoment, _ state: () -> TrainingState) throws {
    let since = ContinuousClock.now - lastEnd
    switch moment {
    case .epoch where since >= lastCost * Self.share: break
    case .epoch where isStopping(): break
    case .batch where since >= interval || isStopping(): break
    default: return
    }
    try keep(state())
  }

  /// Throws where the disk cannot hold what the run will write: a checkpoint with all that the
  /// optimizer will remember, the next one beside it, and the model.
  private func requireSpace(for state: TrainingState) throws {
    func bytes(_ tensors: [TrainingState.NamedTensor]) -> Int {
      tensors.reduce(0) { $0 + 4 * $1.tensor.scalars.count }
    }
    let slots = Optimizer.Rule(name: state.rule)?.slotNames.count ?? 0
    let kept = bytes(state.parameters.filter { names.contains($0.name) }) * (1 + slots)
    let needed = 2 * kept + bytes(state.parameters)
    let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
    let facts = try? FileManager.default.attributesOfFileSystem(forPath: folder)
    guard let free = (facts?[.systemFreeSize] as? NSNumber)?.intValue, free < needed else { return }
    throw CheckpointError.noSpace(path, needed: needed, free: free)
  }

  private static func reason(_ error: any Error) -> String {
    let text = "\(error)"
    // The temporary name says nothing to the user.
    guard let colon = text.range(of: ": ", options: .backwards) else { return text }
    return String(text[colon.upperBound...].replacing(#/^errno = \d+, /#, with: ""))
  }
}
