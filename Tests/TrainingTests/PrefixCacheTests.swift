import Compute
import Foundation
import Images
import Layers
import TestSupport
import Testing
import Training

/// What leaves the frozen part is kept on disk, or computed anew where it cannot be: the results
/// are the same to the bit.
struct PrefixCacheTests {
  private struct Run {
    var tensors: [Tensor] = []
    var losses: [Double] = []
    var uncached: [String] = []
    /// How far the frozen part was, of how many pictures, when it ended.
    var ends: [[Int]] = []
    /// What was seen in the folder of the cache while training.
    var files: Set<String> = []
  }

  private func run(views: Int?, limit: Int, in folder: String) throws -> Run {
    let photos = try PhotoFolder(
      labelled: Locations.tests("TLCommandsTests/Fixtures/photos/train"))
    let validation = try PhotoFolder(
      labelled: Locations.tests("TLCommandsTests/Fixtures/photos/validation"))
    let loader = PhotoLoader(height: 32, width: 32, preprocessing: .rescale)
    var tuning = try FineTuning(
      model: ClassifierModel(
        new: .tlMini, classNames: photos.classNames, loader: loader, seed: 1),
      trained: TrainableLayers(unfreeze: LayerSelection("block5")),
      settings: TrainingSettings(epochs: 3, batchSize: 7, rule: .adam(), seed: 2),
      photosAtOnce: 5, isStrict: false, cacheLimit: limit,
      augmentation: views.map { AugmentationPlan(ranges: .book, views: $0) })
    tuning.cacheFolder = folder
    var run = Run()
    let result = try tuning.run(photos, validation: validation) { event in
      switch event {
      case .uncached(let reason): run.uncached.append(reason)
      case .prefix(let done, let total) where done == total: run.ends.append([done, total])
      case .training(.epoch(let result, _)):
        run.losses += [result.loss, result.validationLoss ?? 0]
        run.files.formUnion((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      default: break
      }
    }
    run.tensors = result.model.network.nodes.flatMap { $0.layer.parameters.map(\.value) }
    return run
  }

  @Test(arguments: [nil, 1, 2])
  func keptOutputsChangeNothing(views: Int?) throws {
    try Locations.withTemporaryFolder { place in
      let kept = try run(views: views, limit: 1 << 30, in: place.path)
      #expect(kept.uncached == [])
      #expect(kept.files == [], "the file has no name")
      let pictures = 24 * (views ?? 1) + 12
      #expect(kept.ends == [[pictures, pictures]])

      let anew = try run(views: views, limit: 0, in: place.path)
      #expect(anew.losses == kept.losses)
      #expect(anew.tensors == kept.tensors)

      let missing = place.path + "/gone"
      let impossible = try run(views: views, limit: 1 << 30, in: missing)
      let reason = "cannot make a scratch file in '\(missing)': No such file or directory"
      #expect(impossible.uncached == [reason, reason], "of photos to train and to validate on")
      #expect(impossible.ends == [[36, 36]])
      #expect(impossible.losses == kept.losses)
      #expect(impossible.tensors == kept.tensors)
    }
  }
}
