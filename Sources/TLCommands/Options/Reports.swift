import Foundation
import Images
import Layers
import Training
import Weights

/// Lists a data folder with one subfolder per class, and says what was passed over.
///
/// - Parameter list: a file that names photos to leave out.
func listed(
  labelled path: String, excluding list: String? = nil, _ console: Console
) throws -> PhotoFolder {
  var folder = try PhotoFolder(labelled: path)
  if let list { folder = try ExclusionList(list).applied(to: folder, path, console) }
  reportListing(folder, path, console)
  return folder
}

/// Lists a data folder with or without class subfolders.
func listed(
  labelledOrNot path: String, excluding list: String? = nil, _ console: Console
) throws -> PhotoFolder {
  do {
    return try listed(labelled: path, excluding: list, console)
  } catch ImagesError.noClassFolders {
    var folder = try PhotoFolder(unlabelled: [path])
    if let list { folder = try ExclusionList(list).applied(to: folder, path, console) }
    console.note("'\(path)' has no class folders: the photos get no labels")
    reportListing(folder, path, console)
    return folder
  }
}

private func reportListing(_ folder: PhotoFolder, _ path: String, _ console: Console) {
  var photos = folder.classNames.map { _ in 0 }
  for label in folder.photos.compactMap(\.label) { photos[label] += 1 }
  let counts = zip(folder.classNames, photos).map { "\($0) \($1)" }
  let classes = counts.isEmpty ? "" : ": " + counts.joined(separator: ", ")
  console.note("'\(path)': \(folder.photos.count) photos\(classes)")
  for name in folder.emptyClasses { console.warning("class '\(name)' has no photos") }
  reportIgnored(folder, console)
}

/// Names the files of a folder that are no photos.
func reportIgnored(_ folder: PhotoFolder, _ console: Console) {
  if !folder.ignored.isEmpty {
    console.note("not pictures, ignored: \(abridged(folder.ignored))")
  }
  for problem in folder.problems { console.warning(problem) }
}

/// Says what was skipped, turned and converted.
func report(_ tally: PhotoTally, _ console: Console) {
  for skipped in tally.skipped.prefix(20) {
    console.warning("skipped '\(skipped.path)': \(skipped.reason)")
  }
  if tally.skipped.count > 20 {
    console.warning("... and \(tally.skipped.count - 20) more were skipped")
  }
  if !tally.skipped.isEmpty {
    let total = tally.used + tally.skipped.count
    let verb = tally.skipped.count == 1 ? "was" : "were"
    console.warning("\(tally.skipped.count) of \(total) photos \(verb) skipped")
  }
  reportPixels(tally, console)
}

/// Says which photos were turned and converted.
func reportPixels(_ tally: PhotoTally, _ console: Console) {
  if tally.turned > 0 {
    console.note("\(photos(tally.turned)) turned upright by their EXIF orientation")
  }
  if tally.leftUnturned > 0 {
    console.note("\(photos(tally.leftUnturned)) left as stored though EXIF says to turn them")
  }
  for (kind, count) in tally.converted.sorted(by: { $0.key < $1.key }) {
    console.note("\(photos(count, kind)) converted to RGB")
  }
  for warning in tally.warnings.prefix(5) {
    console.warning("'\(warning.path)': \(warning.reason)")
  }
}

/// Such as `1 photo was` and `2 CMYK photos were`.
private func photos(_ count: Int, _ kind: String = "") -> String {
  let words = [kind, count == 1 ? "photo was" : "photos were"].filter { !$0.isEmpty }
  return "\(count) \(words.joined(separator: " "))"
}

/// Up to five of a list, and how many more there are.
func abridged(_ list: [String]) -> String {
  let shown = list.prefix(5).map { "'\($0)'" }.joined(separator: ", ")
  return list.count > 5 ? "\(shown) and \(list.count - 5) more" : shown
}

/// Opens a base and shows how its file's tensors were used.
func loadedBase(
  _ options: BaseOptions, _ photos: PhotoOptions, layer: String?, _ console: Console,
  mapped: Bool = false
) throws -> LoadedBase {
  let loaded = try BaseLoader.load(
    baseFile(options.base, console), height: photos.givenSize?.height,
    width: photos.givenSize?.width, layer: layer, allowPartial: options.allowPartial,
    kernelOrder: options.kernels.kernelOrder, mapped: mapped)
  reportLoaded(loaded, console)
  return loaded
}

/// Shows how the tensors of a base's file were used.
func reportLoaded(_ loaded: LoadedBase, _ console: Console) {
  console.note("base: \(loaded.summary), \(loaded.report.summary)")
  let unusual = loaded.report.rows.filter { $0.status != .loaded }
  if !unusual.isEmpty { console.note(loadTable(unusual)) }
  for note in loaded.report.notes { console.note(note) }
}

/// Tensors of a file and what became of them.
func loadTable(_ rows: [LoadReport.Row]) -> TextTable {
  var table = TextTable([
    .text("in the file"), .text("in the network"), .text("shape"), .text("status"),
  ])
  for row in rows {
    let status = [row.status.rawValue, row.reason].compactMap { $0 }.joined(separator: ": ")
    table.add([row.tensor ?? "-", row.parameter ?? "-", "\(row.shape)", status])
  }
  return table
}

/// A number with a fixed count of decimals.
func decimal(_ value: Double, _ digits: Int) -> String {
  String(format: "%.\(digits)f", value)
}

extension PhotoLoader {
  /// What happens to a photo, in a sentence.
  var summary: String {
    "scaled to \(height)x\(width) (\(scalingText)), preprocessed by "
      + "'\(preprocessing.rawValue)' (\(preprocessing.summary)), EXIF orientation "
      + (ignoreOrientation ? "ignored" : "applied")
  }
}

/// Shows training as a bar within the epoch and a line for every epoch.
final class EpochProgress {
  private let console: Console
  private var bar: Progress?
  private var epoch = 0

  init(_ console: Console) { self.console = console }

  func show(_ event: TrainingEvent) throws {
    switch event {
    case .batch(let epoch, let done, let total, let loss, let accuracy):
      guard !loss.isNaN else { throw TrainingError.notFinite(epoch: epoch) }
      guard console.errors.terminal.isTerminal else { return }
      if epoch != self.epoch {
        self.epoch = epoch
        bar = Progress(title: "epoch \(epoch)", total: total, unit: "photos", console: console)
      }
      bar?.advance(
        to: done, note: "loss \(decimal(loss, 4)), accuracy \(decimal(accuracy, 4))")
    case .epoch(let result, let total):
      guard result.validationLoss?.isNaN != true else {
        throw TrainingError.notFinite(epoch: result.epoch)
      }
      bar?.finish()
      record(result)
      var line =
        "epoch \(result.epoch) of \(total): loss \(decimal(result.loss, 4)), "
        + "accuracy \(decimal(result.accuracy, 4))"
      if let loss = result.validationLoss, let accuracy = result.validationAccuracy {
        line += ", validation loss \(decimal(loss, 4)), accuracy \(decimal(accuracy, 4))"
      }
      console.note(line)
    }
  }

  private func record(_ result: EpochResult) {
    console.record("loss", result.loss)
    console.record("accuracy", result.accuracy)
    if let loss = result.validationLoss { console.record("val_loss", loss) }
    if let accuracy = result.validationAccuracy { console.record("val_accuracy", accuracy) }
  }
}

/// Runs `body`, whose errors about layers then name the file that the network is from.
func named<R>(_ path: String, _ body: () throws -> R) throws -> R {
  do {
    return try body()
  } catch let error as LayerError {
    throw TrainingError.unusableLayers(path, error)
  }
}
