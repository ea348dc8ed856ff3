import ArgumentParser
import Explain
import Images
import Training

extension HeatMapMethod: ExpressibleByArgument {}

struct ShowHeatmap: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "heatmap",
    abstract: "Show where in photos the evidence for a class lies (Grad-CAM).",
    discussion: """
      Each picture is the photo in its own size under the map's colours, dark for nothing and \
      bright for most, with the class and its probability below. The map is scaled to its largest \
      value. Gradients are those of log(p / (1 - p)), which point where those of the probability \
      p do and do not vanish where p is 1; with one sigmoid output the first class has 1 - p.
      """)

  @Argument(help: "Photos and folders.", completion: .file())
  var path: [String]

  @OptionGroup var model: ModelOptions
  @OptionGroup var limits: LimitOptions

  @Option(name: .customLong("class"), help: "The class to look for; default: each photo's own.")
  var className: String?

  @Option(help: "The layer to look at; default: the last convolution.")
  var layer: String?

  @Option(
    help: "How maps are computed; cam only where pooling and one Dense layer end the network.")
  var method = HeatMapMethod.gradCAM

  @Option(help: "The FOLDER for the pictures.", completion: .directory)
  var output: String?

  @Option(help: "A FILE for the numbers: .h5, or .json.", completion: .file())
  var raw: String?

  @Option(help: "How many photos go through the model at once.")
  var batchSize = 20

  @OptionGroup var format: JSONOption
  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    guard output != nil || raw != nil else {
      throw ValidationError("give --output (a folder), --raw (a file) or both")
    }
    guard batchSize > 0 else {
      throw ValidationError("--batch-size must be 1 or more, found \(batchSize)")
    }
    try validateRaw(raw)
  }

  func run() throws {
    let console = options.console
    if let raw { try OutputPlace.check(raw, inputs: [model.model] + path) }
    if let output { try PictureOutput.checkFolder(output) }
    let folder = try PhotoFolder(unlabelled: path)
    reportIgnored(folder, console)
    let classifier = try model.load(console, limits)
    let label = try className.map { try classifier.label(named: $0) }
    let mapper = try named(model.model) {
      try HeatMapper(classifier, method: method, layer: layer)
    }
    console.note(
      "\(method.title) of '\(mapper.layer)': maps of \(mapper.shape[0])x\(mapper.shape[1])")
    let pictures = try output.map {
      try PictureOutput.places(for: folder.photos, in: $0, suffix: ".heatmap.png")
    }
    try work(
      folder.photos, classifier,
      HeatMapRun(
        classifier, mapper, label: label, batchSize: batchSize), pictures, mapper)
  }

  private func work(
    _ photos: [Photo], _ classifier: ClassifierModel, _ run: HeatMapRun, _ pictures: [String]?,
    _ mapper: HeatMapper
  ) throws {
    let console = options.console
    let progress = Progress(
      title: "heat maps", total: photos.count, unit: "photos", console: console)
    var numbers = RawHeatMaps(
      classNames: classifier.classNames, layer: mapper.layer, method: method.rawValue)
    var rows: [Row] = []
    let tally = try run.run(
      photos, pictures: pictures,
      report: {
        try Interrupt.check()
        progress.advance(to: $0)
      },
      { item in
        let path = item.photo.relativePath
        switch item.outcome {
        case .failure(let error): rows.append(Row(path: path, error: "\(error)"))
        case .success(let map):
          if map.isEmpty {
            console.note("'\(path)': nothing speaks for '\(classifier.classNames[map.label])'")
          }
          numbers.add(map, path: path)
          rows.append(
            Row(
              path: path, label: classifier.classNames[map.label], probability: map.probability,
              picture: item.picture))
        }
      })
    progress.finish()
    reportPixels(tally, console)
    if let raw { try numbers.write(raw) }
    try format.print(rows, on: console) { try console.result(Self.table(rows)) }
    if !tally.skipped.isEmpty { throw SomeFailed(tally.skipped.count, of: photos.count) }
  }

  /// One photo, as it is printed.
  private struct Row: Encodable {
    let path: String
    var label: String?
    var probability: Float?
    var picture: String?
    var error: String?
  }

  private static func table(_ rows: [Row]) -> TextTable {
    var table = TextTable([.text("path"), .text("class"), .number("probability"), .text("picture")])
    for row in rows {
      table.add([
        row.path, row.label ?? "error: \(row.error ?? "")",
        row.probability.map { decimal(Double($0), 4) } ?? "", row.picture ?? "",
      ])
    }
    return table
  }
}

/// Refuses names that do not say how numbers are to be written.
func validateRaw(_ raw: String?) throws {
  if let raw, RawHeatMaps.isHDF5(raw) == nil {
    throw ValidationError("--raw must end with .h5, .hdf5 or .json, found '\(raw)'")
  }
}
