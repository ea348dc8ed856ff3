import Compute
import Images
import Scratch

/// What a frozen prefix makes of every view of some photos, kept on disk.
final class PrefixCache {
  private let rowShape: [Int]
  /// Photo by photo, view by view.
  private let outputs: ScratchRows
  /// What is mixed into each photo, in the same order.
  private var mixtures: [LabelMixture?] = []
  /// How many photos there are of each view; known once the first view is there.
  var photos = 0

  /// - Parameters:
  ///   - rowShape: that of one picture's outputs.
  ///   - pictures: how many there will be at most, of all views.
  init(rowShape: [Int], pictures: Int, folder: String) throws(ScratchError) {
    self.rowShape = rowShape
    outputs = try ScratchRows(
      rowSize: rowShape.reduce(1, *), capacity: pictures, folder: folder)
  }

  func add(_ batch: PhotoBatch, _ output: Tensor) throws(ScratchError) {
    mixtures += batch.photos.map(\.mixture)
    try outputs.append(output.scalars)
  }

  /// The outputs for photos as an epoch, counted from 1, sees them.
  ///
  /// - Parameter next: the photos that will be wanted after these.
  func rows(
    at indices: [Int], epoch: Int, preparing next: [Int] = []
  ) throws(ScratchError) -> Tensor {
    let rows = try outputs.rows(at: places(indices, epoch))
    outputs.prepare(places(next, epoch))
    return Tensor(shape: [indices.count] + rowShape, scalars: rows)
  }

  func mixtures(at indices: [Int], epoch: Int) -> [LabelMixture?] {
    places(indices, epoch).map { mixtures[$0] }
  }

  private func places(_ indices: [Int], _ epoch: Int) -> [Int] {
    let views = outputs.count / photos
    return indices.map { (epoch - 1) % views * photos + $0 }
  }
}
