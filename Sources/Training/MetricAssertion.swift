/// What a metric must be, such as `accuracy>=0.95` or `recall[cats]>=0.9`.
package struct MetricAssertion: Sendable, Equatable {
  package enum Comparison: String, Sendable, CaseIterable {
    case atLeast = ">="
    case atMost = "<="
    case above = ">"
    case below = "<"
    /// Up to 1e-9.
    case equal = "="

    func holds(_ value: Double, _ bound: Double) -> Bool {
      switch self {
      case .atLeast: value >= bound
      case .atMost: value <= bound
      case .above: value > bound
      case .below: value < bound
      case .equal: abs(value - bound) <= 1e-9
      }
    }
  }

  /// Text that is no assertion; `description` is one line.
  package struct Malformed: Error, CustomStringConvertible {
    package let description: String
  }

  package let name: String
  package let comparison: Comparison
  package let bound: Double
  /// As it was given.
  package let text: String

  /// - Parameter text: the name, an operator and a number, with or without spaces between.
  package init(_ text: String) throws(Malformed) {
    // A class's name in brackets may hold anything, operators too.
    let afterName = text.lastIndex(of: "]") ?? text.startIndex
    guard let start = text[afterName...].firstIndex(where: { "<>=".contains($0) }) else {
      throw Malformed(
        description: "expected NAME>=NUMBER, found '\(text)': quote it, as shells take < and > "
          + "for themselves")
    }
    let rest = text[start...]
    let sign = rest.prefix { "<>=".contains($0) }
    guard let comparison = Comparison(rawValue: sign == "==" ? "=" : String(sign)) else {
      throw Malformed(
        description: "expected one of "
          + Comparison.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
          + ", found '\(sign)' in '\(text)'")
    }
    let number = rest.dropFirst(sign.count).trimmed
    guard let bound = Double(number), bound.isFinite else {
      throw Malformed(description: "expected a number such as 0.95, found '\(number)' in '\(text)'")
    }
    self.text = text
    self.comparison = comparison
    self.bound = bound
    name = text[..<start].trimmed
  }

  /// The names that look most like this one's.
  package func near(among names: [String], distance: (String, String) -> Int) -> [String] {
    let words = Set(name.split { !$0.isLetter && !$0.isNumber })
    let scored = names.enumerated().map { index, candidate in
      let shared = words.intersection(candidate.split { !$0.isLetter && !$0.isNumber }).count
      let begins = candidate.hasPrefix(name) ? 1 : 0
      return (name: candidate, key: (-shared - begins, distance(name, candidate), index))
    }
    return scored.sorted { $0.key < $1.key }.prefix(5).map(\.name)
  }

  /// Whether it holds for a number.
  package func holds(_ value: Double) -> Bool { comparison.holds(value, bound) }

  /// Whether it holds, and the number that was found; without a number it does not.
  package func check(_ metrics: Metrics) -> (holds: Bool, found: Metric?) {
    let found = metrics[name: name]
    return (found?.value.map(holds) ?? false, found)
  }
}

extension Substring {
  fileprivate var trimmed: String {
    var text = self
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
