/// Photos that show the same.
package struct DuplicateGroup: Sendable, Equatable {
  package enum Likeness: Int, Sendable, Comparable {
    case sameBytes, samePixels, nearSame

    package static func < (first: Likeness, second: Likeness) -> Bool {
      first.rawValue < second.rawValue
    }
  }

  /// How alike the least alike of them are.
  package let likeness: Likeness
  /// Indices of the list that was searched, ascending, two or more.
  package let members: [Int]
}

/// Finds photos that show the same among many.
package enum DuplicateSearch {
  /// All groups, in the order of their first members; each photo is in one at most.
  ///
  /// Photos that do not decode are left out. Near-same photos are found through common parts of
  /// their hashes, so the effort grows with the number of photos and not with its square.
  ///
  /// - Parameter withNearSame: whether photos that only look the same count.
  package static func groups(
    _ examinations: [PhotoExamination], withNearSame: Bool = true
  ) -> [DuplicateGroup] {
    var joined = JoinedSets(count: examinations.count)
    var likeness = [DuplicateGroup.Likeness](repeating: .sameBytes, count: examinations.count)
    func join(_ first: Int, _ second: Int, _ kind: DuplicateGroup.Likeness) {
      let (a, b) = (joined.root(of: first), joined.root(of: second))
      let worst = max(likeness[a], likeness[b], kind)
      guard a != b else { return }
      joined.join(a, b)
      likeness[joined.root(of: a)] = worst
    }
    var firstOfBytes: [String: Int] = [:]
    var firstOfPixels: [String: Int] = [:]
    var distinct: [(index: Int, likeness: PictureLikeness)] = []
    for (index, examination) in examinations.enumerated() {
      guard let facts = examination.facts else { continue }
      if let first = firstOfBytes[facts.fingerprint] {
        join(first, index, .sameBytes)
        continue
      }
      firstOfBytes[facts.fingerprint] = index
      if let first = firstOfPixels[facts.pixelFingerprint] {
        join(first, index, .samePixels)
        continue
      }
      firstOfPixels[facts.pixelFingerprint] = index
      distinct.append((index, facts.likeness))
    }
    if withNearSame {
      for (first, second) in nearSame(distinct) { join(first, second, .nearSame) }
    }
    var members: [Int: [Int]] = [:]
    for index in examinations.indices where examinations[index].facts != nil {
      members[joined.root(of: index), default: []].append(index)
    }
    return members.filter { $0.value.count > 1 }
      .map { DuplicateGroup(likeness: likeness[$0.key], members: $0.value) }
      .sorted { $0.members[0] < $1.members[0] }
  }

  private static func nearSame(
    _ photos: [(index: Int, likeness: PictureLikeness)]
  ) -> [(Int, Int)] {
    var pairs: [(Int, Int)] = []
    for part in 0..<8 {
      var places: [UInt16: [Int]] = [:]
      for (place, photo) in photos.enumerated() {
        places[photo.likeness.parts[part], default: []].append(place)
      }
      for bucket in places.values where bucket.count > 1 {
        for (position, first) in bucket.enumerated() {
          for second in bucket[(position + 1)...]
          where photos[first].likeness.isNearSame(as: photos[second].likeness) {
            pairs.append((photos[first].index, photos[second].index))
          }
        }
      }
    }
    return pairs
  }
}

/// Sets that grow by joining (union-find).
private struct JoinedSets {
  private var parents: [Int]

  init(count: Int) { parents = Array(0..<count) }

  mutating func root(of index: Int) -> Int {
    var root = index
    while parents[root] != root {
      parents[root] = parents[parents[root]]
      root = parents[root]
    }
    return root
  }

  mutating func join(_ first: Int, _ second: Int) {
    let (a, b) = (root(of: first), root(of: second))
    parents[max(a, b)] = min(a, b)
  }
}
