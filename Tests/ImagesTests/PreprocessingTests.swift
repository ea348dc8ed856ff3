import Images
import TestSupport
import Testing

/// Preprocessing against Keras's; tolerance two units in the last place at 255.
@Suite struct PreprocessingTests {
  @Test(arguments: Preprocessing.allCases)
  func numbersEqualKerass(_ mode: Preprocessing) throws {
    let ramp = try Fixtures.rgb("Preprocessed/ramp.rgb")
    let tensor = mode.tensor(of: [ramp, ramp], height: 16, width: 16)
    let golden = try Fixtures.floats("Preprocessed/\(mode.rawValue).f32")
    #expect(tensor.shape == [2, 16, 16, 3])
    expectClose(
      tensor.scalars, golden + golden, absolute: 3e-7, relative: 2.4e-7, mode.rawValue)
  }

  @Test func namesAreThoseOfTheCommandLine() {
    #expect(Preprocessing.allCases.map(\.rawValue) == ["caffe", "tf", "torch", "rescale", "none"])
    #expect(Interpolation.allCases.map(\.rawValue) == ["nearest", "bilinear"])
  }
}
