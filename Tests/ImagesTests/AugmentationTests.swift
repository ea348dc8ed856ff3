import Foundation
import Images
import TestSupport
import Testing

/// What is drawn, from what, and that it reaches the network's input.
@Suite struct AugmentationTests {
  private static let photos = ["444.jpg", "large.jpg", "rgb.png", "gray.jpg", "exif6.jpg"].map {
    Photo(path: Fixtures.path("Photos/\($0)"), relativePath: "class/\($0)")
  }

  private let loader = PhotoLoader(
    height: 20, width: 30, interpolation: .bilinear, preprocessing: .caffe)

  private static let everything = {
    var augmentation = Augmentation.book
    augmentation.verticalFlip = true
    augmentation.channelShift = 30
    augmentation.brightness = 0.5...1.5
    augmentation.shear = 15
    augmentation.fill = .reflect
    augmentation.crop = RandomCrop(scale: 0.3...1)
    augmentation.randAugment = RandAugment()
    augmentation.jitter = ColorJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1)
    augmentation.erasing = RandomErasing(probability: 0.5)
    augmentation.mixing = MixingRanges(mixup: 0.2, cutmix: 1)
    return augmentation
  }()

  private func view(_ number: Int, seed: UInt64 = 3) -> AugmentedView {
    AugmentedView(Self.everything, seed: seed, number: number, partners: Self.photos)
  }

  /// Each photo's numbers by its path, whatever way the photos are read.
  private func rows(
    _ photos: [Photo], _ view: AugmentedView?, batchSize: Int, threads: Int
  ) -> [String: [Float]] {
    var rows: [String: [Float]] = [:]
    let batches = PhotoBatches(
      photos, loader: loader, view: view, batchSize: batchSize, threads: threads)
    for batch in batches {
      for (row, index) in batch.indices.enumerated() {
        rows[photos[index].relativePath] = batch.tensor.rows(row..<row + 1).scalars
      }
    }
    return rows
  }

  @Test func neitherThreadsNorBatchesNorOrderChangeAPhoto() {
    let expected = rows(Self.photos, view(4), batchSize: 1, threads: 1)
    #expect(expected.count == Self.photos.count)
    for (batchSize, threads) in [(2, 3), (5, 2), (3, 1), (1, 4)] {
      let reversed = rows(Self.photos.reversed(), view(4), batchSize: batchSize, threads: threads)
      #expect(reversed == expected, "batches of \(batchSize) on \(threads) threads")
    }
    let alone = rows([Self.photos[3]], view(4), batchSize: 1, threads: 1)
    #expect(alone[Self.photos[3].relativePath] == expected[Self.photos[3].relativePath])
  }

  @Test func seedNumberAndPathEachChangeWhatIsDrawn() {
    func draw(_ path: String, _ view: AugmentedView) -> AugmentationParameters {
      view.parameters(for: path, height: 20, width: 30)
    }
    let first = draw("class/a.jpg", view(0))
    #expect(draw("class/a.jpg", view(0)) == first)
    #expect(draw("class/a.jpg", view(1)) != first)
    #expect(draw("class/b.jpg", view(0)) != first)
    #expect(draw("class/a.jpg", view(0, seed: 4)) != first)
  }

  @Test func rangesOfZeroChangeNothing() {
    let neutral = AugmentedView(Augmentation(), seed: 9, number: 2)
    #expect(Augmentation().isNeutral && !Self.everything.isNeutral && !Augmentation.book.isNeutral)
    #expect(neutral.parameters(for: "x", height: 20, width: 30).isIdentity)
    let plain = rows(Self.photos, nil, batchSize: 2, threads: 2)
    #expect(rows(Self.photos, neutral, batchSize: 2, threads: 2) == plain)
    #expect(rows(Self.photos, view(0), batchSize: 2, threads: 2) != plain)
  }

  /// A photo that is not rounded twice: the float way gives the same bits as the 8-bit way.
  @Test(arguments: Preprocessing.allCases)
  func floatPicturesArePreprocessedAlike(_ mode: Preprocessing) throws {
    let ramp = try Fixtures.rgb("Preprocessed/ramp.rgb")
    #expect(FloatPicture(ramp).rounded == ramp)
    func numbers(_ write: (UnsafeMutablePointer<Float>) -> Void) -> [Float] {
      [Float](unsafeUninitializedCapacity: 768) { buffer, count in
        write(buffer.baseAddress!)
        count = 768
      }
    }
    let whole = numbers { mode.write(ramp, to: $0) }
    #expect(numbers { mode.write(FloatPicture(ramp), to: $0) } == whole)
    var half = FloatPicture(ramp)
    for index in half.samples.indices { half.samples[index] += 0.5 }
    let between = numbers { mode.write(half, to: $0) }
    #expect(zip(between, whole).allSatisfy { $0 > $1 })
  }

  /// Every parameter keeps to its range and reaches both of its ends.
  @Test func drawsFillTheirRanges() {
    let draws = (0..<4000).map {
      view($0).parameters(for: "class/a.jpg", height: 20, width: 30)
    }
    func expectEven(
      _ values: [Double], _ range: ClosedRange<Double>, _ what: String
    ) {
      let width = range.upperBound - range.lowerBound
      #expect(values.allSatisfy(range.contains), "\(what)")
      // Of 4000 even draws a tenth of the range gets 400, give or take 19.
      for tenth in 0..<10 {
        let start = range.lowerBound + width * Double(tenth) / 10
        let count = values.count { $0 >= start && $0 < start + width / 10 }
        #expect((300...500).contains(count), "\(what): \(count) of 4000 in tenth \(tenth)")
      }
    }
    expectEven(draws.map(\.theta), -40...40, "rotation")
    expectEven(draws.map(\.tx), -6...6, "width shift")
    expectEven(draws.map(\.ty), -4...4, "height shift")
    expectEven(draws.map(\.shear), -15...15, "shear")
    expectEven(draws.map(\.zx), 0.8...1.2, "zoom of columns")
    expectEven(draws.map(\.zy), 0.8...1.2, "zoom of rows")
    expectEven(draws.compactMap(\.channelShift), -30...30, "channel shift")
    expectEven(draws.compactMap(\.brightness), 0.5...1.5, "brightness")
    #expect((1800...2200).contains(draws.count { $0.flipHorizontal }))
    #expect((1800...2200).contains(draws.count { $0.flipVertical }))
  }

  @Test func shiftsFromOneUpArePixels() {
    var augmentation = Augmentation()
    augmentation.widthShift = 2
    let shifts = (0..<200).map {
      AugmentedView(augmentation, seed: 0, number: $0)
        .parameters(for: "a", height: 500, width: 500)
    }
    #expect(shifts.allSatisfy { abs($0.tx) <= 2 && $0.ty == 0 })
    #expect(shifts.contains { abs($0.tx) > 1.5 })
  }

  @Test func survivesBeingStored() throws {
    let stored = try JSONEncoder().encode(Self.everything)
    #expect(try JSONDecoder().decode(Augmentation.self, from: stored) == Self.everything)
  }
}

@Suite struct PNGWritingTests {
  @Test(arguments: ["444.jpg", "large.jpg", "one-pixel.png", "rgb.png"])
  func picturesComeBackAsTheyWere(_ name: String) throws {
    let picture = try Fixtures.decoded("Photos/\(name)").image
    let again = try DecodedPicture(bytes: picture.png())
    #expect(again.format == .png)
    expectSame(again.image, picture, name)
  }

  @Test func noiseFitsToo() throws {
    var state: UInt32 = 1
    let pixels = (0..<90 * 70 * 3).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return UInt8(state >> 24)
    }
    let noise = RGBImage(width: 90, height: 70, pixels: pixels)
    expectSame(try DecodedPicture(bytes: noise.png()).image, noise, "noise")
  }
}
