import Training

/// A condition names a metric that there is none of.
struct UnknownMetric: WithWayOut, CustomStringConvertible {
  let name: String
  let near: [String]

  var description: String { "--assert: unknown metric '\(name)'" }
  var wayOut: String? { "one like " + near.map { "'\($0)'" }.joined(separator: ", ") }
}

/// Conditions that were given do not hold.
struct AssertionsFailed: Error, CustomStringConvertible {
  let description: String
}

extension MetricAssertion {
  func requireName(among names: [String]) throws {
    guard !names.contains(name) else { return }
    throw UnknownMetric(name: name, near: near(among: names, distance: editDistance))
  }

  /// The number that was found, with its interval; with as many digits as it takes to see that the
  /// condition does not hold.
  fileprivate func found(_ metric: Metric?) -> String {
    guard let metric, let value = metric.value else { return "found no number" }
    let shown = decimal(value, 4)
    let isClear = Double(shown).map { holds($0) } == holds(value)
    let interval = metric.interval.map {
      " (95 % interval \(decimal($0.lowerBound, 4)) to \(decimal($0.upperBound, 4)))"
    }
    return "found \(isClear ? shown : "\(value)")" + (interval ?? "")
  }
}

extension [MetricAssertion] {
  /// Notes those that hold; throws `AssertionsFailed` with those that do not.
  func check(_ metrics: Metrics, _ console: Console) throws {
    var failed: [String] = []
    for assertion in self {
      let (holds, metric) = assertion.check(metrics)
      if holds {
        console.note("\(assertion.text) holds: \(assertion.found(metric))")
      } else {
        failed.append("\(assertion.text) does not hold: \(assertion.found(metric))")
      }
    }
    guard failed.isEmpty else {
      throw AssertionsFailed(description: failed.joined(separator: "; "))
    }
  }
}
