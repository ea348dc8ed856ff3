import ArgumentParser
import Images
import Layers
import Training
import Weights

/// A base or a model to look into, and how photos come into it.
struct NetworkOptions: ParsableArguments {
  @Option(
    help: "A Keras weights FILE, or a base's name: mini (default), vgg16, ...",
    completion: .baseFile)
  var base: String?

  @Option(help: "A model FILE.", completion: .modelFile)
  var model: String?

  @Option(help: "Photos' size: 150, or 150x200 (height first); default: what suits the network.")
  var imageSize: ImageSize?

  @Option(help: "What happens to pixel values; default: what the network expects.")
  var preprocess: Preprocessing?

  @OptionGroup var scaling: ScalingOptions

  @Flag(help: "Accept a base file that lacks some of its tensors.")
  var allowPartial = false

  @OptionGroup var kernels: KernelOptions

  func validate() throws {
    guard base == nil || model == nil else {
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
    let fit: FitMode
    let ignoreOrientation: Bool
    let fastDecode: Bool

    /// Throws `TrainingError.noPreprocessing` where it is not known.
    func loader() throws -> PhotoLoader {
      PhotoLoader(
        height: network.inputShape[0], width: network.inputShape[1],
        interpolation: interpolation, fit: fit, preprocessing: try knownPreprocessing(),
        ignoreOrientation: ignoreOrientation, fastDecode: fastDecode)
    }

    func knownPreprocessing() throws -> Preprocessing {
      guard let preprocessing else { throw TrainingError.noPreprocessing(path) }
      return preprocessing
    }
  }

  func open(_ console: Console) throws -> Opened {
    if let model { return try opened(model: model, console) }
    let loaded = try BaseLoader.load(
      baseFile(base, console), height: imageSize?.height, width: imageSize?.width,
      allowPartial: allowPartial, kernelOrder: kernels.kernelOrder)
    reportLoaded(loaded, console)
    return Opened(
      network: loaded.network, path: loaded.path,
      preprocessing: preprocess ?? loaded.preprocessing,
      interpolation: scaling.interpolation ?? loaded.interpolation, fit: scaling.fit ?? .squash,
      ignoreOrientation: scaling.ignoreOrientation, fastDecode: scaling.fastDecode)
  }

  private func opened(model: String, _ console: Console) throws -> Opened {
    let stored = try KerasModel.read(model, inputShape: imageSize.map { [$0.height, $0.width, 3] })
    let (network, extras) = (stored.network, stored.extras)
    guard network.inputShape.count == 3, network.inputShape[2] == 3 else {
      throw TrainingError.noPhotoInput(model, found: network.inputShape)
    }
    console.note("model: '\(network.name)', \(network.nodes.count) layers")
    for note in stored.report.notes { console.note(note) }
    return Opened(
      network: network, path: model,
      preprocessing: preprocess ?? extras.preprocessing.flatMap { Preprocessing(rawValue: $0) },
      interpolation: scaling.interpolation
        ?? extras.interpolation.flatMap { Interpolation(rawValue: $0) } ?? .nearest,
      fit: scaling.fit ?? extras.fit.flatMap { FitMode(rawValue: $0) } ?? .squash,
      ignoreOrientation: scaling.ignoreOrientation || extras.ignoresOrientation == true,
      fastDecode: scaling.fastDecode || extras.decodesFast == true)
  }
}
