import ArgumentParser
import Foundation
import Images
import Training
import Weights

extension ExportFormat: ExpressibleByArgument {}
extension NumberType: ExpressibleByArgument {}

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a model in another format, for Keras, ONNX or safetensors.",
    discussion: """
      keras-h5     a full model for Keras 2 and 3 (.h5)
      keras        the archive of Keras 3, which Keras 2.13 and later reads too (.keras)
      weights-h5   weights for load_weights of the same network (.weights.h5)
      onnx         'input' [batch, height, width, channels] to 'output', opset 18
      safetensors  tensors under Keras's names and in its layout: kernels are \
      [height, width, in, out]

      Class names, preprocessing, and which layers are frozen go along in every format; Keras \
      and others leave them alone. `tl` reads what it wrote, but for ONNX.
      """)

  @Argument(help: "The model FILE, or a base's weights.", completion: .file())
  var model: String

  @Option(help: "The format to write.")
  var format: ExportFormat

  @Option(
    help: "The FILE to write; by default the model's name with the format's ending.",
    completion: .file())
  var output: String?

  @Flag(help: "Let an ONNX model take RGB photos of 0 to 255 and preprocess them itself.")
  var includePreprocessing = false

  @Option(help: "How numbers are stored; they are float32 again once loaded.")
  var dtype = NumberType.float32

  @Option(help: "Class names a,b,... to go along, for a model that does not hold them.")
  var classNames: String?

  @Option(help: "Preprocessing to go along, for a model that does not name its own.")
  var preprocess: Preprocessing?

  @Option(help: "Photos' size, for a model of any: 150, or 150x200 (height first).")
  var imageSize: ImageSize?

  @OptionGroup var results: JSONOption
  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    guard format == .onnx || !includePreprocessing else {
      throw ValidationError("--include-preprocessing goes with --format onnx")
    }
    guard output.map(format.fits) ?? true else {
      throw ValidationError(
        "the format goes by a file's name: expected --output to end in '\(format.fileExtension)'")
    }
  }

  func run() throws {
    let console = options.console
    let path = output ?? format.defaultPath(for: model)
    try OutputPlace.check(path, inputs: [model])
    let export = try ModelExport(
      model,
      overrides: ModelOverrides(
        classNames: classNames.map { $0.split(separator: ",").map(String.init) },
        preprocessing: preprocess, imageSize: imageSize?.pair))
    if let base = export.base { console.note("base: \(base)") }
    if !export.unknown.isEmpty {
      console.note("'\(model)' does not say its \(export.unknown.joined(separator: " and "))")
    }
    if includePreprocessing, export.preprocessing == nil {
      throw TrainingError.missingExtras(
        model, what: "the preprocessing it expects", flag: "--preprocess caffe")
    }
    try export.write(
      format, to: path, type: dtype, includesPreprocessing: includePreprocessing)
    let written = ExportReport(path: path, format: format.rawValue, model: export.model)
    try results.print(written, on: console) {
      try console.result("wrote \(path): \(written.summary)")
    }
  }
}

/// What is printed of a file, with `--json` as it is.
private struct ExportReport: Encodable {
  let path: String
  let format: String
  let parameters: Int
  /// Without the batch axis.
  let input: [Int]
  let output: [Int]
  let classes: [String]?
  let preprocessing: String?

  init(path: String, format: String, model: KerasModel) {
    (self.path, self.format) = (path, format)
    parameters = model.network.parameterCount
    (input, output) = (model.network.inputShape, model.network.outputShape)
    (classes, preprocessing) = (model.extras.classNames, model.extras.preprocessing)
  }

  var summary: String {
    "\(grouped(parameters)) parameters, input \(input), output \(output)"
      + (classes.map { "; classes \($0.joined(separator: ", "))" } ?? "")
  }
}
