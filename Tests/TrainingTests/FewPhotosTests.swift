import Compute
import Images
import TestSupport
import Testing
import Training

/// One or two photos are computed another way than many, to answer sooner.
struct FewPhotosTests {
  private func probabilities(
    _ model: ClassifierModel, _ photos: [Photo], batchSize: Int = 20
  ) throws -> [[Float]] {
    var rows: [[Float]] = []
    try model.predict(photos, batchSize: batchSize, report: { _ in }) {
      rows.append(try $0.outcome.get())
    }
    return rows
  }

  @Test func aloneAPhotoIsWhatItIsAmongOthers() throws {
    let folder = try PhotoFolder(
      labelled: Locations.tests("TLCommandsTests/Fixtures/photos/train"))
    let photos = Array(folder.photos.prefix(5))
    let model = try ClassifierModel(
      new: .tlMini, classNames: ["a", "b", "c"],
      loader: PhotoLoader(height: 64, width: 64, preprocessing: .rescale), seed: 3)
    let together = try probabilities(model, photos)
    #expect(together.count == 5)
    // In one list the size of batches changes nothing at all.
    #expect(try probabilities(model, photos, batchSize: 1) == together)
    for (photo, expected) in zip(photos, together) {
      let alone = try probabilities(model, [photo])[0]
      #expect(zip(alone, expected).allSatisfy { abs($0 - $1) <= 1e-5 }, "\(alone) \(expected)")
    }
  }

  @Test func onlyManyPicturesAreWorthTransformedKernels() {
    #expect(ClassifierModel.convolutions(forPictures: 1) == .direct)
    #expect(ClassifierModel.convolutions(forPictures: 2) == .direct)
    #expect(ClassifierModel.convolutions(forPictures: 3) == .current)
  }
}
