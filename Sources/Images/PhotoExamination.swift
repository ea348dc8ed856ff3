/// What one look at a photo file finds.
package struct PhotoExamination: Sendable {
  package let photo: Photo
  /// What was found in the file, or why it does not decode.
  package let outcome: Result<Facts, ImagesError>

  package struct Facts: Sendable {
    package let format: PictureFormat
    package let colors: DecodedPicture.ColorKind
    package let orientation: Orientation
    /// Size in the file.
    package let size: PixelSize
    /// What the decoder complained about though it delivered a picture.
    package let warning: String?
    /// SHA-256 of the file's bytes.
    package let fingerprint: String
    /// SHA-256 of the upright pixels and their size.
    package let pixelFingerprint: String
    package let likeness: PictureLikeness
  }

  package init(_ photo: Photo, pixelLimit: Int) {
    self.photo = photo
    outcome = Result { () throws(ImagesError) in try Facts(photo, pixelLimit: pixelLimit) }
  }

  /// The facts, nil for a photo that does not decode.
  package var facts: Facts? { try? outcome.get() }

  /// Whether the name's extension belongs to another format; nil for what does not decode.
  package var hasWrongExtension: Bool {
    guard let facts, let dot = photo.relativePath.lastIndex(of: ".") else { return false }
    let ending = photo.relativePath[photo.relativePath.index(after: dot)...].lowercased()
    return !facts.format.extensions.contains(ending)
  }

  /// Examines photos in their order, ahead on all cores.
  package static func all(
    _ photos: [Photo], pixelLimit: Int, threads: Int
  ) -> some Sequence<PhotoExamination> {
    let reader = ReadAhead(count: photos.count, ahead: 4 * threads, threads: threads) {
      PhotoExamination(photos[$0], pixelLimit: pixelLimit)
    }
    return photos.indices.lazy.map { reader.take($0..<$0 + 1)[0] }
  }
}

extension PhotoExamination.Facts {
  fileprivate init(_ photo: Photo, pixelLimit: Int) throws(ImagesError) {
    let bytes = try readFile(photo.path)
    let picture = try DecodedPicture(bytes: bytes, limits: DecodingLimits(pixels: pixelLimit))
    let upright = picture.image.upright(from: picture.orientation)
    self.init(
      format: picture.format, colors: picture.colors, orientation: picture.orientation,
      size: picture.storedSize, warning: picture.warning,
      fingerprint: PhotoFingerprint.sha256(bytes),
      pixelFingerprint: PhotoFingerprint.sha256(
        upright.pixels + Array("\(upright.width)x\(upright.height)".utf8)),
      likeness: PictureLikeness(upright))
  }
}

extension PictureFormat {
  /// The extensions that files of the format have.
  package var extensions: [String] {
    switch self {
    case .jpeg: ["jpg", "jpeg", "jpe", "jfif"]
    case .png: ["png"]
    case .webp: ["webp"]
    case .bmp: ["bmp", "dib"]
    case .gif: ["gif"]
    }
  }

  /// The format of a file by its first bytes, nil if it is no picture that is read.
  package static func ofFile(_ path: String) -> PictureFormat? {
    guard let start = try? readFile(path, atMost: 64) else { return nil }
    return start.withUnsafeBufferPointer { try? of($0) }
  }
}
