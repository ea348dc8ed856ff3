internal import Compute

/// Divides the photos of a folder into parts, each class in the same shares.
package enum DataSplit {
  /// The part (an index into `shares`) of every photo, nil for those that do not decode.
  ///
  /// Photos that show the same come into one part. The same seed gives the same parts.
  /// - Parameter shares: positive numbers, one a part; only their ratios count.
  package static func parts(
    _ examinations: [PhotoExamination], classCount: Int, shares: [Double], seed: UInt64
  ) -> [Int?] {
    var groupOf = [Int: [Int]]()
    for group in DuplicateSearch.groups(examinations) { groupOf[group.members[0]] = group.members }
    let later = Set(groupOf.values.flatMap { $0.dropFirst() })
    var random = SeededRandom(seed: seed)
    var parts = [Int?](repeating: nil, count: examinations.count)
    for label in 0..<classCount {
      var units: [[Int]] = examinations.indices.filter {
        examinations[$0].photo.label == label && examinations[$0].facts != nil
          && !later.contains($0)
      }.map { groupOf[$0] ?? [$0] }
      units.shuffle(using: &random)
      // Large groups first, as long as every part has room; sorting keeps the drawn order.
      units = units.filter { $0.count > 1 } + units.filter { $0.count == 1 }
      assign(units, shares: shares, to: &parts)
    }
    return parts
  }

  /// Gives each unit to the part that lacks most of its share.
  private static func assign(_ units: [[Int]], shares: [Double], to parts: inout [Int?]) {
    let total = units.reduce(0) { $0 + $1.count }
    let sum = shares.reduce(0, +)
    var missing = shares.map { $0 / sum * Double(total) }
    for unit in units {
      let part = missing.indices.max { missing[$0] < missing[$1] } ?? 0
      missing[part] -= Double(unit.count)
      for index in unit { parts[index] = part }
    }
  }
}
