import ArgumentParser
import Compute
import Foundation
import Images
import Weights

struct CheckData: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-data",
    abstract: "Say what is wrong with folders of photos before training on them.",
    discussion: """
      Give the folders for training, validation and test, each with one subfolder per class, in \
      this order; or one folder that holds them. The exit status is 1 if something was found that \
      would hurt training.
      """)

  @Argument(help: "The data folders.", completion: .directory)
  var data: [String]

  @Option(help: "Call photos small that are below this size: 150, or 150x200.")
  var imageSize = ImageSize(150)

  @Option(
    help: ArgumentHelp("Write the photos to leave out to a LIST.", valueName: "list"),
    completion: .file())
  var quarantine: String?

  @Flag(help: "Print JSON instead of tables.")
  var json = false

  @Option(help: ArgumentHelp("Name so many places of each finding.", valueName: "n"))
  var examples = 3

  @OptionGroup var limits: LimitOptions
  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    guard examples >= 0 else {
      throw ValidationError("--examples must be 0 or more, found \(examples)")
    }
  }

  func run() throws {
    let console = options.console
    if let quarantine { try OutputPlace.check(quarantine) }
    let folders = try splits(console)
    let photos = folders.flatMap(\.folder.photos)
    let progress = Progress(title: "photos", total: photos.count, unit: "photos", console: console)
    var examinations: [PhotoExamination] = []
    examinations.reserveCapacity(photos.count)
    for examination in PhotoExamination.all(
      photos, pixelLimit: limits.pixelLimit, threads: Threads.count)
    {
      try Interrupt.check()
      examinations.append(examination)
      progress.advance(to: examinations.count)
    }
    progress.finish()
    let check = DataCheck(
      folders, examinations, input: PixelSize(height: imageSize.height, width: imageSize.width))
    if let quarantine { try write(check, to: quarantine, console) }
    if json {
      try console.write(try JSONText.encode(DataCheckReport(check), isPretty: true) + "\n")
    } else {
      try show(check, console)
    }
    if check.hurts { throw ExitCode(1) }
  }

  /// The folders given, or those in the one given.
  private func splits(_ console: Console) throws -> [(path: String, folder: PhotoFolder)] {
    var paths = data
    if data.count == 1 {
      let inside = try PhotoFolder.splits(in: data[0])
      if !inside.isEmpty {
        paths = inside
        console.note("splits: \(inside.map { "'\($0)'" }.joined(separator: ", "))")
      }
    }
    return try paths.map { ($0, try PhotoFolder(labelled: $0)) }
  }

  private func write(_ check: DataCheck, to path: String, _ console: Console) throws {
    try AtomicFile.write(path) {
      let text = check.quarantine.map { "\($0.path)\t\($0.reason)\n" }.joined()
      try Data(text.utf8).write(to: URL(filePath: $0))
    }
    console.note(
      "wrote \(path): \(check.quarantine.count) photos to leave out; other commands take it as "
        + "--exclude \(path)")
  }

  private func show(_ check: DataCheck, _ console: Console) throws {
    var classes = TextTable([.text("split"), .text("class"), .number("photos")])
    for split in check.splits {
      for (name, count) in zip(split.folder.classNames, split.counts) {
        classes.add([split.path, name, "\(count)"])
      }
    }
    try console.result(classes)
    guard !check.findings.isEmpty else { return try console.result("nothing found") }
    var table = TextTable([
      .text("found"), .number("places"), .text("hurts"), .text("what happens"),
    ])
    for finding in check.findings {
      table.add([
        finding.kind.rawValue, "\(finding.places.count)", finding.kind.hurts ? "yes" : "no",
        finding.kind.advice,
      ])
    }
    try console.result(table)
    for finding in check.findings {
      for place in finding.places.prefix(examples) {
        try console.result("\(finding.kind.rawValue): \(place)")
      }
      if finding.places.count > examples && examples > 0 {
        try console.result("  ... and \(finding.places.count - examples) more")
      }
    }
  }
}

/// What `tl check-data --json` prints.
private struct DataCheckReport: Encodable {
  struct Split: Encodable {
    let path: String
    let classNames: [String]
    let photos: [Int]

    enum CodingKeys: String, CodingKey {
      case path, photos
      case classNames = "class_names"
    }
  }

  struct Finding: Encodable {
    let kind: String
    let hurts: Bool
    let places: [String]
  }

  struct Left: Encodable {
    let path: String
    let reason: String
  }

  let hurts: Bool
  let splits: [Split]
  let findings: [Finding]
  let quarantine: [Left]

  init(_ check: DataCheck) {
    hurts = check.hurts
    splits = check.splits.map {
      Split(path: $0.path, classNames: $0.folder.classNames, photos: $0.counts)
    }
    findings = check.findings.map {
      Finding(kind: $0.kind.rawValue, hurts: $0.kind.hurts, places: $0.places)
    }
    quarantine = check.quarantine.map { Left(path: $0.path, reason: $0.reason) }
  }
}
