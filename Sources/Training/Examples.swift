package import Compute
package import Images

/// Examples as the network's frozen prefix leaves them, in an order that can be drawn from.
package protocol Examples {
  var labels: [Int] { get }
  /// The prefix's output `[indices.count, ...]` for the given examples.
  func values(at indices: [Int]) throws -> Tensor
  /// Those of the given examples that can still be read, and the prefix's output for them.
  func readable(at indices: [Int]) throws -> (indices: [Int], values: Tensor)
  /// Calls `body` with each batch of examples and the prefix's output for it, in the order given.
  ///
  /// - Parameters:
  ///   - epoch: counted from 1; examples may look different in each.
  ///   - body: gets what other classes have a share in the examples, nothing if none has.
  func forEachBatch(
    _ batches: [[Int]], epoch: Int, _ body: ([Int], Tensor, [LabelMixture?]) throws -> Void
  ) throws
}

extension Examples {
  package func forEachBatch(
    _ batches: [[Int]], epoch: Int, _ body: ([Int], Tensor, [LabelMixture?]) throws -> Void
  ) throws {
    for indices in batches { try body(indices, values(at: indices), []) }
  }

  package func readable(at indices: [Int]) throws -> (indices: [Int], values: Tensor) {
    (indices, try values(at: indices))
  }

  package var count: Int { labels.count }
}

/// Examples whose prefix outputs are all in memory.
package struct CachedExamples: Examples, Sendable {
  package let features: Tensor
  package let labels: [Int]

  package init(features: Tensor, labels: [Int]) {
    precondition(features.shape[0] == labels.count, "one label a row is needed")
    self.features = features
    self.labels = labels
  }

  package func values(at indices: [Int]) -> Tensor { features.gatheringRows(indices) }

  /// The same examples with rows of another shape of the same count.
  package func reshaped(_ rowShape: [Int]) -> CachedExamples {
    CachedExamples(features: features.reshaped([count] + rowShape), labels: labels)
  }
}
