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

  /// Views 0 up to `views`, scaled by `loader`; other photos of `partners` may be mixed in.
  package init(
    photos: [Photo], of partners: [Photo], views: Int, ranges: Augmentation, seed: UInt64,
    loader: PhotoLoader
  ) {
    self.photos = photos
    self.views = (0..<views).map {
      AugmentedView(ranges, seed: seed, number: $0, partners: ranges.mixing == nil ? [] : partners)
    }
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
    let opened = try loader.open(readFile(photo.path), view: views.first)
    let pictures = views.map { loader.changed(opened, photo, $0).inputs[0].rounded }
    let unchanged = opened.upright.fitted(
      height: loader.height, width: loader.width, loader.fit, loader.interpolation)
    return Row(photo: unchanged.image, views: pictures)
  }
}
