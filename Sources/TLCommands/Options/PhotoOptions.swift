import ArgumentParser
import Images
import Training

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
extension FeaturePooling: ExpressibleByArgument {}

/// How photos are read, shared by all commands that start from a base.
struct PhotoOptions: ParsableArguments {
  @Option(
    name: .customLong("image-size"),
    help: "Scale photos to SIZE pixels: 150, or 150x200; default: what suits the base.")
  var givenSize: ImageSize?

  @Option(help: "What happens to pixel values; default: what the base expects.")
  var preprocess: Preprocessing?

  @Option(help: "How photos are scaled; default: what suits the base.")
  var interpolation: Interpolation?

  @Flag(help: "Leave photos as stored instead of turning them by EXIF.")
  var ignoreOrientation = false

  /// The loader for a base, in the size that it was loaded for.
  func loader(for base: LoadedBase) throws -> PhotoLoader {
    guard let preprocessing = preprocess ?? base.preprocessing else {
      throw TrainingError.noPreprocessing(base.path)
    }
    return PhotoLoader(
      height: base.network.inputShape[0], width: base.network.inputShape[1],
      interpolation: interpolation ?? base.interpolation, preprocessing: preprocessing,
      ignoreOrientation: ignoreOrientation)
  }
}

/// What to do with photos that fail, and how many to take at once.
struct PassOptions: ParsableArguments {
  @Flag(help: "Stop at the first photo that does not decode.")
  var strict = false
}

/// Which base to use.
struct BaseOptions: ParsableArguments {
  @Option(help: "A Keras weights FILE, or a base's name: mini (default), vgg16, ...")
  var base: String?

  @Flag(help: "Accept a file that lacks some of the base's tensors.")
  var allowPartial = false
}
