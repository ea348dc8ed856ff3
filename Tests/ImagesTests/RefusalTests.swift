import Images
import Testing

/// What is not decoded, and why.
@Suite struct RefusalTests {
  private static let expected: [String: String] = [
    "avif.jpg": "not a \(PictureFormat.list) picture: found an AVIF picture",
    "ico.jpg": "not a \(PictureFormat.list) picture: found an ICO picture",
    "jpeg2000.jpg": "not a \(PictureFormat.list) picture: found a JPEG 2000 or JPEG XL picture",
    "ppm.jpg": "not a \(PictureFormat.list) picture: found a PPM picture",
    "tiff.jpg": "not a \(PictureFormat.list) picture: found a TIFF picture",
    "page.jpg": "not a \(PictureFormat.list) picture: found a web page",
    "pointer.jpg":
      "not a \(PictureFormat.list) picture: found a Git LFS pointer instead of the picture",
    "text.jpg": "not a \(PictureFormat.list) picture: found text",
    "noise.jpg": "not a \(PictureFormat.list) picture: found data of an unknown kind",
    "empty.jpg": "the file is empty: expected a JPEG, PNG, WebP, BMP or GIF picture, found 0 bytes",
    "half.jpg": truncated("JPEG"),
    "without-last-bytes.jpg": truncated("JPEG"),
    "progressive-half.jpg": truncated("JPEG"),
    "header-only.jpg": truncated("JPEG"),
    "three-bytes.jpg": truncated("JPEG"),
    "no-pixels.jpg": "the JPEG data is damaged: it has no pixels",
    "zero-size.jpg": "the JPEG data is damaged: its size is 0 x 0",
    "huge-claim.jpg": "the picture claims 65535 x 65535 pixels: expected at most 178956970",
    "twelve-bits.jpg": "this kind of JPEG is not read: found 12-bit samples",
    "half.webp": truncated("WebP"),
    "damaged.webp": "the WebP data is damaged: its parts do not fit together",
    "half.gif": truncated("GIF"),
    "huge-claim.gif": "the picture claims 65535 x 65535 pixels: expected at most 178956970",
    "without-frame.gif": "the GIF data is damaged: no frame in it",
    "half.bmp": truncated("BMP"),
    "huge-claim.bmp": "the picture claims 60000 x 60000 pixels: expected at most 178956970",
    "compressed.bmp": "this kind of BMP is not read: found 24 bits with compression 4",
    "half.png": truncated("PNG"),
    "signature-only.png": truncated("PNG"),
    "more-than-it-holds.png": truncated("PNG"),
    "huge-claim.png": "the picture claims 60000 x 60000 pixels: expected at most 178956970",
    "zero-size.png": "the PNG data is damaged: its size is 0 x 7",
    "flipped.png": "the PNG data is damaged: IDAT: incorrect data check",
    "no-palette.png": "the PNG data is damaged: IDAT: Missing PLTE before IDAT",
  ]

  private static func truncated(_ format: String) -> String {
    "the \(format) data is truncated: the file ends before the picture does"
  }

  @Test func everyFileIsExpected() {
    #expect(Fixtures.names(in: "Refused") == Self.expected.keys.sorted())
  }

  @Test(arguments: Fixtures.names(in: "Refused"))
  func saysWhy(_ name: String) throws {
    let error = #expect(throws: ImagesError.self) { try Fixtures.decoded("Refused/\(name)") }
    #expect(error?.description == Self.expected[name])
  }

  @Test(arguments: Fixtures.names(in: "Photos"))
  func everyCutJPEGIsRefused(_ name: String) throws {
    let bytes = try Fixtures.bytes("Photos/\(name)")
    for sixteenth in 0..<16 {
      let cut = Array(bytes[..<(bytes.count * sixteenth / 16)])
      let picture = try? DecodedPicture(bytes: cut)
      // The last bytes of a PNG hold no pixels, nor does garbage behind a JPEG.
      if sixteenth < 12 && bytes.count > 100 {
        #expect(picture == nil, "\(sixteenth)/16 of \(name) counts as a picture")
      }
    }
  }

  /// Damaged bytes may give an error or a picture of some size, and nothing else.
  @Test(arguments: Fixtures.names(in: "Photos"))
  func damagedBytesDoNoHarm(_ name: String) throws {
    let whole = try Fixtures.bytes("Photos/\(name)")
    var random = SystemOfSmallNumbers(state: UInt64(whole.count))
    for _ in 0..<60 {
      var bytes = whole
      for _ in 0..<random.next(below: 4) + 1 {
        // Half of the hits go to the first bytes, where the headers are.
        let place = random.next(below: random.next(below: 2) == 0 ? bytes.count : 200)
        bytes[min(place, bytes.count - 1)] = UInt8(random.next(below: 256))
      }
      do {
        let picture = try DecodedPicture(bytes: bytes)
        let image = picture.image.upright(from: picture.orientation)
        #expect(image.pixels.count == image.width * image.height * 3)
      } catch {
        #expect(!error.description.isEmpty && !error.description.contains("\n"))
      }
    }
  }
}

/// A small linear congruential generator, so that every run damages the same bytes.
private struct SystemOfSmallNumbers {
  var state: UInt64

  mutating func next(below bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % bound
  }
}
