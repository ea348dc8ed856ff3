import Foundation
import HDF5
import TestSupport
import Testing
import Training

/// Metrics against scikit-learn's, see `Tests/Reference/make_metric_goldens.py`.
struct MetricsTests {
  static let cases = [
    "two", "two_ties", "two_one_sided", "two_perfect", "two_always_wrong", "two_never_predicted",
    "five", "five_ties", "five_absent", "five_absent_everywhere", "five_never_predicted", "twelve",
  ]

  private func golden<R>(_ name: String, _ body: (HDF5Group) throws -> R) throws -> R {
    let file = try HDF5File.open(Bundle.module.path(to: "Goldens/metrics.h5"))
    defer { try? file.close() }
    return try body(file.root.group(name))
  }

  private func predictions(_ group: HDF5Group) throws -> Predictions {
    let probabilities = try group.tensor("probabilities")
    let labels = try group.integers("labels")
    let classes = probabilities.shape[1]
    return Predictions(
      classNames: (0..<classes).map { "c\($0)" },
      rows: labels.indices.map { row in
        Predictions.Row(
          path: "\(row).jpg", label: labels[row],
          probabilities: Array(probabilities.scalars[row * classes..<(row + 1) * classes]))
      })
  }

  private func expectEqual(
    _ metric: Metric?, _ expected: Double, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let metric = try #require(metric, sourceLocation: sourceLocation)
    if expected.isNaN {
      #expect(metric.value == nil, "\(metric.name)", sourceLocation: sourceLocation)
      return
    }
    let value = try #require(metric.value, "\(metric.name)", sourceLocation: sourceLocation)
    // The losses are Float logarithms of clipped Floats there and of Doubles here.
    #expect(
      abs(value - expected) <= 1e-9 + (metric.name == "loss" ? 1e-6 * expected : 0),
      "\(metric.name): \(value), expected \(expected)", sourceLocation: sourceLocation)
  }

  @Test(arguments: cases) func areThoseOfScikitLearn(name: String) throws {
    try golden(name) { group in
      let predictions = try predictions(group)
      let topK = try #require(try group.attributes.integer("top_k"))
      let metrics = Metrics(predictions, topK: Int(topK))
      for metric in metrics.overall {
        let expected = try #require(try group.attributes.double(metric.name), "\(metric.name)")
        try expectEqual(metric, expected)
      }
      let expected = try group.dataset("classes").readDoubles()
      for (number, key) in ["precision", "recall", "f1", "roc_auc"].enumerated() {
        for (index, row) in metrics.classes.enumerated() {
          try expectEqual(
            row.all.first { $0.name.hasPrefix(key + "[") },
            expected[number * metrics.classes.count + index])
        }
      }
      #expect(try predictions.confusion.joined().map { $0 } == group.integers("confusion"))
      let curve = try group.dataset("curve").readDoubles()
      for (index, bin) in metrics.calibration.bins.enumerated() {
        #expect(Double(bin.count) == curve[index * 3])
        guard bin.count > 0 else { continue }
        #expect(abs(try #require(bin.confidence) - curve[index * 3 + 1]) < 1e-12)
        #expect(abs(try #require(bin.accuracy) - curve[index * 3 + 2]) < 1e-12)
      }
      let interval = try #require(metrics[name: "accuracy"]?.interval)
      let bounds = try #require(try group.attributes.doubles("interval"))
      #expect(abs(interval.lowerBound - bounds[0]) < 1e-6)
      #expect(abs(interval.upperBound - bounds[1]) < 1e-6)
    }
  }

  @Test func namesAreThoseOfTheNumbers() throws {
    try golden("five") { group in
      let predictions = try predictions(group)
      #expect(
        Metrics(predictions, topK: 2).all.map(\.name)
          == Metrics.names(predictions.classNames, topK: 2))
      #expect(Metrics.names(["a", "b"]).contains("roc_auc[b]"))
      #expect(!Metrics.names(["a", "b"]).contains("top_5_accuracy"))
      #expect(Metrics.names((0..<6).map { "\($0)" }).contains("top_5_accuracy"))
    }
  }

  /// The bootstrap's intervals hold their values and come closer with more photos, as 1/sqrt(n).
  @Test func intervalsShrinkWithPhotos() throws {
    try golden("two") { group in
      let one = try predictions(group)
      let many = Predictions(
        classNames: one.classNames, rows: (0..<9).flatMap { _ in one.rows })
      let (few, more) = (Metrics(one), Metrics(many))
      for name in ["loss", "f1_macro", "roc_auc", "brier", "f1[c1]", "recall_macro"] {
        let (first, second) = (try #require(few[name: name]), try #require(more[name: name]))
        let (wide, narrow) = (try #require(first.interval), try #require(second.interval))
        #expect(wide.contains(try #require(first.value)), "\(name)")
        let ratio =
          (wide.upperBound - wide.lowerBound) / (narrow.upperBound - narrow.lowerBound)
        #expect((2.5...3.6).contains(ratio), "\(name): \(ratio)")
      }
    }
  }

  /// For the loss, a mean, the bootstrap must agree with 1.96 standard errors within the classes.
  @Test func bootstrapAgreesWithTheStandardErrorOfAMean() throws {
    try golden("two") { group in
      let predictions = try predictions(group)
      var variance = 0.0
      for label in 0..<2 {
        let losses = predictions.rows.filter { $0.label == label }.map(\.loss)
        let mean = losses.reduce(0, +) / Double(losses.count)
        variance += losses.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      }
      let expected = 2 * 1.96 * variance.squareRoot() / Double(predictions.rows.count)
      let interval = try #require(Metrics(predictions)[name: "loss"]?.interval)
      #expect(abs((interval.upperBound - interval.lowerBound) / expected - 1) < 0.08)
    }
  }

  @Test func intervalsDependOnTheSeedOnly() throws {
    try golden("five_ties") { group in
      let predictions = try predictions(group)
      let first = Metrics(predictions).all
      #expect(Metrics(predictions).all == first)
      #expect(Metrics(predictions, seed: 1).all != first)
    }
  }

  @Test func probabilitiesThatAreNoNumbersAreSaid() {
    let metrics = Metrics(
      Predictions(
        classNames: ["a", "b"],
        rows: [
          .init(path: "1", label: 0, probabilities: [.nan, .nan]),
          .init(path: "2", label: 1, probabilities: [0.2, 0.8]),
        ]))
    #expect(metrics[name: "accuracy"]?.value == 1)
    for name in ["loss", "roc_auc", "ece", "brier"] { #expect(metrics[name: name]?.value == nil) }
    #expect(metrics.calibration.bins.isEmpty)
    #expect(metrics.notes.contains { $0.contains("not numbers") })
  }

  @Test func wilsonIsThatOfThePaper() {
    // With all of n right the lower end is n / (n + z^2).
    #expect(abs(wilsonInterval(10, of: 10).lowerBound - 0.722467) < 1e-6)
    #expect(wilsonInterval(10, of: 10).upperBound > 1 - 1e-12)
    #expect(wilsonInterval(0, of: 10).lowerBound == 0)
  }
}
