/// Photos in the order of one class's probability, the least first.
struct Ranking {
  private let order: [Int]
  /// Whether the photo at a place is more probable than the one before.
  private let isAbove: [Bool]

  init(_ probabilities: [Float]) {
    let order = probabilities.indices.sorted {
      (probabilities[$0], $0) < (probabilities[$1], $1)
    }
    self.order = order
    isAbove = order.indices.map {
      $0 > 0 && probabilities[order[$0]] > probabilities[order[$0 - 1]]
    }
  }

  /// The area under the receiver operating characteristic (Hanley and McNeil 1982).
  ///
  /// It is how often a photo of the class has a greater probability of it than one of another class,
  /// equal ones counting half; not a number where one of the two is missing.
  ///
  /// - Parameter weights: how often each photo counts.
  func area(of label: Int, _ labels: [Int], _ weights: [Int]) -> Double {
    // Twice the number of pairs, so that halves stay whole.
    var (pairs, below, equal, own, all) = (0, 0, 0, 0, 0)
    for place in order.indices {
      if isAbove[place] {
        pairs += own * (2 * below + equal)
        below += equal
        (equal, own) = (0, 0)
      }
      let row = order[place]
      if labels[row] == label {
        own += weights[row]
        all += weights[row]
      } else {
        equal += weights[row]
      }
    }
    pairs += own * (2 * below + equal)
    below += equal
    return Double(pairs) / (2 * Double(all) * Double(below))
  }
}
