package import ArgumentParser
import Images
import Training
import Weights

/// Height and width of the network's input, written `150` or `150x200` (height first).
struct ImageSize: ExpressibleByArgument, CustomStringConvertible {
  let height: Int
  let width: Int

  init?(argument: String) {
    let parts = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard let first = parts[0], let second = parts.count == 1 ? first : parts[1],
      parts.count <= 2, (1...4096).contains(first), (1...4096).contains(second)
    else { return nil }
    (height, width) = (first, second)
  }

  var pair: (height: Int, width: Int) { (height, width) }

  init(_ size: Int) { (height, width) = (size, size) }

  init(height: Int, width: Int) { (self.height, self.width) = (height, width) }

  var description: String { height == width ? "\(height)" : "\(height)x\(width)" }
}

extension Preprocessing: ExpressibleByArgument {}
extension Interpolation: ExpressibleByArgument {}

extension FitMode: ExpressibleByArgument {
  public init?(argument: String) { self.init(rawValue: argument) }
  public var defaultValueDescription: String { rawValue }
  public static var allValueStrings: [String] { ["squash", "crop", "pad", "shorter-N"] }
  package static var defaultCompletionKind: CompletionKind {
    .list(["squash", "crop", "pad", "shorter-256"])
  }
}

/// How photos come into the network's frame where a model or a base does not say.
struct ScalingOptions: ParsableArguments {
  @Option(help: "How photos are scaled; default: what suits the base.")
  var interpolation: Interpolation?

  @Option(
    help: """
      What becomes of another shape: squash (default), crop, pad, or shorter-256 for \
      that shorter side and the middle of it.
      """)
  var fit: FitMode?

  @Flag(help: "Leave photos as stored instead of turning them by EXIF.")
  var ignoreOrientation = false

  @Flag(help: "Decode large JPEGs at 1/2 to 1/8: faster, slightly other pixels.")
  var fastDecode = false
}

/// What photos are refused for.
struct LimitOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Refuse photos of more than so many million pixels; default: 179.", valueName: "n"))
  var maxMegapixels: Double?

  /// In pixels.
  var pixelLimit: Int {
    maxMegapixels.map { Int($0 * 1_000_000) } ?? RGBImage.pixelLimit
  }

  func validate() throws {
    guard let maxMegapixels else { return }
    guard maxMegapixels > 0, maxMegapixels <= 4000 else {
      throw ValidationError(
        "--max-megapixels must be above 0, at most 4000, found \(maxMegapixels)")
    }
  }
}
extension FeaturePooling: ExpressibleByArgument {}

/// How photos are read, shared by all commands that start from a base.
struct PhotoOptions: ParsableArguments {
  @Option(
    name: .customLong("image-size"),
    help: "Scale photos to SIZE pixels: 150, or 150x200; default: what suits the base.")
  var givenSize: ImageSize?

  @Option(help: "What happens to pixel values; default: what the base expects.")
  var preprocess: Preprocessing?

  @OptionGroup var scaling: ScalingOptions

  /// The loader for a base, in the size that it was loaded for.
  func loader(for base: LoadedBase, _ limits: LimitOptions) throws -> PhotoLoader {
    guard let preprocessing = preprocess ?? base.preprocessing else {
      throw TrainingError.noPreprocessing(base.path)
    }
    let size = ImageSize(height: base.network.inputShape[0], width: base.network.inputShape[1])
    return PhotoLoader(
      size, scaling, interpolation: base.interpolation, preprocessing: preprocessing,
      pixelLimit: limits.pixelLimit)
  }
}

extension PhotoLoader {
  /// - Parameter interpolation: taken where none is asked for.
  init(
    _ size: ImageSize, _ scaling: ScalingOptions, interpolation: Interpolation = .nearest,
    preprocessing: Preprocessing, pixelLimit: Int
  ) {
    self.init(
      height: size.height, width: size.width,
      interpolation: scaling.interpolation ?? interpolation, fit: scaling.fit ?? .squash,
      preprocessing: preprocessing, ignoreOrientation: scaling.ignoreOrientation,
      fastDecode: scaling.fastDecode)
    self.pixelLimit = pixelLimit
  }
}

/// What to do with photos that fail, and how many to take at once.
struct PassOptions: ParsableArguments {
  @OptionGroup var limits: LimitOptions

  @Flag(help: "Stop at the first photo that does not decode.")
  var strict = false

  @Option(
    help: ArgumentHelp("Leave out the photos of a LIST of tl check-data.", valueName: "list"),
    completion: .file())
  var exclude: String?
}

/// Which base to use.
struct BaseOptions: ParsableArguments {
  @Option(
    help: "A Keras weights FILE, or a base's name: mini (default), vgg16, ...",
    completion: .baseFile)
  var base: String?

  @Flag(help: "Accept a file that lacks some of the base's tensors.")
  var allowPartial = false

  @OptionGroup var kernels: KernelOptions
}

/// How a base's file is read.
struct KernelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How a file's kernels lie, -turned as Theano's; default: what the file tells.",
      valueName: "order"))
  var kernelOrder: KernelOrder?

  /// The options as they are given on a command line.
  var arguments: [String] { kernelOrder.map { ["--kernel-order", $0.name] } ?? [] }
}

extension KernelOrder: ExpressibleByArgument {
  package init?(argument: String) {
    guard let order = Self.all.first(where: { $0.name == argument }) else { return nil }
    self = order
  }

  package static var allValueStrings: [String] { all.map(\.name) }
  package static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }
  package var defaultValueDescription: String { name }
}
