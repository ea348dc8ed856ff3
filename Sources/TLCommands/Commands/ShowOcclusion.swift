import ArgumentParser
import Explain
import Images
import Training

struct ShowOcclusion: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "occlusion",
    abstract: "Show which parts of a photo a class's probability hangs on.",
    discussion: """
      A grey patch moves over the photo in the network's size. Bright is where covering costs the \
      class most of its probability; the scale ends at the largest loss, or at 0.01 if none is larger.
      """)

  @Argument(help: "The photo.", completion: .file())
  var photo: String

  @OptionGroup var model: ModelOptions

  @Option(name: .customLong("class"), help: "The class; default: the most probable.")
  var className: String?

  @Option(help: "The patch's side in pixels of the network's input; default: a fifth of it.")
  var patch: Int?

  @Option(help: "How far the patch moves at a time; default: a third of the patch.")
  var stride: Int?

  @Option(help: "The PNG FILE.", completion: .file(extensions: ["png"]))
  var output: String?

  @Option(help: "A FILE for the numbers as JSON.", completion: .file(extensions: ["json"]))
  var raw: String?

  @OptionGroup var limits: LimitOptions
  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    guard output != nil || raw != nil else {
      throw ValidationError("give --output (a PNG file), --raw (a JSON file) or both")
    }
    guard patch ?? 1 > 0 else {
      throw ValidationError("--patch must be 1 or more, found \(patch ?? 1)")
    }
    guard stride ?? 1 > 0 else {
      throw ValidationError("--stride must be 1 or more, found \(stride ?? 1)")
    }
  }

  func run() throws {
    let console = options.console
    for path in [output, raw].compactMap({ $0 }) {
      try OutputPlace.check(path, inputs: [photo, model.model])
    }
    let classifier = try model.load(console, limits)
    let label = try className.map { try classifier.label(named: $0) }
    let loaded = try loadedPhoto(photo, classifier.loader)
    let side = patch ?? max(1, min(loaded.image.height, loaded.image.width) / 5)
    let occlusion = Occlusion(patch: side, stride: stride ?? max(1, side / 3))
    var progress: Progress?
    let result = try occlusion.run(loaded, model: classifier, label: label) { done, total in
      try Interrupt.check()
      if progress == nil {
        progress = Progress(title: "occlusion", total: total, unit: "places", console: console)
      }
      progress?.advance(to: done)
    }
    progress?.finish()
    if let output { try draw(result, occlusion, loaded, classifier, to: output) }
    if let raw { try write(result, occlusion, classifier, to: raw) }
    try console.result(
      "\(classifier.classNames[result.label]): \(decimal(Double(result.uncovered[result.label]), 4))"
        + " uncovered, at least \(decimal(Double(result.lowest), 4)) under a patch of "
        + "\(side) pixels at \(result.probabilities.count) places")
    for path in [output, raw].compactMap({ $0 }) { try console.result("wrote \(path)") }
  }

  /// A loss that is not worth the brightest colour.
  private static let leastScale: Float = 0.01

  private func draw(
    _ result: Occlusion.Result, _ occlusion: Occlusion, _ loaded: LoadedPhoto,
    _ classifier: ClassifierModel, to path: String
  ) throws {
    let original = try classifier.loader.original(Photo(path: photo, relativePath: photo))
    let losses = occlusion.losses(result, height: loaded.image.height, width: loaded.image.width)
    let scale = max(losses.max() ?? 0, Self.leastScale)
    if scale == Self.leastScale {
      options.console.note(
        "no patch costs the class more than \(Self.leastScale): --patch with a larger one may")
    }
    let map = HeatMap(
      height: loaded.image.height, width: loaded.image.width,
      values: losses.map { $0 / scale }, label: result.label,
      probabilities: result.uncovered)
    let picture = HeatMapPicture(
      title: map.title(classifier.classNames),
      detail: "lowest \(decimal(Double(result.lowest), 4)) under a patch",
      values: map.resized(height: original.height, width: original.width))
    try PictureOutput.write(picture.image(on: original), to: path)
  }

  private struct Record: Encodable {
    let path: String
    let label: String
    let probability: Float
    let patch: Int
    let stride: Int
    /// One row for each place from the top, one number for each from the left.
    let covered: [[Float]]
  }

  private func write(
    _ result: Occlusion.Result, _ occlusion: Occlusion, _ classifier: ClassifierModel,
    to path: String
  ) throws {
    let record = Record(
      path: photo, label: classifier.classNames[result.label],
      probability: result.uncovered[result.label], patch: occlusion.patch,
      stride: occlusion.stride,
      covered: (0..<result.rows).map { row in
        Array(result.probabilities[row * result.columns..<(row + 1) * result.columns])
      })
    try ResultWriter.write(to: path, console: options.console) {
      try $0.line(JSONText.encode(record))
    }
  }
}
