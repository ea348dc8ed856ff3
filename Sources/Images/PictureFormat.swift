/// The picture formats that are read.
package enum PictureFormat: String, Sendable, CustomStringConvertible {
  case jpeg = "JPEG"
  case png = "PNG"

  package var description: String { rawValue }

  /// Tells the format by the first bytes, whatever the file is called.
  ///
  /// - Throws: `ImagesError.emptyFile` or `.unsupportedFormat`, which names what was found.
  static func of(_ bytes: UnsafeBufferPointer<UInt8>) throws(ImagesError) -> PictureFormat {
    if bytes.isEmpty { throw .emptyFile }
    let reader = ByteReader(bytes)
    if bytes[0] == 0x89 && reader.starts(with: "PNG\r\n\u{1A}\n", at: 1) { return .png }
    if reader.integer(bytes: 3, at: 0) == 0xFFD8FF { return .jpeg }
    throw .unsupportedFormat(found: nameOfOtherContent(reader))
  }

  /// What bytes that are neither JPEG nor PNG seem to be, for an error message.
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
    (8, "WEBP", "a WebP picture"), (0, "GIF8", "a GIF picture"), (0, "BM", "a BMP picture"),
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
