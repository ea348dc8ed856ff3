import Compute
import Foundation
import Images
import TestSupport
import Testing

/// What becomes of every damaged or odd file in the shared folder.
@Suite struct FateTests {
  enum Fate: Equatable {
    /// Decoded; the first 16 digits of the SHA-256 of the pixels that Pillow 13 gives, upright.
    case pillows(String)
    /// Refused, with the reason.
    case refused(String)
  }

  static let fates: [String: Fate] = [
    "animated.gif": .pillows("1fbed9ed9d256426"),
    "bilevel.png": .pillows("b07be3cfa7a6778a"),
    "bmp_named.jpg": .pillows("67a4958d6b96f251"),
    "cmyk.jpg": .pillows("3e81ab0bd8829413"),
    "corrupt_middle.jpg": .pillows("6f78b00d94b6f3b1"),
    "exif6.jpg": .pillows("137fcdf273ff9a0e"),
    "gif_named.jpg": .pillows("227b9ca8adc462a6"),
    "gray.jpg": .pillows("70d135d27cc558f7"),
    "gray16.png": .pillows("38198619d4bb273d"),
    "header_only.jpg": .refused(
      "the JPEG data is truncated: the file ends before the picture does"),
    "html_named.jpg": .refused(other("a web page")),
    "huge_claim.png": .refused(
      "the picture claims 60000 x 60000 pixels: expected at most 178956970"),
    "jpeg_named.png": .pillows("67a4958d6b96f251"),
    "la.png": .pillows("3d9846cbd5ac0ca7"),
    "lfs_pointer.jpg": .refused(other("a Git LFS pointer instead of the picture")),
    "noext": .pillows("67a4958d6b96f251"),
    "one_pixel.jpg": .pillows("dc4cdfb298655f6a"),
    "palette.png": .pillows("227b9ca8adc462a6"),
    "png_bad_crc.png": .refused("the PNG data is damaged: IDAT: CRC error"),
    "png_named.jpg": .pillows("67a4958d6b96f251"),
    "png_truncated.png": .refused(
      "the PNG data is truncated: the file ends before the picture does"),
    "progressive.jpg": .pillows("792ffddc9ad015b1"),
    "restart_markers.jpg": .pillows("792ffddc9ad015b1"),
    "rgba.png": .pillows("67a4958d6b96f251"),
    "sof_0x0.jpg": .refused("the JPEG data is damaged: its size is 0 x 0"),
    "sof_65535.jpg": .refused(
      "the picture claims 65535 x 65535 pixels: expected at most 178956970"),
    "subsampling422.jpg": .pillows("f8b7291578fc98c9"),
    "subsampling444.jpg": .pillows("9fe7698fc738d473"),
    "tall_1x1000.png": .pillows("bb51f38ea4ba0e8c"),
    "text.txt": .refused(other("text")),
    "trailing_garbage.jpg": .pillows("67a4958d6b96f251"),
    "truncated_half.jpg": .refused(
      "the JPEG data is truncated: the file ends before the picture does"),
    "truncated_last2.jpg": .refused(
      "the JPEG data is truncated: the file ends before the picture does"),
    "upper.JPG": .pillows("67a4958d6b96f251"),
    "webp_named.jpg": .pillows("1f87ad8afc9eb938"),
    "wide_1000x1.jpg": .pillows("87f3da8b2e49df32"),
    "zero_bytes.jpg": .refused(
      "the file is empty: expected a JPEG, PNG, WebP, BMP or GIF picture, found 0 bytes"),
  ]

  private static func other(_ what: String) -> String {
    "not a JPEG, PNG, WebP, BMP or GIF picture: found \(what)"
  }

  private static let folder = Locations.shared?.appending(path: "data/bad_images")

  @Test(.enabled(if: folder != nil, "needs the shared photos"))
  func everyFileHasAFate() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder!.path())
    #expect(names.sorted() == Self.fates.keys.sorted())
  }

  @Test(.enabled(if: folder != nil, "needs the shared photos"), arguments: fates.keys.sorted())
  func theFateIsAsStated(_ name: String) throws {
    let bytes = [UInt8](try Data(contentsOf: Self.folder!.appending(path: name)))
    var fate: Fate
    do {
      let picture = try DecodedPicture(bytes: bytes)
      let upright = picture.image.upright(from: picture.orientation)
      fate = .pillows(String(PhotoFingerprint.sha256(upright.pixels).prefix(16)))
    } catch {
      fate = .refused(error.description)
    }
    #expect(fate == Self.fates[name])
  }

  @Test func theLimitOfPixelsIsAdjustable() throws {
    let bytes = try Fixtures.bytes("Photos/rgb.png")
    #expect(throws: ImagesError.tooManyPixels(width: 37, height: 53, limit: 1000)) {
      try DecodedPicture(bytes: bytes, limits: DecodingLimits(pixels: 1000))
    }
    let claims = try Fixtures.bytes("Refused/huge-claim.png")
    // With a limit that allows it, a claim that the file cannot hold still takes no memory.
    #expect(throws: ImagesError.truncated(format: .png)) {
      try DecodedPicture(bytes: claims, limits: DecodingLimits(pixels: 4_000_000_000))
    }
    let jpeg = try Fixtures.bytes("Refused/huge-claim.jpg")
    #expect(throws: ImagesError.truncated(format: .jpeg)) {
      try DecodedPicture(bytes: jpeg, limits: DecodingLimits(pixels: 5_000_000_000))
    }
  }

  @Test(arguments: [
    (101, 150, 101, 150), (51, 75, 51, 75), (50, 76, 101, 150), (26, 38, 26, 38), (5, 5, 13, 19),
  ])
  func reducedDecodingIsLargeEnough(
    _ height: Int, _ width: Int, _ decodedHeight: Int, _ decodedWidth: Int
  ) throws {
    let bytes = try Fixtures.bytes("Photos/large.jpg")
    let reduced = try DecodedPicture(
      bytes: bytes, limits: DecodingLimits(reducedTo: PixelSize(height: height, width: width)))
    #expect((reduced.image.height, reduced.image.width) == (decodedHeight, decodedWidth))
    #expect(reduced.storedSize == PixelSize(height: 101, width: 150))
  }

  @Test func allInstructionSetsGiveTheSamePixels() throws {
    let picture = try Fixtures.decoded("Photos/large.jpg").image
    var parameters = AugmentationParameters()
    (parameters.theta, parameters.zx, parameters.tx) = (20, 0.8, 3)
    func made(_ table: KernelTable) -> ([RGBImage], FloatPicture) {
      PictureKernels.$chosen.withValue(table) {
        (
          [(31, 17), (200, 190), (1, 1), (101, 60)].flatMap { height, width in
            [.bilinear, .lanczos].map { picture.resized(height: height, width: width, $0) }
          }, picture.augmented(parameters)
        )
      }
    }
    let expected = made(KernelTable.available[0])
    for table in KernelTable.available.dropFirst() {
      let actual = made(table)
      #expect(actual.0 == expected.0, "\(table.name)")
      #expect(actual.1 == expected.1, "\(table.name)")
    }
  }
}
