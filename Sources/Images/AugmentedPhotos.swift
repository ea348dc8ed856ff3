internal import Compute

/// Photos with several random views each, as 8-bit pictures to look at.
package struct AugmentedPhotos: Sendable {
  package let photos: [Photo]
  private let views: [AugmentedView]
  private let loader: PhotoLoader

  /// One photo and what its views show.
  package struct Row: Sendable {
    /// The photo as it is without changes.
    package let photo: RGBImage
    package let views: [RGBImage]

    /// The photo, then its views.
    package var all: [RGBImage] { [photo] + views }
  }

  /// Views 0 up to `views`, scaled by `loader`.
  package init(
    photos: [Photo], views: Int, ranges: Augmentation, seed: UInt64, loader: PhotoLoader
  ) {
    self.photos = photos
    self.views = (0..<views).map { AugmentedView(ranges, seed: seed, number: $0) }
    self.loader = loader
  }

  /// One row a photo in the order of the list, made ahead on all cores.
  package func rows() -> some Sequence<Result<Row, ImagesError>> {
    let reader = ReadAhead(
      count: photos.count, ahead: 2 * Threads.count, threads: Threads.count
    ) { index in
      Result { () throws(ImagesError) in try row(photos[index]) }
    }
    return photos.indices.lazy.map { reader.take($0..<$0 + 1)[0] }
  }

  private func row(_ photo: Photo) throws(ImagesError) -> Row {
    let loaded = try loader.load(photo)
    let pictures = views.map { view in
      loader.augmented(loaded, photo.relativePath, view).augmented?.rounded ?? loaded.image
    }
    return Row(photo: loaded.image, views: pictures)
  }
}
