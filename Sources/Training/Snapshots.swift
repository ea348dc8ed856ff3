import Layers

/// Networks of earlier epochs that may still be wanted; what did not change since is shared.
struct Snapshots: Sendable {
  struct Snapshot: Sendable {
    let epoch: Int
    let value: Double
    let network: Network
  }

  /// The best by what is watched.
  var best: Snapshot?
  /// The last that is known to give finite numbers.
  private(set) var good: Snapshot?
  /// A later one whose first use will tell.
  private var candidate: Snapshot?

  mutating func note(_ snapshot: Snapshot, isConfirmed: Bool) {
    candidate = snapshot
    if isConfirmed { confirm() }
  }

  /// The candidate's weights have just given finite numbers.
  mutating func confirm() {
    guard let candidate else { return }
    good = candidate
    self.candidate = nil
  }
}
