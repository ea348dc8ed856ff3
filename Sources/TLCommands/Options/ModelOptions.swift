import ArgumentParser
import Images
import Training
import Weights

/// Which model to use, and what must be said of one that Keras wrote.
struct ModelOptions: ParsableArguments {
  @Option(help: "The model FILE (.h5).")
  var model: String

  @Option(help: "Class names a,b,... for a model that does not hold them.")
  var classNames: String?

  @Option(help: "Preprocessing, for a model that does not name its own.")
  var preprocess: Preprocessing?

  @Option(help: "Interpolation, for a model that does not name its own.")
  var interpolation: Interpolation?

  @Option(help: "Photos' size, for a model of any: 150, or 150x200 (height first).")
  var imageSize: ImageSize?

  @Flag(help: "Leave photos as stored instead of turning them by EXIF.")
  var ignoreOrientation = false

  @OptionGroup var precision: PrecisionOptions

  func load(_ console: Console) throws -> ClassifierModel {
    let overrides = ModelOverrides(
      classNames: classNames.map { $0.split(separator: ",").map(String.init) },
      preprocessing: preprocess, interpolation: interpolation,
      ignoreOrientation: ignoreOrientation, imageSize: imageSize?.pair)
    var classifier = try loaded(overrides)
    classifier.precision = precision.chosen(console)
    console.note("model: \(classifier.summary)")
    console.note("photos: \(classifier.loader.summary)")
    return classifier
  }

  private func loaded(_ overrides: ModelOverrides) throws -> ClassifierModel {
    do {
      return try ClassifierModel.load(model, overrides: overrides)
    } catch let error as WeightsError {
      if case .noConfiguration = error { throw BaseWithoutHead(description: error.description) }
      throw error
    }
  }
}

/// A base was given where a model with classes is needed.
private struct BaseWithoutHead: CustomStringConvertible, WithWayOut {
  let description: String

  var wayOut: String? { "train a head on it: `tl extract-features`, then `tl train-head`" }
}
