import ArgumentParser
import Compute
import Foundation
import Images
import Training

struct Split: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "split",
    abstract: "Divide photos into folders for training, validation and test.",
    discussion: """
      DATA has one subfolder per class. Every class is divided in the same shares; photos that \
      show the same come into one folder. Photos that do not decode are left out.
      """)

  enum Way: String, ExpressibleByArgument, CaseIterable {
    case copy, link
    case hardLink = "hard-link"
  }

  @Argument(help: "The data folder.", completion: .directory)
  var data: String

  @Option(
    help: "The FOLDER to make, with train, validation and test in it.",
    completion: .directory)
  var output: String

  @Option(help: "The share for training.")
  var train = 0.8

  @Option(help: "The share for validation; 0 for none.")
  var validation = 0.1

  @Option(help: "The share for the test; 0 for none.")
  var test = 0.1

  @Option(help: "The seed of the division.")
  var seed: UInt64 = 0

  @Option(name: .customLong("as"), help: "Copy photos, or make links to them.")
  var way = Way.copy

  @Option(
    help: ArgumentHelp("Leave out the photos of a LIST of tl check-data.", valueName: "list"),
    completion: .file())
  var exclude: String?

  @OptionGroup var limits: LimitOptions
  @OptionGroup var format: JSONOption
  @OptionGroup var options: ConsoleOptions

  private var parts: [(name: String, share: Double)] {
    [("train", train), ("validation", validation), ("test", test)].filter { $0.1 > 0 }
  }

  func validate() throws {
    for (name, share) in [("train", train), ("validation", validation), ("test", test)]
    where !(share >= 0 && share <= 1) {
      throw ValidationError("--\(name) must be 0 to 1, found \(share)")
    }
    let sum = train + validation + test
    guard abs(sum - 1) < 1e-6 else {
      throw ValidationError("--train, --validation and --test must add up to 1, found \(sum)")
    }
  }

  func run() throws {
    let console = options.console
    let folder = try listed(labelled: data, excluding: exclude, console)
    let manager = FileManager.default
    guard !manager.fileExists(atPath: output) else {
      throw OutputError.cannotWrite(path: output, reason: "it is there already; name a new folder")
    }
    let progress = Progress(
      title: "photos", total: folder.photos.count, unit: "photos", console: console)
    var examinations: [PhotoExamination] = []
    for examination in PhotoExamination.all(
      folder.photos, pixelLimit: limits.pixelLimit, threads: Threads.count)
    {
      try Interrupt.check()
      examinations.append(examination)
      progress.advance(to: examinations.count)
    }
    progress.finish()
    var tally = PhotoTally()
    for examination in examinations {
      guard case .failure(let error) = examination.outcome else {
        tally.used += 1
        continue
      }
      tally.skipped.append(
        PhotoTally.Skipped(path: examination.photo.relativePath, reason: error.description))
    }
    report(tally, console)
    let chosen = DataSplit.parts(
      examinations, classCount: folder.classNames.count, shares: parts.map(\.share), seed: seed)
    let inProgress = output + ".partial"
    try? manager.removeItem(atPath: inProgress)
    do {
      try write(folder, chosen, below: inProgress)
      try manager.moveItem(atPath: inProgress, toPath: output)
    } catch {
      try? manager.removeItem(atPath: inProgress)
      throw error
    }
    try show(folder, chosen, console)
  }

  private func write(_ folder: PhotoFolder, _ chosen: [Int?], below target: String) throws {
    let manager = FileManager.default
    for part in parts {
      for name in folder.classNames {
        try manager.createDirectory(
          atPath: "\(target)/\(part.name)/\(name)", withIntermediateDirectories: true)
      }
    }
    for (photo, part) in zip(folder.photos, chosen) {
      guard let part else { continue }
      try Interrupt.check()
      let place = "\(target)/\(parts[part].name)/\(photo.relativePath)"
      try manager.createDirectory(
        at: URL(filePath: place).deletingLastPathComponent(), withIntermediateDirectories: true)
      let source = PhotoFolder.absolute(photo.path)
      switch way {
      case .copy:
        let real = URL(filePath: source).resolvingSymlinksInPath().path
        try manager.copyItem(atPath: real, toPath: place)
      case .link: try manager.createSymbolicLink(atPath: place, withDestinationPath: source)
      case .hardLink: try manager.linkItem(atPath: source, toPath: place)
      }
    }
  }

  private func show(_ folder: PhotoFolder, _ chosen: [Int?], _ console: Console) throws {
    let counts = folder.classNames.indices.map { label in
      parts.indices.map { part in
        chosen.indices.count { chosen[$0] == part && folder.photos[$0].label == label }
      }
    }
    let classes = zip(folder.classNames, counts)
    let report = SplitReport(
      data: output,
      photos: Dictionary(
        uniqueKeysWithValues: classes.map { name, counts in
          (name, Dictionary(uniqueKeysWithValues: zip(parts.map(\.name), counts)))
        }))
    try format.print(report, on: console) {
      var table = TextTable([.text("class")] + parts.map { .number($0.name) })
      for (name, counts) in classes { table.add([name] + counts.map { "\($0)" }) }
      try console.result(table)
      try console.result("wrote \(output)")
    }
  }

  /// What is printed with `--json`.
  private struct SplitReport: Encodable {
    let data: String
    /// How many photos of each class each part has.
    let photos: [String: [String: Int]]
  }
}
