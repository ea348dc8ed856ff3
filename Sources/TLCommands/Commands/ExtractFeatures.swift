import ArgumentParser
import Foundation
import Images
import Training

struct ExtractFeatures: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extract-features",
    abstract: "Store what a frozen base makes of every photo of a folder.",
    discussion: """
      DATA has one subfolder per class. The output is an HDF5 file with features, labels, paths \
      and class_names. Running the command again computes only what changed.
      """)

  @Argument(help: "The data folder.", completion: .directory)
  var data: String

  @OptionGroup var base: BaseOptions
  @OptionGroup var photos: PhotoOptions
  @OptionGroup var precision: PrecisionOptions
  @OptionGroup var pass: PassOptions

  @Option(help: "The feature FILE to write.", completion: .file(extensions: ["h5"]))
  var output: String

  @Option(help: "The layer whose output is stored; default: the base's last.")
  var layer: String?

  @Option(help: "What is kept of a [height, width, channels] output.")
  var pooling = FeaturePooling.none

  @Option(help: "How many photos go through the base at once.")
  var batchSize = 20

  @OptionGroup var format: JSONOption
  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    guard batchSize > 0 else {
      throw ValidationError("--batch-size must be 1 or more, found \(batchSize)")
    }
  }

  func run() throws {
    let console = options.console
    let folder = try listed(labelledOrNot: data, excluding: pass.exclude, console)
    try OutputPlace.check(output)
    let extraction = try extraction(console)
    let source = extraction.source
    let progress = ExtractionProgress(photos: folder.photos.count, console)
    let summary = try extraction.run(folder, output: output) { event in
      try Interrupt.check()
      progress.show(event)
    }
    progress.finish()
    report(summary.tally, console)
    let rows = summary.computed + summary.reused
    let shape = [rows] + summary.rowShape
    let taken = summary.reused > 0 ? ", \(summary.reused) of them taken over" : ""
    try format.print(
      ExtractionReport(
        features: output, shape: shape, layer: source.layer, base: source.base,
        computed: summary.computed, reused: summary.reused, skipped: summary.tally.skipped.count),
      on: console
    ) {
      try console.result(
        "wrote \(output): features \(shape) of layer '\(source.layer)'\(taken)")
    }
  }

  /// What runs the base; its weights as they lie in the file are let go, those laid out for the run
  /// stay.
  private func extraction(_ console: Console) throws -> FeatureExtraction {
    let loaded = try loadedBase(base, photos, layer: layer, console, mapped: true)
    try OutputPlace.check(output, inputs: [loaded.path])
    let loader = try photos.loader(for: loaded, pass.limits)
    console.note("photos: \(loader.summary)")
    return FeatureExtraction(
      base: try loaded.network.pooled(pooling),
      source: FeatureSource(
        base: loaded.name, baseFile: URL(filePath: loaded.path).standardizedFileURL.path,
        baseFingerprint: loaded.fingerprint,
        layer: loaded.layer, pooling: pooling, loader: loader,
        precision: precision.chosen(console)),
      batchSize: batchSize, isStrict: pass.strict)
  }
}

/// What `tl extract-features --json` prints.
private struct ExtractionReport: Encodable {
  let features: String
  let shape: [Int]
  let layer: String
  let base: String
  /// Photos that went through the base, that an earlier run had done, and that did not decode.
  let computed, reused, skipped: Int
}

/// Says what is taken over from an earlier run, then how far this one is.
private final class ExtractionProgress {
  private let photos: Int
  private let console: Console
  private var taken = 0
  private var bar: Progress?

  init(photos: Int, _ console: Console) {
    self.photos = photos
    self.console = console
  }

  func show(_ event: FeatureExtraction.Event) {
    switch event {
    case .reusing(let count, let total, let file):
      console.note("'\(file)': \(count) of \(total) photos are unchanged and taken over")
      taken = count
    case .startingOver(let file, let why): console.note("'\(file)' is not reused: \(why)")
    case .progress(let done, _):
      let bar =
        self.bar
        ?? Progress(
          title: "features", total: photos, unit: "photos", from: taken, console: console)
      bar.advance(to: done)
      self.bar = bar
    }
  }

  func finish() { bar?.finish() }
}
