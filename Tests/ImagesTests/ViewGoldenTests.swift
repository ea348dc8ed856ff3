import Foundation
import Images
import TestSupport
import Testing

/// Fit modes, random views and mixtures with given parameters against Pillow, Keras's
/// `image_dataset_from_directory` and torchvision.
///
/// Whole pictures are compared. 8-bit ones are equal; floats differ by 2e-3 of 255 at most.
@Suite struct ViewGoldenTests {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    let golden: String
    let source: String
    let kind: String
    var fit: String?
    var interpolation: Interpolation?
    var size: [Int]?
    var window: [Int]?
    var views: String?
    var index: Int?
    var order: [String]?
    var factor: Float?
    var operation: String?
    var strength: Int?
    var negative: Bool?
    var share: Double?
    var middle: [Int]?
    var target: [Float]?
    var testDescription: String { golden }

    var box: PictureWindow? {
      window.map { PictureWindow(top: $0[0], left: $0[1], height: $0[2], width: $0[3]) }
    }
  }

  static let cases: [Case] = {
    let list = try? JSONDecoder().decode(
      [Case].self, from: Data(Fixtures.bytes("Views/cases.json")))
    return list ?? []
  }()

  @Test func everyKindIsThere() {
    let counts = Dictionary(grouping: Self.cases, by: \.kind).mapValues(\.count)
    #expect(
      counts == [
        "fit": 33, "crop": 6, "testViews": 20, "jitter": 9, "erase": 1, "operation": 86, "mix": 5,
      ])
    let operations = Set(Self.cases.compactMap(\.operation))
    #expect(operations == Set(PictureOperation.Kind.allCases.map(\.rawValue)))
  }

  @Test(arguments: cases)
  func pixelsEqualThePeers(_ given: Case) throws {
    let source = try Fixtures.rgb("Views/\(given.source).rgb")
    let result = try made(given, source)
    if given.golden.hasSuffix(".rgb") {
      expectSame(result.rounded, try Fixtures.rgb("Views/\(given.golden)"), given.golden)
    } else {
      expectClose(
        result.floats.samples, try Fixtures.floats("Views/\(given.golden)"), absolute: 2e-3,
        relative: 0, given.golden)
    }
  }

  private func made(_ given: Case, _ source: RGBImage) throws -> NetworkPicture {
    switch given.kind {
    case "fit":
      let (size, kind) = (try #require(given.size), try #require(given.interpolation))
      let fit = try #require(given.fit.flatMap { FitMode(rawValue: $0) })
      let fitted = source.fitted(height: size[0], width: size[1], fit, kind)
      return fitted.exact.map(NetworkPicture.exact) ?? .whole(fitted.image)
    case "crop":
      let (size, kind) = (try #require(given.size), try #require(given.interpolation))
      let part = source.cut(try #require(given.box))
      return .whole(part.fitted(height: size[0], width: size[1], .squash, kind).image)
    case "testViews":
      var loader = PhotoLoader(
        height: 28, width: 28, interpolation: try #require(given.interpolation),
        preprocessing: .none)
      loader.testViews = try #require(given.views.flatMap { TestTimeViews(rawValue: $0) })
      return try loader.load(bytes: source.png()).inputs[try #require(given.index)]
    case "jitter": return .exact(FloatPicture(source).jittered(try jitter(given)))
    case "erase": return .exact(FloatPicture(source).erased(try #require(given.box)))
    case "operation":
      let kind = try #require(given.operation.flatMap { PictureOperation.Kind(rawValue: $0) })
      let operation = PictureOperation(
        kind, magnitude: try #require(given.strength), isNegative: given.negative == true,
        height: source.height, width: source.width)
      return .whole(source.applying(operation))
    default: return .exact(try mixed(given, source))
    }
  }

  private func jitter(_ given: Case) throws -> JitterParameters {
    let steps: [String: JitterParameters.Step] = [
      "brightness": .brightness, "contrast": .contrast, "saturation": .saturation, "hue": .hue,
    ]
    let factor = try #require(given.factor)
    return JitterParameters(
      brightness: factor, contrast: factor, saturation: factor, hue: factor,
      order: try #require(given.order).compactMap { steps[$0] })
  }

  private func mixed(_ given: Case, _ source: RGBImage) throws -> FloatPicture {
    let share = try #require(given.share)
    let other = try Fixtures.rgb("Views/second.rgb")
    let partner = Photo(path: "", relativePath: "", label: 1)
    var mixing = Mixing(partner: partner, share: Float(share))
    if let middle = given.middle {
      mixing = Mixing(
        partner: partner, share: share, middle: (middle[0], middle[1]), height: source.height,
        width: source.width)
    }
    let target = try #require(given.target)
    expectClose([mixing.share, 1 - mixing.share], target, absolute: 1e-6, relative: 0, "target")
    return mixing.mixed(FloatPicture(source), FloatPicture(other))
  }
}
