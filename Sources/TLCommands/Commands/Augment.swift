import ArgumentParser
import Foundation
import Images
import Training
import Weights

struct Augment: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "augment",
    abstract: "Write photos as a network sees them after random changes.",
    discussion: """
      View 1 is what `tl fine-tune` with the same --seed and changes sees in its first epoch, \
      view 2 in its second, and so on; preprocessing comes after. Without any change the book's \
      are taken. A sheet has one row a photo: the photo itself, then its views.
      """)

  @Argument(help: "The data folder.", completion: .directory)
  var data: String

  @Option(help: "The FOLDER for PNG files named after photo and view.", completion: .directory)
  var output: String?

  @Option(help: "One PNG FILE with all views.", completion: .file(extensions: ["png"]))
  var sheet: String?

  @Option(help: "How many views are made of each photo.")
  var views = 8

  @Option(help: "Take only so many photos, spread over the folder; sheet: 12.")
  var photos: Int?

  @Option(help: "Scale photos to SIZE pixels: 150, or 150x200 (height first).")
  var imageSize = ImageSize(150)

  @OptionGroup var scaling: ScalingOptions
  @OptionGroup var limits: LimitOptions

  @Option(help: "The seed of the changes.")
  var seed: UInt64 = 0

  @OptionGroup(title: "Random changes of photos") var augmentation: AugmentationOptions
  @OptionGroup var format: JSONOption
  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    guard (output == nil) != (sheet == nil) else {
      throw ValidationError("give either --output (a folder) or --sheet (a PNG file)")
    }
    guard (1...1000).contains(views) else {
      throw ValidationError("--views must be 1 to 1000, found \(views)")
    }
    guard photos ?? 1 > 0 else {
      throw ValidationError("--photos must be 1 or more, found \(photos ?? 1)")
    }
  }

  func run() throws {
    let console = options.console
    let folder = try listed(labelledOrNot: data, console)
    let ranges = augmentation.ranges ?? .book
    console.note("changes: \(ranges.summary)")
    let viewing = AugmentedPhotos(
      photos: spread(folder.photos), of: folder.photos, views: views, ranges: ranges, seed: seed,
      loader: PhotoLoader(
        imageSize, scaling, preprocessing: .none, pixelLimit: limits.pixelLimit))
    let progress = Progress(
      title: "photos", total: viewing.photos.count, unit: "photos", console: console)
    var drawn = ContactSheet(height: imageSize.height, width: imageSize.width)
    if let sheet {
      try OutputPlace.check(sheet)
      try drawn.checkSize(rows: viewing.photos.count, columns: views + 1)
    }
    var skipped: [PhotoTally.Skipped] = []
    for (index, row) in viewing.rows().enumerated() {
      try Interrupt.check()
      switch row {
      case .failure(let error):
        let path = viewing.photos[index].relativePath
        skipped.append(PhotoTally.Skipped(path: path, reason: error.description))
        console.warning("skipped '\(path)': \(error)")
      case .success(let row) where sheet != nil: drawn.add(row.all)
      case .success(let row): try write(row, of: viewing.photos[index])
      }
      progress.advance(to: index + 1)
    }
    progress.finish()
    let whole = viewing.photos.count - skipped.count
    guard whole > 0 else { throw TrainingError.nothingLeft(skipped) }
    if let sheet, let image = drawn.image { try write(image, to: sheet) }
    let place = sheet ?? output ?? ""
    try format.print(
      AugmentReport(output: place, views: views, photos: whole, skipped: skipped.count),
      on: console
    ) {
      try console.result(
        "wrote \(place): \(views) views each of \(whole) photo\(whole == 1 ? "" : "s")")
    }
    if !skipped.isEmpty { throw SomeFailed(skipped.count, of: viewing.photos.count) }
  }

  /// What is printed with `--json`.
  private struct AugmentReport: Encodable {
    let output: String
    let views, photos, skipped: Int
  }

  /// Evenly spaced photos of the list, so that every class has its share.
  private func spread(_ all: [Photo]) -> [Photo] {
    guard let count = photos ?? (sheet == nil ? nil : 12), count < all.count else { return all }
    return (0..<count).map { all[$0 * all.count / count] }
  }

  private func write(_ row: AugmentedPhotos.Row, of photo: Photo) throws {
    for (index, view) in row.views.enumerated() {
      let target = "\(output ?? "")/\(photo.relativePath).view\(index + 1).png"
      let folder = URL(filePath: target).deletingLastPathComponent()
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try write(view, to: target)
    }
  }

  private func write(_ image: RGBImage, to path: String) throws {
    let bytes = try image.png()
    try AtomicFile.write(path) { try Data(bytes).write(to: URL(filePath: $0)) }
  }
}
