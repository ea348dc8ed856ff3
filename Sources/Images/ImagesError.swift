// Images turns photo files into tensors: finding them in folders, decoding, turning upright,
// resizing, preprocessing, batches. It knows nothing of layers, weights or training.

/// What can be wrong with a photo file or a folder of photos; `description` is one line.
package enum ImagesError: Error, Equatable, CustomStringConvertible {
  /// The file has no bytes.
  case emptyFile
  /// The bytes are no picture of a format that is read; `found` names them ("a TIFF picture").
  case unsupportedFormat(found: String)
  /// The bytes start as a picture and end before it is complete.
  case truncated(format: PictureFormat)
  /// The decoder gave up; `reason` is its own.
  case damaged(format: PictureFormat, reason: String)
  /// The header claims more pixels than are allowed.
  case tooManyPixels(width: Int, height: Int, limit: Int)
  /// A picture of a kind that is not read ("12-bit samples").
  case unsupportedKind(format: PictureFormat, found: String)
  /// The file could not be opened or read.
  case cannotRead(path: String, reason: String)
  /// The folder does not exist or cannot be listed.
  case cannotList(path: String, reason: String)
  /// A labelled data folder without class folders; `found` says what is in it.
  case noClassFolders(path: String, found: String)
  /// A data folder whose class folders hold no photo at all, or a folder without photos.
  case noPhotos(path: String, found: String)
  /// No PNG file could be made of a picture of that size; it is too large.
  case cannotEncode(width: Int, height: Int)

  package var description: String {
    switch self {
    case .emptyFile:
      "the file is empty: expected a \(PictureFormat.list) picture, found 0 bytes"
    case .unsupportedFormat(let found):
      "not a \(PictureFormat.list) picture: found \(found)"
    case .truncated(let format):
      "the \(format) data is truncated: the file ends before the picture does"
    case .damaged(let format, let reason):
      "the \(format) data is damaged: \(reason)"
    case .tooManyPixels(let width, let height, let limit):
      "the picture claims \(width) x \(height) pixels: expected at most \(limit)"
    case .unsupportedKind(let format, let found):
      "this kind of \(format) is not read: found \(found)"
    case .cannotRead(let path, let reason):
      "cannot read '\(path)': \(reason)"
    case .cannotList(let path, let reason):
      "cannot list the folder '\(path)': \(reason)"
    case .noClassFolders(let path, let found):
      "no class folders in '\(path)': expected one subfolder per class, found \(found)"
    case .noPhotos(let path, let found):
      "no photos in '\(path)': expected files such as .jpg or .png, found \(found)"
    case .cannotEncode(let width, let height):
      "cannot make a PNG file of \(width) x \(height) pixels: expected at most "
        + "\(RGBImage.pixelLimit)"
    }
  }
}
