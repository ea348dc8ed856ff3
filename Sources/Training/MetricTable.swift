/// What metrics are made of, prepared so that photos can be counted several times each or not at all.
struct MetricTable {
  let classNames: [String]
  let topK: Int?
  let labels: [Int]
  let predicted: [Int]
  /// The probability of the class that was predicted.
  let confidences: [Double]
  /// Whether all probabilities are numbers.
  let isFinite: Bool
  private let losses: [Double]
  private let squares: [Double]
  private let hits: [Bool]
  private let rankings: [Ranking]
  private let bins: [Int]

  init(_ predictions: Predictions, topK: Int?) {
    let rows = predictions.rows
    let classCount = predictions.classNames.count
    classNames = predictions.classNames
    self.topK = topK
    labels = rows.map(\.label)
    predicted = rows.map(\.predicted)
    confidences = rows.map { Double($0.confidence) }
    isFinite = rows.allSatisfy { $0.probabilities.allSatisfy(\.isFinite) }
    losses = rows.map(\.loss)
    squares = rows.map(\.squaredError)
    hits = rows.map { row in topK.map { row.isAmong($0) } ?? false }
    rankings =
      isFinite
      ? (0..<classCount).map { column in Ranking(rows.map { $0.probabilities[column] }) } : []
    bins = isFinite ? confidences.map(Calibration.bin) : []
  }

  /// How many numbers there are for each class.
  static let perClass = 4

  var names: [String] { Self.names(classNames, topK: topK) }
  var overallCount: Int { names.count - Self.perClass * classNames.count }

  static func names(_ classNames: [String], topK: Int?) -> [String] {
    ["loss", "accuracy"] + (topK.map { ["top_\($0)_accuracy"] } ?? [])
      + [
        "precision_macro", "precision_weighted", "recall_macro", "recall_weighted", "f1_macro",
        "f1_weighted", "roc_auc", "ece", "brier",
      ]
      + classNames.flatMap {
        ["precision[\($0)]", "recall[\($0)]", "f1[\($0)]", "roc_auc[\($0)]"]
      }
  }

  /// Every number in the order of `names`, not a number where there is none.
  ///
  /// - Parameters:
  ///   - weights: how often each photo counts.
  ///   - withCurves: whether the areas under the curves are wanted, which take the longest.
  func values(_ weights: [Int], withCurves: Bool = true) -> [Double] {
    let total = Double(weights.reduce(0, +))
    var (loss, square, right, hit) = (0.0, 0.0, 0, 0)
    for row in labels.indices {
      let weight = weights[row]
      loss += Double(weight) * losses[row]
      square += Double(weight) * squares[row]
      if labels[row] == predicted[row] { right += weight }
      if hits[row] { hit += weight }
    }
    let curves = rankings.indices.map {
      withCurves ? rankings[$0].area(of: $0, labels, weights) : .nan
    }
    let classes = ClassCounts(classNames.count, labels, predicted, weights)
    let known = curves.filter { !$0.isNaN }
    let area =
      curves.count == 2 ? curves[1] : known.reduce(0, +) / Double(known.count)
    return [isFinite ? loss / total : .nan, Double(right) / total]
      + (topK == nil ? [] : [Double(hit) / total])
      + [
        classes.mean(classes.precision), classes.weightedMean(classes.precision),
        classes.mean(classes.recall), classes.weightedMean(classes.recall),
        classes.mean(classes.f1), classes.weightedMean(classes.f1), area,
        calibrationError(weights), isFinite ? square / total : .nan,
      ]
      + classNames.indices.flatMap {
        [
          classes.precision[$0], classes.recall[$0], classes.f1[$0],
          isFinite ? curves[$0] : .nan,
        ]
      }
  }

  /// The numbers that are shares of photos, in the order of `names`; nil for the others.
  func shares(_ confusion: [[Int]]) -> [(right: Int, of: Int)?] {
    let correct = classNames.indices.map { confusion[$0][$0] }
    var shares: [(right: Int, of: Int)?] = [nil, (correct.reduce(0, +), labels.count)]
    if topK != nil { shares.append((hits.count { $0 }, labels.count)) }
    shares += [(right: Int, of: Int)?](repeating: nil, count: 9)
    for label in classNames.indices {
      shares += [
        (correct[label], confusion.reduce(0) { $0 + $1[label] }),
        (correct[label], confusion[label].reduce(0, +)), nil, nil,
      ]
    }
    return shares
  }

  /// Photos, right ones and the sum of confidences in every bin.
  func binned(_ weights: [Int]) -> [(count: Int, right: Int, confidence: Double)] {
    var sums = [(count: Int, right: Int, confidence: Double)](
      repeating: (0, 0, 0), count: Calibration.binCount)
    for row in bins.indices {
      let weight = weights[row]
      sums[bins[row]].count += weight
      if labels[row] == predicted[row] { sums[bins[row]].right += weight }
      sums[bins[row]].confidence += Double(weight) * confidences[row]
    }
    return sums
  }

  private func calibrationError(_ weights: [Int]) -> Double {
    guard isFinite else { return .nan }
    let sums = binned(weights)
    let total = Double(weights.reduce(0, +))
    return sums.reduce(0) { $0 + abs(Double($1.right) - $1.confidence) } / total
  }
}

extension Predictions.Row {
  /// For two classes (p - y)^2 of the second, for more its sum over all (Brier 1950).
  fileprivate var squaredError: Double {
    func square(_ column: Int) -> Double {
      let difference = Double(probabilities[column]) - (column == label ? 1 : 0)
      return difference * difference
    }
    guard probabilities.count != 2 else { return square(1) }
    return probabilities.indices.reduce(0) { $0 + square($1) }
  }

  /// Whether the photo's class is among the `count` most probable ones.
  fileprivate func isAmong(_ count: Int) -> Bool {
    // scikit-learn compares the one probability of two classes with a half.
    if probabilities.count == 2, count == 1 { return isRight }
    let own = probabilities[label]
    // It sorts stably and turns the order around, so that of equals the last comes first.
    let before = probabilities.indices.count {
      probabilities[$0] > own || (probabilities[$0] == own && $0 > label)
    }
    return before < count
  }
}

/// How often every class was there, predicted, and both.
private struct ClassCounts {
  private let there: [Int]
  let precision: [Double]
  let recall: [Double]
  let f1: [Double]
  private let counted: [Int]

  init(_ classCount: Int, _ labels: [Int], _ predicted: [Int], _ weights: [Int]) {
    var (there, taken, both) = (
      [Int](repeating: 0, count: classCount), [Int](repeating: 0, count: classCount),
      [Int](repeating: 0, count: classCount)
    )
    for row in labels.indices {
      there[labels[row]] += weights[row]
      taken[predicted[row]] += weights[row]
      if labels[row] == predicted[row] { both[labels[row]] += weights[row] }
    }
    func share(_ part: Int, _ whole: Int) -> Double {
      whole == 0 ? 0 : Double(part) / Double(whole)
    }
    self.there = there
    precision = zip(both, taken).map(share)
    recall = zip(both, there).map(share)
    f1 = (0..<classCount).map { share(2 * both[$0], there[$0] + taken[$0]) }
    counted = (0..<classCount).filter { there[$0] + taken[$0] > 0 }
  }

  /// Over the classes that are there or were predicted.
  func mean(_ values: [Double]) -> Double {
    counted.reduce(0) { $0 + values[$1] } / Double(counted.count)
  }

  func weightedMean(_ values: [Double]) -> Double {
    zip(there, values).reduce(0) { $0 + Double($1.0) * $1.1 } / Double(there.reduce(0, +))
  }
}
