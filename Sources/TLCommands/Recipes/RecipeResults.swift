import Foundation

/// The metrics of a recipe's stages over its seeds, and whether they are as expected.
struct RecipeResults {
  let results: [RecipeRun.StageResult]
  let expectations: [Expectation]
  let seeds: [UInt64]

  /// One metric of one stage: a value for each seed, or one where it does not depend on seeds.
  struct Row {
    let stage: String
    let metric: String
    let values: [Double]
    let expectation: Expectation?

    var mean: Double { values.reduce(0, +) / Double(values.count) }

    /// The sample's standard deviation, nil for one value.
    var deviation: Double? {
      guard values.count > 1 else { return nil }
      let squares = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
      return (squares / Double(values.count - 1)).squareRoot()
    }

    var isAsExpected: Bool? { expectation?.contains(mean) }

    /// Whether the table shows it.
    var isMain: Bool {
      expectation != nil
        || ["loss", "accuracy", "val_loss", "val_accuracy", "seconds"].contains(metric)
    }
  }

  /// In the order of stages and of what they measured; the seconds come last of each stage.
  var rows: [Row] {
    var order: [(stage: String, metric: String)] = []
    var values: [String: [Double]] = [:]
    for result in results {
      for (metric, value) in result.metrics + [("seconds", result.seconds)] {
        let key = "\(result.stage).\(metric)"
        if values[key] == nil { order.append((result.stage, metric)) }
        values[key, default: []].append(value)
      }
    }
    return order.map { stage, metric in
      let expectation = expectations.first { $0.stage == stage && $0.metric == metric }
      return Row(
        stage: stage, metric: metric, values: values["\(stage).\(metric)"] ?? [],
        expectation: expectation)
    }
  }

  /// Whether every expectation is met, by the mean over seeds.
  var isAsExpected: Bool {
    expectations.allSatisfy { expectation in
      rows.contains {
        $0.stage == expectation.stage && $0.metric == expectation.metric && $0.isAsExpected == true
      }
    }
  }

  var table: TextTable {
    let hasSeeds = seeds.count > 1
    var table = TextTable(
      [.text("stage"), .text("metric")]
        + (hasSeeds
          ? seeds.map { .number("seed \($0)") } + [.number("mean"), .number("deviation")]
          : [.number("value")])
        + (expectations.isEmpty ? [] : [.text("expected"), .text("as expected")]))
    for row in rows where row.isMain {
      let digits = row.metric == "seconds" ? 1 : 4
      var cells = [row.stage, row.metric]
      if hasSeeds {
        let isSeeded = row.values.count == seeds.count
        cells += isSeeded ? row.values.map { decimal($0, digits) } : seeds.map { _ in "" }
        cells += [decimal(row.mean, digits), row.deviation.map { decimal($0, digits) } ?? ""]
      } else {
        cells.append(decimal(row.mean, digits))
      }
      if !expectations.isEmpty {
        cells.append(row.expectation?.text ?? "")
        cells.append(row.isAsExpected.map { $0 ? "yes" : "NO" } ?? "")
      }
      table.add(cells)
    }
    return table
  }
}

/// What `tl run --json` prints.
struct RecipeReport: Encodable {
  let recipe: String
  let run: String
  let seeds: [UInt64]
  let stages: [Stage]
  let metrics: [Metric]
  /// Nil where the recipe expects nothing.
  let asExpected: Bool?

  struct Stage: Encodable {
    let name: String
    let command: String
    let seed: UInt64?
    let seconds: Double
    let metrics: [String: Double]
  }

  struct Metric: Encodable {
    let stage: String
    let metric: String
    let mean: Double
    let deviation: Double?
    let low: Double?
    let high: Double?
    let asExpected: Bool?

    enum CodingKeys: String, CodingKey {
      case stage, metric, mean, deviation, low, high
      case asExpected = "as_expected"
    }
  }

  enum CodingKeys: String, CodingKey {
    case recipe, run, seeds, stages, metrics
    case asExpected = "as_expected"
  }

  init(_ recipe: Recipe, run: String, _ results: RecipeResults) {
    self.recipe = recipe.name.value
    self.run = run
    seeds = results.seeds
    stages = results.results.map {
      Stage(
        name: $0.stage, command: $0.command, seed: $0.seed, seconds: $0.seconds,
        metrics: Dictionary($0.metrics.map { ($0.name, $0.value) }) { $1 })
    }
    metrics = results.rows.filter { $0.metric != "seconds" }.map {
      Metric(
        stage: $0.stage, metric: $0.metric, mean: $0.mean, deviation: $0.deviation,
        low: $0.expectation?.low, high: $0.expectation?.high, asExpected: $0.isAsExpected)
    }
    asExpected = results.expectations.isEmpty ? nil : results.isAsExpected
  }
}
