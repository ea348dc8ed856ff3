import Compute
import Foundation
package import Images

/// How a learning rate is looked for: a step at each of many rates, from low to high (Smith 2017,
/// arXiv:1506.01186), evenly spaced by their logarithm.
package struct RateSearch: Sendable, Equatable {
  package var lowest: Double
  package var highest: Double
  package var steps: Int

  package init(lowest: Double = 1e-7, highest: Double = 1, steps: Int = 100) {
    precondition(
      lowest > 0 && highest > lowest && steps > 1, "a search needs steps from a low to a high rate")
    self.lowest = lowest
    self.highest = highest
    self.steps = steps
  }

  package func rate(_ step: Int) -> Double {
    lowest * pow(highest / lowest, Double(step) / Double(steps - 1))
  }
}

/// The loss at each learning rate.
package struct RateCurve: Sendable, Equatable {
  package struct Point: Sendable, Equatable, Codable {
    package let rate: Double
    /// Of the one batch, before its step.
    package let loss: Double
    /// The mean of it and those before, the last counting most.
    package let smoothed: Double
  }

  package private(set) var points: [Point] = []
  /// Whether the loss rose so much that higher rates were not tried.
  package private(set) var hasDiverged = false
  private var mean = 0.0

  /// What is kept of the mean from step to step.
  private static let keep = 0.9

  package init() {}

  /// Takes the loss of a step; says whether to go on.
  package mutating func add(rate: Double, loss: Double) -> Bool {
    guard loss.isFinite else {
      hasDiverged = true
      return false
    }
    mean = Self.keep * mean + (1 - Self.keep) * loss
    let smoothed = mean / (1 - pow(Self.keep, Double(points.count + 1)))
    points.append(Point(rate: rate, loss: loss, smoothed: smoothed))
    let best = points.map(\.smoothed).min() ?? smoothed
    // The first losses are too few to tell.
    hasDiverged = points.count > Self.start && smoothed > 3 * best
    return !hasDiverged
  }

  /// The point where the smoothed loss is lowest, of those that can be trusted.
  package var lowest: Point? {
    points.dropFirst(Self.start).min { $0.smoothed < $1.smoothed }
  }

  /// How many losses come before the first that is trusted.
  private static let start = 10

  /// The rate at which the loss falls fastest, over the logarithm of the rate; nil where it does not
  /// fall by a tenth.
  package var suggestion: Double? {
    guard points.count > Self.start, let lowest, let end = points.firstIndex(of: lowest) else {
      return nil
    }
    let first = points.prefix(Self.start).reduce(0) { $0 + $1.loss } / Double(Self.start)
    guard lowest.smoothed < 0.9 * first else { return nil }
    let width = 3
    let inner = points.indices.filter {
      $0 >= Self.start && $0 <= end && $0 + width < points.count
    }
    func slope(_ index: Int) -> Double {
      let (before, after) = (points[index - width], points[index + width])
      return (after.smoothed - before.smoothed) / log(after.rate / before.rate)
    }
    return inner.min { slope($0) < slope($1) }.map { points[$0].rate }
  }
}

extension FineTuning {
  /// Trains with ever higher rates until the loss diverges; what is trained is thrown away.
  ///
  /// - Parameter report: may throw to stop.
  package func findLearningRate(
    _ folder: PhotoFolder, _ search: RateSearch, report: (Event) throws -> Void
  ) throws -> RateCurve {
    var trainer = try Trainer(network: model.network, loss: model.loss, settings: settings)
    let data = try prepared(0, model.network, folder, nil, PhotoWait(), report)
    let examples = data.examples
    trainer.classWeights = try settings.classWeighting?.weights(
      labels: examples.labels, classNames: model.classNames)
    var random = SeededRandom(seed: settings.seed)
    var curve = RateCurve()
    var epoch = 0
    while curve.points.count < search.steps, !curve.hasDiverged {
      epoch += 1
      let order = Array(0..<examples.count).shuffled(using: &random)
      let batches = stride(from: 0, to: order.count, by: settings.batchSize).map {
        Array(order[$0..<min($0 + settings.batchSize, order.count)])
      }
      // Steps that are not made anew: an epoch's last ones.
      let left = Array(batches.prefix(search.steps - curve.points.count))
      try examples.forEachBatch(left, epoch: epoch) { indices, values, mixtures in
        guard !curve.hasDiverged else { return }
        let rate = search.rate(curve.points.count)
        let step = trainer.trainStep(
          values, labels: indices.map { examples.labels[$0] }, mixtures: mixtures,
          rate: Float(rate))
        _ = curve.add(rate: rate, loss: step.loss)
        try report(
          .training(
            .batch(
              epoch: 1, done: curve.points.count, of: search.steps, loss: step.loss, accuracy: 0)))
      }
    }
    return curve
  }
}
