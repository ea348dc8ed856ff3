import Foundation
import Images
import Layers
import TestSupport
import Testing
import Training

/// A photo that goes away while a network trains is named and left out; the run goes on.
struct LostPhotoTests {
  @Test func trainingGoesOnWithout() throws {
    try Locations.withTemporaryFolder { place in
      let path = place.appending(path: "train").path
      try FileManager.default.copyItem(
        atPath: Locations.tests("TLCommandsTests/Fixtures/photos/train"), toPath: path)
      let folder = try PhotoFolder(labelled: path)
      let gone = folder.photos[3]
      let loader = PhotoLoader(height: 32, width: 32, preprocessing: .rescale)
      let tuning = try FineTuning(
        model: ClassifierModel(
          new: .tlMini, classNames: folder.classNames, loader: loader, seed: 1),
        trained: TrainableLayers(unfreeze: LayerSelection("block5")),
        settings: TrainingSettings(epochs: 3, batchSize: 7, rule: .adam(), seed: 2),
        photosAtOnce: 5, isStrict: false, cacheLimit: 1 << 30,
        augmentation: AugmentationPlan(ranges: .book))
      var lost: [Int: [String]] = [:]
      var counts: [Int: Int] = [:]
      _ = try tuning.run(folder, validation: nil) { event in
        switch event {
        case .lost(let photos, let epoch):
          lost[epoch] = photos.map(\.path)
          #expect(photos.allSatisfy { $0.reason.contains("No such file") })
        case .training(.batch(let epoch, let done, _, _, _)): counts[epoch] = done
        case .training(.epoch(let result, _)) where result.epoch == 1:
          try FileManager.default.removeItem(atPath: gone.path)
        default: break
        }
      }
      #expect(lost == [2: [gone.relativePath], 3: [gone.relativePath]])
      #expect(counts == [1: 24, 2: 23, 3: 23])
    }
  }
}
