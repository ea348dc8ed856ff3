package import Compute

/// Opens photos and brings them to the size and numbers that a network takes.
package struct PhotoLoader: Sendable, Equatable {
  /// Size of the pictures for the network, in pixels.
  package var height: Int
  package var width: Int
  package var interpolation: Interpolation
  package var fit: FitMode
  package var preprocessing: Preprocessing
  /// Leaves photos as they are stored, as Keras does, instead of turning them upright.
  package var ignoreOrientation: Bool
  /// Decodes large JPEG files at a fraction of their size: faster, with slightly other pixels.
  package var fastDecode: Bool
  /// A photo that claims more pixels is refused.
  package var pixelLimit = RGBImage.pixelLimit
  /// Which views of each photo the network sees when it is asked, one unless said otherwise.
  package var testViews = TestTimeViews.one

  package init(
    height: Int, width: Int, interpolation: Interpolation = .nearest, fit: FitMode = .squash,
    preprocessing: Preprocessing, ignoreOrientation: Bool = false, fastDecode: Bool = false
  ) {
    precondition(height > 0 && width > 0, "a size must be positive but is \(height) x \(width)")
    self.height = height
    self.width = width
    self.interpolation = interpolation
    self.fit = fit
    self.preprocessing = preprocessing
    self.ignoreOrientation = ignoreOrientation
    self.fastDecode = fastDecode
  }

  /// Reads, decodes, turns upright and resizes a photo.
  ///
  /// - Parameter view: the random changes that it also gets.
  /// - Throws: `ImagesError`; its text names the file only where it could not be read.
  package func load(
    _ photo: Photo, view: AugmentedView? = nil
  ) throws(ImagesError) -> LoadedPhoto {
    let opened = try open(readFile(photo.path), view: view)
    guard let view else { return arranged(opened) }
    return changed(opened, photo, view)
  }

  /// Decodes, turns upright and resizes the bytes of a photo file.
  package func load(bytes: [UInt8]) throws(ImagesError) -> LoadedPhoto {
    arranged(try open(bytes, view: nil))
  }

  /// A decoded photo in its own size, upright.
  struct OpenedPhoto {
    var upright: RGBImage
    var bytes: [UInt8]
    var picture: DecodedPicture
    var wasTurned: Bool
  }

  func open(_ bytes: [UInt8], view: AugmentedView?) throws(ImagesError) -> OpenedPhoto {
    let limits = DecodingLimits(pixels: pixelLimit, reducedTo: fastDecode ? leastSize(view) : nil)
    let picture = try DecodedPicture(bytes: bytes, limits: limits)
    let applied = ignoreOrientation ? .upright : picture.orientation
    return OpenedPhoto(
      upright: picture.image.upright(from: applied), bytes: bytes, picture: picture,
      wasTurned: !applied.isUpright)
  }

  /// What a decoded photo needs at least so that nothing must be enlarged for reduced decoding.
  private func leastSize(_ view: AugmentedView?) -> PixelSize {
    var (height, width) = (Double(height), Double(width))
    if case .shorterSide(let size) = fit { (height, width) = (Double(size), Double(size)) }
    if let crop = view?.augmentation.crop {
      let share = crop.scale.lowerBound.squareRoot()
      (height, width) = (height / share, width / share)
    }
    return PixelSize(height: Int(height.rounded(.up)), width: Int(width.rounded(.up)))
  }

  /// The photo without random changes, in all views that are asked for.
  private func arranged(_ opened: OpenedPhoto) -> LoadedPhoto {
    let (image, exact) = opened.upright.fitted(height: height, width: width, fit, interpolation)
    let inputs =
      testViews == .one
      ? [exact.map(NetworkPicture.exact) ?? .whole(image)]
      : testViews.pictures(of: opened.upright, unchanged: (image, exact), self)
    return LoadedPhoto(opened, image: image, inputs: inputs)
  }

  /// The photo with what a view changes in it.
  func changed(_ opened: OpenedPhoto, _ photo: Photo, _ view: AugmentedView) -> LoadedPhoto {
    let (image, changed) = picture(opened.upright, photo.relativePath, view)
    var loaded = LoadedPhoto(opened, image: image, inputs: [changed])
    guard let mixing = view.mixing(for: photo, height: height, width: width) else { return loaded }
    // Where the other photo does not decode, this one stays what it is; nothing is lost.
    guard let bytes = try? readFile(mixing.partner.path),
      let partner = try? open(bytes, view: view)
    else { return loaded }
    let other = picture(partner.upright, mixing.partner.relativePath, view).changed
    loaded.inputs = [.exact(mixing.mixed(changed.floats, other.floats))]
    loaded.mixture = mixing.partner.label.map { LabelMixture(label: $0, share: mixing.share) }
    return loaded
  }

  /// The unchanged 8-bit picture where it costs nothing, and the changed one.
  private func picture(
    _ upright: RGBImage, _ path: String, _ view: AugmentedView
  ) -> (image: RGBImage, changed: NetworkPicture) {
    var (image, exact): (RGBImage, FloatPicture?)
    if let window = view.crop(for: path, height: upright.height, width: upright.width) {
      (image, exact) = upright.cut(window).fitted(
        height: height, width: width, .squash, interpolation)
    } else {
      (image, exact) = upright.fitted(height: height, width: width, fit, interpolation)
    }
    for operation in view.operations(for: path, height: height, width: width) {
      image = image.applying(operation)
      exact = nil
    }
    let parameters = view.parameters(for: path, height: height, width: width)
    var changed: FloatPicture? = exact
    if !parameters.isIdentity {
      changed = image.augmented(
        parameters, fill: view.augmentation.fill, fillValue: view.augmentation.fillValue)
    }
    if let jitter = view.jitter(for: path) {
      changed = (changed ?? FloatPicture(image)).jittered(jitter)
    }
    if let window = view.erasing(for: path, height: height, width: width) {
      changed = (changed ?? FloatPicture(image)).erased(window)
    }
    return (image, changed.map(NetworkPicture.exact) ?? .whole(image))
  }

  /// The photo in its own size, turned as `load` turns it.
  package func original(_ photo: Photo) throws(ImagesError) -> RGBImage {
    let limits = DecodingLimits(pixels: pixelLimit)
    let picture = try DecodedPicture(bytes: readFile(photo.path), limits: limits)
    return picture.image.upright(from: ignoreOrientation ? .upright : picture.orientation)
  }

  /// The preprocessed numbers of loaded photos, `[n * testViews.count, height, width, 3]`.
  package func tensor(of photos: [LoadedPhoto]) -> Tensor {
    let size = height * width * 3
    let pictures = photos.flatMap(\.inputs)
    for picture in pictures {
      precondition(
        picture.height == height && picture.width == width,
        "pictures must be \(height) x \(width) but one is \(picture.height) x "
          + "\(picture.width)")
    }
    return Tensor(shape: [pictures.count, height, width, 3]) { target in
      nonisolated(unsafe) let target = target
      parallel(pictures.count) { range in
        for index in range {
          let place = target + index * size
          switch pictures[index] {
          case .whole(let image): preprocessing.write(image, to: place)
          case .exact(let picture): preprocessing.write(picture, to: place)
          }
        }
      }
    }
  }
}

/// A picture in the network's size, before preprocessing.
package enum NetworkPicture: Sendable, Equatable {
  case whole(RGBImage)
  case exact(FloatPicture)

  package var height: Int {
    switch self {
    case .whole(let image): image.height
    case .exact(let picture): picture.height
    }
  }

  package var width: Int {
    switch self {
    case .whole(let image): image.width
    case .exact(let picture): picture.width
    }
  }

  package var floats: FloatPicture {
    switch self {
    case .whole(let image): FloatPicture(image)
    case .exact(let picture): picture
    }
  }

  /// As 8-bit picture, for looking at.
  package var rounded: RGBImage {
    switch self {
    case .whole(let image): image
    case .exact(let picture): picture.rounded
    }
  }
}

/// A photo in the network's size, and what is known of its file.
package struct LoadedPhoto: Sendable {
  /// The picture in 8 bits, before changes that are not whole numbers.
  package var image: RGBImage
  /// What the network sees, one picture unless several views are asked for.
  package var inputs: [NetworkPicture]
  /// What the label became with a photo that was mixed in.
  package var mixture: LabelMixture?
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

  init(_ opened: PhotoLoader.OpenedPhoto, image: RGBImage, inputs: [NetworkPicture]) {
    self.image = image
    self.inputs = inputs
    fingerprint = PhotoFingerprint.sha256(opened.bytes)
    storedWidth = opened.picture.storedSize.width
    storedHeight = opened.picture.storedSize.height
    format = opened.picture.format
    colors = opened.picture.colors
    orientation = opened.picture.orientation
    wasTurned = opened.wasTurned
    warning = opened.picture.warning
  }
}
