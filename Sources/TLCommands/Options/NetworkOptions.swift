import ArgumentParser
import Images
import Layers
import Training
import Weights

/// A base or a model to look into, and how photos come into it.
struct NetworkOptions: ParsableArguments {
  @Option(help: "A Keras weights FILE, or the name of a base such as vgg16.")
  var base: String?

  @Option(help: "A model FILE.")
  var model: String?

  @Option(help: "Photos' size: 150, or 150x200 (height first); default: a model's own, else 150.")
  var imageSize: ImageSize?

  @Option(help: "What happens to pixel values; default: what the network expects.")
  var preprocess: Preprocessing?

  @Option(help: "How photos are scaled; default: the model's own, else nearest.")
  var interpolation: Interpolation?

  @Flag(help: "Leave photos as stored instead of turning them by EXIF.")
  var ignoreOrientation = false

  @Flag(help: "Accept a base file that lacks some of its tensors.")
  var allowPartial = false

  func validate() throws {
    guard (base == nil) != (model == nil) else {
      throw ValidationError("give either --base or --model")
    }
  }

  /// A network with what is known of its photos.
  struct Opened {
    let network: Network
    /// The file that it came from.
    let path: String
    let preprocessing: Preprocessing?
    let interpolation: Interpolation
    let ignoreOrientation: Bool

    /// Throws `TrainingError.noPreprocessing` where it is not known.
    func loader() throws -> PhotoLoader {
      PhotoLoader(
        height: network.inputShape[0], width: network.inputShape[1],
        interpolation: interpolation, preprocessing: try knownPreprocessing(),
        ignoreOrientation: ignoreOrientation)
    }

    func knownPreprocessing() throws -> Preprocessing {
      guard let preprocessing else { throw TrainingError.noPreprocessing(path) }
      return preprocessing
    }
  }

  func open(_ console: Console) throws -> Opened {
    if let model { return try opened(model: model, console) }
    let size = imageSize ?? ImageSize(150)
    let loaded = try BaseLoader.load(
      base ?? "", height: size.height, width: size.width, allowPartial: allowPartial)
    console.note("base: \(loaded.summary), \(loaded.report.summary)")
    return Opened(
      network: loaded.network, path: loaded.path,
      preprocessing: preprocess ?? loaded.preprocessing,
      interpolation: interpolation ?? .nearest, ignoreOrientation: ignoreOrientation)
  }

  private func opened(model: String, _ console: Console) throws -> Opened {
    let stored = try KerasModel.read(model, inputShape: imageSize.map { [$0.height, $0.width, 3] })
    let (network, extras) = (stored.network, stored.extras)
    guard network.inputShape.count == 3, network.inputShape[2] == 3 else {
      throw TrainingError.noPhotoInput(model, found: network.inputShape)
    }
    console.note("model: '\(network.name)', \(network.nodes.count) layers")
    return Opened(
      network: network, path: model,
      preprocessing: preprocess ?? extras.preprocessing.flatMap { Preprocessing(rawValue: $0) },
      interpolation: interpolation
        ?? extras.interpolation.flatMap { Interpolation(rawValue: $0) } ?? .nearest,
      ignoreOrientation: ignoreOrientation || extras.ignoresOrientation == true)
  }
}
