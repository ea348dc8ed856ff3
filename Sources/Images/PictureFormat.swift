/// The picture formats that are read.
package enum PictureFormat: String, Sendable, CaseIterable, CustomStringConvertible {
  case jpeg = "JPEG"
  case png = "PNG"
  case webp = "WebP"
  case bmp = "BMP"
  case gif = "GIF"

  /// All of them, for error messages.
  package static let list = "JPEG, PNG, WebP, BMP or GIF"

  package var description: String { rawValue }

  /// Tells the format by the first bytes, whatever the file is called.
  ///
  /// - Throws: `ImagesError.emptyFile` or `.unsupportedFormat`, which names what was found.
  static func of(_ bytes: UnsafeBufferPointer<UInt8>) throws(ImagesError) -> PictureFormat {
    if bytes.isEmpty { throw .emptyFile }
    let reader = ByteReader(bytes)
    if bytes[0] == 0x89 && reader.starts(with: "PNG\r\n\u{1A}\n", at: 1) { return .png }
    if reader.integer(bytes: 3, at: 0) == 0xFFD8FF { return .jpeg }
    if reader.starts(with: "RIFF", at: 0) && reader.starts(with: "WEBP", at: 8) { return .webp }
    if reader.starts(with: "GIF87a", at: 0) || reader.starts(with: "GIF89a", at: 0) { return .gif }
    if reader.starts(with: "BM", at: 0), hasBitmapHeader(reader) { return .bmp }
    throw .unsupportedFormat(found: nameOfOtherContent(reader))
  }

  /// "BM" alone could begin any text.
  private static func hasBitmapHeader(_ reader: ByteReader) -> Bool {
    var reader = reader
    reader.littleEndian = true
    return reader.integer(bytes: 4, at: 14).map { (12...124).contains($0) } ?? false
  }

  /// What bytes of no known picture seem to be, for an error message.
  private static func nameOfOtherContent(_ reader: ByteReader) -> String {
    for (offset, magic, name) in knownContents where reader.starts(with: magic, at: offset) {
      return name
    }
    if reader.starts(with: "ftyp", at: 4) { return nameOfMediaFile(reader) }
    switch reader.integer(bytes: 4, at: 0) {
    case 0x0000_0100: return "an ICO picture"
    case 0x0000_000C: return "a JPEG 2000 or JPEG XL picture"
    default: break
    }
    switch reader.integer(bytes: 2, at: 0) {
    case 0xFF0A: return "a JPEG XL picture"
    case 0x1F8B: return "gzip data"
    case 0xFFD8: return "the start of a JPEG picture and then something else"
    default: break
    }
    return looksLikeText(reader) ? "text" : "data of an unknown kind"
  }

  private static let knownContents: [(offset: Int, magic: StaticString, name: String)] = [
    (0, "II*\0", "a TIFF picture"), (0, "MM\0*", "a TIFF picture"),
    (0, "8BPS", "a Photoshop picture"), (0, "qoif", "a QOI picture"),
    (0, "P4\n", "a PBM picture"), (0, "P5\n", "a PGM picture"), (0, "P6\n", "a PPM picture"),
    (0, "%PDF", "a PDF document"), (0, "PK\u{3}\u{4}", "a zip archive"),
    (1, "HDF\r\n", "HDF5 data"),
    (0, "version https://git-lfs", "a Git LFS pointer instead of the picture"),
    (0, "<!DOCTYPE html", "a web page"), (0, "<!doctype html", "a web page"),
    (0, "<html", "a web page"), (0, "<HTML", "a web page"), (0, "<svg", "an SVG picture"),
    (0, "<?xml", "XML text"),
  ]

  private static func nameOfMediaFile(_ reader: ByteReader) -> String {
    if reader.starts(with: "avi", at: 8) { return "an AVIF picture" }
    let brands: [StaticString] = ["hei", "hev", "mif1", "msf1"]
    let isHEIC = brands.contains { reader.starts(with: $0, at: 8) }
    return isHEIC ? "a HEIC picture" : "a video"
  }

  private static func looksLikeText(_ reader: ByteReader) -> Bool {
    reader.bytes.prefix(256).allSatisfy { $0 >= 0x20 && $0 != 0x7F || (9...13).contains($0) }
  }
}
