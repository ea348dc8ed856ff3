import ArgumentParser
import Images
import Training
import Weights

extension TestTimeViews: ExpressibleByArgument {
  public static var allValueStrings: [String] {
    allCases.filter { $0 != .one }.map(\.rawValue)
  }
}

/// Which views of each photo the model is shown.
struct ViewOptions: ParsableArguments {
  @Option(help: "Average over views of each photo (test-time augmentation).")
  var tta: TestTimeViews?

  func apply(to classifier: inout ClassifierModel, _ console: Console) {
    guard let tta else { return }
    classifier.loader.testViews = tta
    console.note("answers are means over \(tta.count) views: \(tta.summary)")
  }
}

/// Which model to use, and what must be said of one that Keras wrote.
struct ModelOptions: ParsableArguments {
  @Option(help: "The model FILE (.h5, .keras).", completion: .modelFile)
  var model: String

  @Option(help: "Class names a,b,... for a model that does not hold them.")
  var classNames: String?

  @Option(help: "Preprocessing, for a model that does not name its own.")
  var preprocess: Preprocessing?

  @Option(help: "Photos' size, for a model of any: 150, or 150x200 (height first).")
  var imageSize: ImageSize?

  @OptionGroup var precision: PrecisionOptions
  @OptionGroup(title: "For a model that does not say") var scaling: ScalingOptions

  /// - Parameter mapped: whether the model is only used to predict, as in `ClassifierModel.load`.
  func load(
    _ console: Console, _ limits: LimitOptions, mapped: Bool = false
  ) throws -> ClassifierModel {
    let overrides = ModelOverrides(
      classNames: classNames.map { $0.split(separator: ",").map(String.init) },
      preprocessing: preprocess, interpolation: scaling.interpolation, fit: scaling.fit,
      ignoreOrientation: scaling.ignoreOrientation, fastDecode: scaling.fastDecode,
      imageSize: imageSize?.pair)
    var classifier = try loaded(overrides, mapped: mapped)
    classifier.precision = precision.chosen(console)
    classifier.loader.pixelLimit = limits.pixelLimit
    console.note("model: \(classifier.summary)")
    for note in classifier.notes { console.note(note) }
    console.note("photos: \(classifier.loader.summary)")
    return classifier
  }

  private func loaded(_ overrides: ModelOverrides, mapped: Bool) throws -> ClassifierModel {
    do {
      return try ClassifierModel.load(model, overrides: overrides, mapped: mapped)
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
