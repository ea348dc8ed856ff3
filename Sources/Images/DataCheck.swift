/// Everything about folders of photos that may surprise somebody who trains on them.
package struct DataCheck: Sendable {
  /// One data folder, such as the one for training.
  package struct Split: Sendable {
    package let path: String
    package let folder: PhotoFolder
    /// Photos a class that decode, in the order of the classes.
    package internal(set) var counts: [Int]
  }

  /// One thing that was found, and where.
  package struct Finding: Sendable, Equatable {
    package let kind: Kind
    /// Paths, groups of paths joined by " = ", or sentences.
    package let places: [String]
  }

  package enum Kind: String, Sendable, CaseIterable {
    case undecodable = "does not decode"
    case truncated = "truncated"
    case damaged = "damaged but decodable"
    case acrossSplits = "same photo in two splits"
    case nearAcrossSplits = "near-same photo in two splits"
    case twoClasses = "same photo in two classes"
    case emptyClass = "class without photos"
    case missingClass = "class not in every split"
    case imbalance = "classes of very different size"
    case unlisted = "cannot be listed"
    case withinSplit = "same photo twice"
    case nearWithinSplit = "near-same photo twice"
    case wrongExtension = "wrong extension"
    case photosIgnored = "photo without a photo's extension"
    case hidden = "hidden folder with photos"
    case small = "smaller than the input"
    case turned = "turned by EXIF"
    case gray = "gray"
    case alpha = "with transparency"
    case cmyk = "CMYK"
    case otherColors = "palette or 16 bits"

    /// Whether training or what is measured would be worse for it.
    package var hurts: Bool {
      switch self {
      case .undecodable, .truncated, .damaged, .acrossSplits, .nearAcrossSplits, .twoClasses,
        .emptyClass, .missingClass, .imbalance, .unlisted:
        true
      default: false
      }
    }

    /// What `tl` does about it, or what to do.
    package var advice: String {
      switch self {
      case .undecodable, .truncated: "skipped"
      case .damaged: "used, with gray or wrong parts"
      case .acrossSplits, .nearAcrossSplits: "results are too good: leave one out"
      case .twoClasses: "only one label can be right"
      case .emptyClass, .missingClass: "never seen or never measured"
      case .imbalance: "the small ones are hardly learned"
      case .unlisted: "not seen"
      case .withinSplit, .nearWithinSplit: "counts twice"
      case .wrongExtension: "read by content"
      case .photosIgnored: "not used: rename it"
      case .hidden: "not used; other tools take it for a class"
      case .small: "enlarged"
      case .turned: "turned upright"
      case .gray, .cmyk, .otherColors: "converted to RGB"
      case .alpha: "transparency is dropped"
      }
    }
  }

  /// Classes whose sizes differ by more than this factor count as very different.
  static let imbalanceLimit = 10

  package private(set) var splits: [Split]
  package private(set) var findings: [Finding] = []
  /// What had better be left out, with the reason, in the order of the photos.
  package private(set) var quarantine: [(path: String, reason: String)] = []

  /// Whether something was found that would hurt training.
  package var hurts: Bool { findings.contains { $0.kind.hurts } }

  /// - Parameters:
  ///   - examinations: of all photos of all folders, in their order.
  ///   - input: the size of the network's input.
  package init(
    _ folders: [(path: String, folder: PhotoFolder)], _ examinations: [PhotoExamination],
    input: PixelSize
  ) {
    splits = folders.map { Split(path: $0.path, folder: $0.folder, counts: []) }
    var places: [Kind: [String]] = [:]
    func add(_ kind: Kind, _ place: String) { places[kind, default: []].append(place) }
    var splitOf: [Int] = []
    for (index, split) in splits.enumerated() {
      splitOf += [Int](repeating: index, count: split.folder.photos.count)
    }
    var reasons: [Int: String] = [:]
    for (index, examination) in examinations.enumerated() {
      for (kind, text) in Self.findings(of: examination, input: input) {
        add(kind, text)
        if [.undecodable, .truncated, .damaged].contains(kind) { reasons[index] = kind.rawValue }
      }
    }
    // What is the same for certain is told even where it is near-same to something else too.
    let same = DuplicateSearch.groups(examinations, withNearSame: false)
    let nearSame = DuplicateSearch.groups(examinations).filter { $0.likeness == .nearSame }
    for group in same + nearSame {
      let kind = Self.kind(of: group, examinations, splitOf, splits)
      add(kind, group.members.map { examinations[$0].photo.path }.joined(separator: " = "))
      for index in Self.superfluous(group, kind, splitOf) where reasons[index] == nil {
        reasons[index] = kind.rawValue
      }
    }
    for index in splits.indices {
      var counts = splits[index].folder.classNames.map { _ in 0 }
      for (place, examination) in examinations.enumerated() where splitOf[place] == index {
        if let label = examination.photo.label, examination.facts != nil { counts[label] += 1 }
      }
      splits[index].counts = counts
    }
    for (kind, text) in folderFindings() { add(kind, text) }
    findings = Kind.allCases.compactMap { kind in
      places[kind].map { Finding(kind: kind, places: $0) }
    }
    quarantine = reasons.sorted { $0.key < $1.key }.map {
      (examinations[$0.key].photo.path, $0.value)
    }
  }

  /// What is to say of one photo.
  private static func findings(
    of examination: PhotoExamination, input: PixelSize
  ) -> [(Kind, String)] {
    let path = examination.photo.path
    let facts: PhotoExamination.Facts
    switch examination.outcome {
    case .failure(.truncated(let format)): return [(.truncated, "\(path) (\(format))")]
    case .failure(let error): return [(.undecodable, "\(path): \(error)")]
    case .success(let found): facts = found
    }
    var found: [(Kind, String)] = []
    if let warning = facts.warning { found.append((.damaged, "\(path): \(warning)")) }
    if examination.hasWrongExtension {
      found.append((.wrongExtension, "\(path) is \(facts.format)"))
    }
    if facts.size.height < input.height || facts.size.width < input.width {
      found.append((.small, "\(path) is \(facts.size.width) x \(facts.size.height)"))
    }
    if !facts.orientation.isUpright { found.append((.turned, path)) }
    switch facts.colors {
    case .rgb: break
    case .gray: found.append((.gray, path))
    case .rgbWithAlpha, .grayWithAlpha: found.append((.alpha, path))
    case .cmyk: found.append((.cmyk, path))
    case .palette, .gray16: found.append((.otherColors, path))
    }
    return found
  }

  private static func kind(
    of group: DuplicateGroup, _ examinations: [PhotoExamination], _ splitOf: [Int],
    _ splits: [Split]
  ) -> Kind {
    let isNear = group.likeness == .nearSame
    let names = Set(
      group.members.map { index in
        examinations[index].photo.label.map { splits[splitOf[index]].folder.classNames[$0] } ?? ""
      })
    if names.count > 1 && !isNear { return .twoClasses }
    if Set(group.members.map { splitOf[$0] }).count > 1 {
      return isNear ? .nearAcrossSplits : .acrossSplits
    }
    return isNear ? .nearWithinSplit : .withinSplit
  }

  /// Which of a group to leave out.
  ///
  /// Where labels differ all, as none can be trusted; else all but the first of the last split, so
  /// that what is measured on stays whole. Near-same photos of one split stay.
  private static func superfluous(
    _ group: DuplicateGroup, _ kind: Kind, _ splitOf: [Int]
  ) -> [Int] {
    switch kind {
    case .twoClasses: return group.members
    case .nearWithinSplit: return []
    default:
      let last = group.members.map { splitOf[$0] }.max() ?? 0
      let kept = group.members.first { splitOf[$0] == last }
      return group.members.filter { $0 != kept }
    }
  }

  /// What is to say of the folders as they are.
  private func folderFindings() -> [(Kind, String)] {
    var found: [(Kind, String)] = []
    let everywhere = Set(splits.flatMap(\.folder.classNames))
    for split in splits {
      let folder = split.folder
      for (name, count) in zip(folder.classNames, split.counts) where count == 0 {
        found.append((.emptyClass, "'\(name)' in \(split.path)"))
      }
      for name in everywhere.subtracting(folder.classNames).sorted(by: isBefore) {
        found.append((.missingClass, "'\(name)' is not in \(split.path)"))
      }
      let present = split.counts.filter { $0 > 0 }
      if let most = present.max(), let least = present.min(), most > Self.imbalanceLimit * least {
        found.append((.imbalance, "\(split.path): from \(least) to \(most) photos"))
      }
      for problem in folder.problems { found.append((.unlisted, "\(split.path): \(problem)")) }
      for path in folder.ignored where PictureFormat.ofFile(joined(split.path, path)) != nil {
        found.append((.photosIgnored, joined(split.path, path)))
      }
      for name in HiddenFolders.withPhotos(in: split.path) { found.append((.hidden, name)) }
    }
    return found
  }
}
