/// What a model says of photos whose classes are known.
package struct Predictions: Sendable, Equatable {
  /// One photo.
  package struct Row: Sendable, Equatable {
    /// Below the data folder, with '/'.
    package var path: String
    /// The index of the photo's own class.
    package var label: Int
    /// The probability of every class, in the order of the class names.
    package var probabilities: [Float]

    package init(path: String, label: Int, probabilities: [Float]) {
      (self.path, self.label, self.probabilities) = (path, label, probabilities)
    }

    /// The most probable class, the first of several.
    package var predicted: Int {
      probabilities.indices.max { probabilities[$0] < probabilities[$1] } ?? 0
    }

    /// The probability of the most probable class.
    package var confidence: Float { probabilities[predicted] }
    package var isRight: Bool { predicted == label }
  }

  package let classNames: [String]
  package private(set) var rows: [Row] = []

  package init(classNames: [String], rows: [Row] = []) {
    self.classNames = classNames
    for row in rows { add(row) }
  }

  package mutating func add(_ row: Row) {
    precondition(
      row.probabilities.count == classNames.count && classNames.indices.contains(row.label),
      "a row needs \(classNames.count) probabilities and a class among them, found "
        + "\(row.probabilities.count) and class \(row.label)")
    rows.append(row)
  }

  /// How many photos of a class (row) were taken for a class (column).
  package var confusion: [[Int]] {
    var counts = classNames.map { _ in [Int](repeating: 0, count: classNames.count) }
    for row in rows { counts[row.label][row.predicted] += 1 }
    return counts
  }

  /// The photos that were taken for another class, those first of which the model was most certain.
  package var mistakes: [Row] {
    rows.filter { !$0.isRight }.sorted {
      ($1.confidence, $0.probabilities[$0.label], $0.path)
        < ($0.confidence, $1.probabilities[$1.label], $1.path)
    }
  }
}
