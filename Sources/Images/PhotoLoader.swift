package import Compute

/// Opens photos and brings them to the size and numbers that a network takes.
package struct PhotoLoader: Sendable, Equatable {
  /// Size of the pictures for the network, in pixels.
  package var height: Int
  package var width: Int
  package var interpolation: Interpolation
  package var preprocessing: Preprocessing
  /// Leaves photos as they are stored, as Keras does, instead of turning them upright.
  package var ignoreOrientation: Bool

  package init(
    height: Int, width: Int, interpolation: Interpolation = .nearest,
    preprocessing: Preprocessing, ignoreOrientation: Bool = false
  ) {
    precondition(height > 0 && width > 0, "a size must be positive but is \(height) x \(width)")
    self.height = height
    self.width = width
    self.interpolation = interpolation
    self.preprocessing = preprocessing
    self.ignoreOrientation = ignoreOrientation
  }

  /// Reads, decodes, turns upright and resizes a photo.
  ///
  /// - Parameter view: the random change that it also gets.
  /// - Throws: `ImagesError`; its text names the file only where it could not be read.
  package func load(
    _ photo: Photo, view: AugmentedView? = nil
  ) throws(ImagesError) -> LoadedPhoto {
    let loaded = try load(bytes: readFile(photo.path))
    return view.map { augmented(loaded, photo.relativePath, $0) } ?? loaded
  }

  /// A loaded photo with what a view changes in it.
  func augmented(
    _ photo: LoadedPhoto, _ relativePath: String, _ view: AugmentedView
  ) -> LoadedPhoto {
    let parameters = view.parameters(for: relativePath, height: height, width: width)
    if parameters.isIdentity { return photo }
    var photo = photo
    photo.augmented = photo.image.augmented(
      parameters, fill: view.augmentation.fill, fillValue: view.augmentation.fillValue)
    return photo
  }

  /// Decodes, turns upright and resizes the bytes of a photo file.
  package func load(bytes: [UInt8]) throws(ImagesError) -> LoadedPhoto {
    let picture = try DecodedPicture(bytes: bytes)
    let applied = ignoreOrientation ? .upright : picture.orientation
    return LoadedPhoto(
      image: picture.image.upright(from: applied)
        .resized(height: height, width: width, interpolation),
      fingerprint: PhotoFingerprint.sha256(bytes), storedWidth: picture.image.width,
      storedHeight: picture.image.height, format: picture.format, colors: picture.colors,
      orientation: picture.orientation, wasTurned: !applied.isUpright, warning: picture.warning)
  }

  /// The photo in its own size, turned as `load` turns it.
  package func original(_ photo: Photo) throws(ImagesError) -> RGBImage {
    let picture = try DecodedPicture(bytes: readFile(photo.path))
    return picture.image.upright(from: ignoreOrientation ? .upright : picture.orientation)
  }

  /// The preprocessed numbers of loaded photos, `[n, height, width, 3]`.
  package func tensor(of photos: [LoadedPhoto]) -> Tensor {
    let size = height * width * 3
    for photo in photos {
      precondition(
        photo.image.height == height && photo.image.width == width,
        "pictures must be \(height) x \(width) but one is \(photo.image.height) x "
          + "\(photo.image.width)")
    }
    return Tensor(shape: [photos.count, height, width, 3]) { target in
      nonisolated(unsafe) let target = target
      parallel(photos.count) { range in
        for index in range {
          let place = target + index * size
          if let augmented = photos[index].augmented {
            preprocessing.write(augmented, to: place)
          } else {
            preprocessing.write(photos[index].image, to: place)
          }
        }
      }
    }
  }
}

/// A photo in the network's size, still 8-bit, and what is known of its file.
package struct LoadedPhoto: Sendable {
  package var image: RGBImage
  /// The picture after its random change, which the network sees instead; nil without a change.
  package var augmented: FloatPicture?
  /// SHA-256 of the file's bytes in hexadecimal.
  package var fingerprint: String
  /// Size in the file, before turning and resizing.
  package var storedWidth: Int
  package var storedHeight: Int
  package var format: PictureFormat
  /// How the file stores colors; anything but `.rgb` was converted.
  package var colors: DecodedPicture.ColorKind
  /// What the file says, applied or not.
  package var orientation: Orientation
  /// Whether the pixels were turned or mirrored to stand upright.
  package var wasTurned: Bool
  /// What the decoder complained about though it delivered a picture.
  package var warning: String?
}
