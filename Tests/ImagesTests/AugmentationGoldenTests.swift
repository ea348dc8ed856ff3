import Foundation
import Images
import TestSupport
import Testing

/// Random changes with given parameters against Keras's `ImageDataGenerator.apply_transform`.
///
/// All samples are compared; tolerance 1e-6 of 255.
@Suite struct AugmentationGoldenTests {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let picture: String
    let parameters: AugmentationParameters
    let fill: FillMode
    let fillValue: Float
    var testDescription: String { name }
  }

  static let cases: [Case] = {
    let list = try? JSONDecoder().decode(
      [Case].self, from: Data(Fixtures.bytes("Augmented/cases.json")))
    return list ?? []
  }()

  @Test func goldensAreThere() {
    #expect(Self.cases.count == 65)
    #expect(Set(Self.cases.map(\.fill)) == Set(FillMode.allCases))
  }

  @Test(arguments: cases)
  func pixelsEqualKerass(_ given: Case) throws {
    let picture = try Fixtures.rgb("Augmented/\(given.picture).rgb")
    let result = picture.augmented(
      given.parameters, fill: given.fill, fillValue: given.fillValue)
    #expect((result.width, result.height) == (picture.width, picture.height))
    expectClose(
      result.samples, try Fixtures.floats("Augmented/\(given.name).f32"), absolute: 1e-6,
      relative: 0, given.name)
  }
}
