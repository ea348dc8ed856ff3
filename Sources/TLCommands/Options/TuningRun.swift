import Images
import Training

extension FineTuning {
  /// Trains with progress for everything that takes long.
  ///
  /// - Parameters:
  ///   - run: where the epochs are kept, nil where they need not be.
  ///   - isReporting: whether to say what was noticed about the photos.
  func run(
    _ folder: PhotoFolder, validation: PhotoFolder?, showingOn console: Console,
    keeping kept: RunFolder? = nil, isReporting: Bool = true
  ) throws -> Result {
    let caching = caching(
      photos: folder.photos.count, validation: validation?.photos.count ?? 0)
    let prefix = Progress(
      title: title(of: caching), total: caching.total, unit: "photos", console: console)
    let progress = EpochProgress(console)
    return try run(folder, validation: validation) { event in
      try Interrupt.check()
      switch event {
      case .prefix(let done, let total):
        prefix.advance(to: done)
        if done == total { prefix.finish() }
      case .examined(let tally, let validationTally, let shared):
        guard isReporting else { return }
        report(tally, console)
        if let validationTally { report(validationTally, console) }
        if shared > 0 {
          console.warning("\(shared) photos are in both folders: validation is too good")
        }
      case .lost(let photos, let epoch):
        for photo in photos { console.warning("skipped '\(photo.path)': \(photo.reason)") }
        console.warning(
          "epoch \(epoch) went without \(photos.count) photo\(photos.count == 1 ? "" : "s")")
      case .training(let event):
        try progress.show(event)
        try kept?.add(event)
      }
    }
  }

  private func title(of caching: Caching) -> String {
    guard caching.keepsPhotos else { return "check of photos" }
    return hasFrozenLayers ? "frozen part" : "photos"
  }
}

/// Throws where a folder to validate on has other classes than the one to train on.
func requireSameClasses(
  _ folder: PhotoFolder, _ path: String, _ validating: PhotoFolder?, _ validation: String?
) throws {
  guard let validating, let validation, folder.classNames != validating.classNames else { return }
  throw TrainingError.otherClasses(path, folder.classNames, validation, validating.classNames)
}
