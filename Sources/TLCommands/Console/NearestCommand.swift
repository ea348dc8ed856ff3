/// The candidate that a mistyped word most likely meant, or nil when none is close.
///
/// Close is a distance of at most a third of the longer word, or that one begins with the other.
package func nearest(to word: String, among candidates: [String]) -> String? {
  let scored = candidates.map { candidate -> (name: String, distance: Int) in
    let isPrefix = word.count >= 3 && candidate.hasPrefix(word)
    return (candidate, isPrefix ? 1 : editDistance(word, candidate))
  }
  guard let best = scored.min(by: { $0.distance < $1.distance }) else { return nil }
  return best.distance <= max(word.count, best.name.count) / 3 || best.distance == 1
    ? best.name : nil
}

/// How many letters must be inserted, dropped, changed or swapped with their neighbour.
///
/// The "optimal string alignment" variant of the Damerau-Levenshtein distance.
package func editDistance(_ first: String, _ second: String) -> Int {
  let (a, b) = (Array(first), Array(second))
  var beforeLast: [Int] = []
  var last = Array(0...b.count)
  for i in a.indices {
    var row = [i + 1]
    for j in b.indices {
      let changed = last[j] + (a[i] == b[j] ? 0 : 1)
      row.append(min(changed, last[j + 1] + 1, row[j] + 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
        row[j + 1] = min(row[j + 1], beforeLast[j - 1] + 1)
      }
    }
    (beforeLast, last) = (last, row)
  }
  return last[b.count]
}
