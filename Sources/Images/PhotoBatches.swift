package import Compute

/// Some photos of a list as one tensor, with those of them that failed.
package struct PhotoBatch: Sendable {
  /// The part of the list that this batch covers.
  package var range: Range<Int>
  /// The preprocessed photos that loaded, `[n, height, width, 3]`; n is 0 if all failed.
  package var tensor: Tensor
  /// For each row of the tensor, its index in the list.
  package var indices: [Int]
  /// For each row of the tensor, what is known of the photo.
  package var photos: [LoadedPhoto]
  package var failures: [Failure]

  /// A photo that could not be loaded.
  package struct Failure: Sendable {
    /// Its index in the list.
    package var index: Int
    package var photo: Photo
    package var error: ImagesError
  }
}

/// A list of photos in batches, loaded ahead on the other cores.
///
/// At most two batches beyond the one asked for are held in memory. The result does not depend on
/// threads, and stopping anywhere is fine: work under way ends by itself. Every iteration starts
/// from the first photo.
package struct PhotoBatches: Sequence {
  private let photos: [Photo]
  private let loader: PhotoLoader
  private let view: AugmentedView?
  private let batchSize: Int
  private let threads: Int

  /// Batches of `batchSize` photos in the order of the list; the last may be smaller.
  ///
  /// With a `view` photos get its random changes, the same in whatever order they come.
  /// Photos are loaded on `threads` threads, of which the caller's is one while it waits.
  package init(
    _ photos: [Photo], loader: PhotoLoader, view: AugmentedView? = nil, batchSize: Int,
    threads: Int = Threads.count
  ) {
    precondition(batchSize > 0, "a batch must hold photos but its size is \(batchSize)")
    self.photos = photos
    self.loader = loader
    self.view = view
    self.batchSize = batchSize
    self.threads = threads
  }

  package func makeIterator() -> Iterator { Iterator(photos, loader, view, batchSize, threads) }

  /// One pass through the list.
  package final class Iterator: IteratorProtocol {
    private let photos: [Photo]
    private let loader: PhotoLoader
    private let batchSize: Int
    private let reader: ReadAhead<Result<LoadedPhoto, ImagesError>>
    private var position = 0
    /// How long callers of `next` have waited so far, with what they computed themselves meanwhile.
    package private(set) var waited = Duration.zero

    fileprivate init(
      _ photos: [Photo], _ loader: PhotoLoader, _ view: AugmentedView?, _ batchSize: Int,
      _ threads: Int
    ) {
      self.photos = photos
      self.loader = loader
      self.batchSize = batchSize
      reader = ReadAhead(
        count: photos.count, ahead: 2 * batchSize, threads: threads
      ) { index in
        Result { () throws(ImagesError) in try loader.load(photos[index], view: view) }
      }
    }

    /// The next batch; waits for its photos.
    package func next() -> PhotoBatch? {
      guard position < photos.count else { return nil }
      let range = position..<Swift.min(position + batchSize, photos.count)
      position = range.upperBound
      var indices: [Int] = []
      var loaded: [LoadedPhoto] = []
      var failures: [PhotoBatch.Failure] = []
      let start = ContinuousClock.now
      defer { waited += ContinuousClock.now - start }
      for (index, result) in zip(range, reader.take(range)) {
        switch result {
        case .success(let photo):
          indices.append(index)
          loaded.append(photo)
        case .failure(let error):
          failures.append(PhotoBatch.Failure(index: index, photo: photos[index], error: error))
        }
      }
      return PhotoBatch(
        range: range, tensor: loader.tensor(of: loaded), indices: indices, photos: loaded,
        failures: failures)
    }
  }
}
