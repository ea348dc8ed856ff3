import ArgumentParser
import Explain
import Images
import Training

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Classify photos and folders of photos.",
    discussion: """
      Photos keep the order given; those of a folder come sorted by path. A photo that fails gets \
      a row with its error, and the exit status is 2. --explain writes the pictures that \
      `tl show heatmap` does, each of its photo's predicted class.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, csv, json
  }

  @Argument(help: "Photos and folders.", completion: .file())
  var path: [String]

  @OptionGroup var model: ModelOptions
  @OptionGroup var views: ViewOptions
  @OptionGroup var limits: LimitOptions

  @Option(help: "How results are written.")
  var format = Format.table

  @Flag(help: "Print JSON: the same as --format json.")
  var json = false

  @Option(help: "The FILE to write results to instead of stdout.", completion: .file())
  var output: String?

  @Option(help: "How many classes the table names, most probable first.")
  var topK = 1

  @Option(
    help: "A FOLDER for heat maps of what spoke for each photo's class.",
    completion: .directory)
  var explain: String?

  @Option(help: "How many photos go through the model at once.")
  var batchSize = 20

  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    guard topK > 0 else { throw ValidationError("--top-k must be 1 or more, found \(topK)") }
    guard batchSize > 0 else {
      throw ValidationError("--batch-size must be 1 or more, found \(batchSize)")
    }
    guard !json || format != .csv else {
      throw ValidationError("--json and --format csv cannot go together")
    }
    guard views.tta == nil || explain == nil else {
      throw ValidationError("--tta and --explain cannot go together: a heat map is of one view")
    }
  }

  func run() throws {
    let console = options.console
    if let output { try OutputPlace.check(output, isNoneOf: [model.model] + path) }
    if let explain { try PictureOutput.checkFolder(explain) }
    let folder = try PhotoFolder(unlabelled: path)
    reportIgnored(folder, console)
    var classifier = try model.load(console, limits, mapped: explain == nil)
    let explained = try explain.map { try Explained(folder.photos, classifier, in: $0, batchSize) }
    views.apply(to: &classifier, console)
    let progress = Progress(
      title: "predict", total: folder.photos.count, unit: "photos", console: console)
    var failed = 0
    try ResultWriter.write(to: output, console: console) { sink in
      var rows = PredictionRows(
        json ? .json : format, sink, classNames: classifier.classNames, topK: topK)
      try rows.begin()
      let report = { (done: Int) throws in
        try Interrupt.check()
        progress.advance(to: done)
      }
      let tally =
        if let explained {
          try explained.run.run(folder.photos, pictures: explained.pictures, report: report) {
            try rows.add($0.prediction)
          }
        } else {
          try classifier.predict(folder.photos, batchSize: batchSize, report: report) {
            try rows.add($0)
          }
        }
      try rows.end()
      failed = tally.skipped.count
      progress.finish()
      reportPixels(tally, console)
    }
    if failed > 0 { throw SomeFailed(failed, of: folder.photos.count) }
  }
}

/// Heat maps that are made while predicting.
private struct Explained {
  let run: HeatMapRun
  let pictures: [String]

  init(
    _ photos: [Photo], _ classifier: ClassifierModel, in folder: String, _ batchSize: Int
  ) throws {
    run = HeatMapRun(classifier, try HeatMapper(classifier), batchSize: batchSize)
    pictures = try PictureOutput.places(for: photos, in: folder, suffix: ".heatmap.png")
  }
}

/// Writes predictions in one of the formats, row by row where the format allows.
private struct PredictionRows {
  private let format: Predict.Format
  private let sink: any TextSink
  private let classNames: [String]
  private let topK: Int
  private var table: TextTable
  private var array: JSONArrayWriter

  init(_ format: Predict.Format, _ sink: any TextSink, classNames: [String], topK: Int) {
    self.format = format
    self.sink = sink
    self.classNames = classNames
    self.topK = min(topK, classNames.count)
    var columns: [TextTable.Column] = [.text("path")]
    for rank in 1...self.topK {
      columns += [.text(rank == 1 ? "label" : "label \(rank)"), .number("probability")]
    }
    table = TextTable(columns)
    array = JSONArrayWriter(sink)
  }

  mutating func begin() throws {
    guard format == .csv else { return }
    try sink.line(CSV.row(["path", "label", "probability"] + classNames + ["error"]))
  }

  mutating func add(_ prediction: Prediction) throws {
    switch format {
    case .table: addToTable(prediction)
    case .csv: try sink.line(CSV.row(fields(prediction)))
    case .json: try array.append(PredictionRecord(prediction, classNames: classNames))
    }
  }

  mutating func end() throws {
    switch format {
    case .table: try sink.write(table.text + "\n")
    case .csv: break
    case .json: try array.finish()
    }
  }

  private mutating func addToTable(_ prediction: Prediction) {
    let path = prediction.photo.relativePath
    switch prediction.outcome {
    case .failure(let error):
      table.add([path, "error: \(error)"] + [String](repeating: "", count: 2 * topK - 1))
    case .success(let probabilities):
      let ranked = probabilities.indices.sorted {
        (probabilities[$1], $0) < (probabilities[$0], $1)
      }
      table.add(
        [path]
          + ranked.prefix(topK).flatMap {
            [classNames[$0], decimal(Double(probabilities[$0]), 4)]
          })
    }
  }

  private func fields(_ prediction: Prediction) -> [String] {
    let path = prediction.photo.relativePath
    switch prediction.outcome {
    case .failure(let error):
      return [path] + [String](repeating: "", count: classNames.count + 2) + [error.description]
    case .success(let probabilities):
      let best = prediction.best.map { [classNames[$0.label], CSV.number($0.probability)] } ?? []
      return [path] + best + probabilities.map { CSV.number($0) } + [""]
    }
  }
}

/// One photo in `tl predict --format json`.
private struct PredictionRecord: Encodable {
  let path: String
  let label: String?
  let probability: Float?
  let probabilities: [String: Float]?
  let error: String?

  init(_ prediction: Prediction, classNames: [String]) {
    path = prediction.photo.relativePath
    label = prediction.best.map { classNames[$0.label] }
    probability = prediction.best?.probability
    switch prediction.outcome {
    case .success(let values):
      probabilities = Dictionary(uniqueKeysWithValues: zip(classNames, values))
      error = nil
    case .failure(let failure):
      probabilities = nil
      error = failure.description
    }
  }

  enum CodingKeys: CodingKey {
    case path, label, probability, probabilities, error
  }

  /// Every field is written, absent ones as null, so that readers need not ask which are there.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(path, forKey: .path)
    try container.encode(label, forKey: .label)
    try container.encode(probability, forKey: .probability)
    try container.encode(probabilities, forKey: .probabilities)
    try container.encode(error, forKey: .error)
  }
}
