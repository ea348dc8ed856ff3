import Images
import TestSupport
import Testing

/// Decoding against Pillow's `convert("RGB")`; tolerance 0.
@Suite struct DecodingTests {
  @Test func fixturesAreThere() {
    #expect(Fixtures.names(in: "Photos").count == Fixtures.names(in: "Decoded").count)
    #expect(Fixtures.names(in: "Photos").count > 85)
  }

  @Test(arguments: Fixtures.names(in: "Photos"))
  func pixelsEqualPillows(_ name: String) throws {
    let picture = try Fixtures.decoded("Photos/\(name)")
    expectSame(
      picture.image.upright(from: picture.orientation), try Fixtures.rgb("Decoded/\(name).rgb"),
      name)
  }

  @Test(arguments: [
    ("444.jpg", PictureFormat.jpeg, DecodedPicture.ColorKind.rgb), ("gray.jpg", .jpeg, .gray),
    ("cmyk.jpg", .jpeg, .cmyk), ("ycck.jpg", .jpeg, .cmyk), ("rgb.png", .png, .rgb),
    ("gray1.png", .png, .gray), ("gray16.png", .png, .gray16), ("rgba.png", .png, .rgbWithAlpha),
    ("gray-alpha.png", .png, .grayWithAlpha), ("palette4.png", .png, .palette),
    ("misnamed-jpeg.png", .jpeg, .rgb), ("misnamed-png.jpg", .png, .rgb),
    ("misnamed-webp.jpg", .webp, .rgb), ("alpha.webp", .webp, .rgbWithAlpha),
    ("misnamed-gif.jpg", .gif, .palette), ("palette4.bmp", .bmp, .palette),
    ("bgrx.bmp", .bmp, .rgb),
  ])
  func tellsWhatTheFileHolds(
    _ name: String, _ format: PictureFormat, _ colors: DecodedPicture.ColorKind
  ) throws {
    let picture = try Fixtures.decoded("Photos/\(name)")
    #expect(picture.format == format)
    #expect(picture.colors == colors)
    #expect(picture.warning == nil)
  }

  @Test func damagedButWholeIsDecodedWithAWarning() throws {
    let picture = try Fixtures.decoded("Photos/damaged-but-whole.jpg")
    #expect(picture.warning?.isEmpty == false)
  }

  @Test(arguments: 1...8)
  func readsTheOrientation(_ value: Int) throws {
    let picture = try Fixtures.decoded("Photos/exif\(value).jpg")
    #expect(picture.orientation.value == value)
    #expect(picture.image == (try Fixtures.decoded("Photos/420.jpg")).image)
  }

  @Test(arguments: [
    ("exif-long-type.jpg", 6), ("exif-out-of-range.jpg", 1), ("exif-cut-short.jpg", 1),
    ("exif6.png", 6), ("exif6.webp", 6), ("exif5-behind.png", 5), ("rgb.png", 1),
  ])
  func readsUnusualOrientations(_ name: String, _ value: Int) throws {
    #expect(try Fixtures.decoded("Photos/\(name)").orientation.value == value)
  }

  @Test(
    .enabled(if: Locations.shared != nil, "needs the shared photos"),
    arguments: ["train", "validation", "test"])
  func realPhotosDecode(_ part: String) throws {
    let path = Locations.shared!.appending(path: "data/cats_and_dogs_small/\(part)").path()
    let folder = try PhotoFolder(labelled: path)
    #expect(folder.classNames == ["cats", "dogs"])
    #expect(folder.photos.count == (part == "train" ? 2000 : 1000))
    let loader = PhotoLoader(height: 8, width: 8, preprocessing: .none)
    for batch in PhotoBatches(folder.photos, loader: loader, batchSize: 100) {
      #expect(batch.failures.isEmpty)
      #expect(batch.indices == Array(batch.range))
    }
  }
}
