import Images
import TestSupport
import Testing

/// Preprocessing against Keras's; tolerance two units in the last place at 255.
@Suite struct PreprocessingTests {
  @Test(arguments: Preprocessing.allCases)
  func numbersEqualKerass(_ mode: Preprocessing) throws {
    let ramp = try Fixtures.rgb("Preprocessed/ramp.rgb")
    let numbers = [Float](unsafeUninitializedCapacity: 768) { buffer, count in
      mode.write(ramp, to: buffer.baseAddress!)
      count = 768
    }
    let golden = try Fixtures.floats("Preprocessed/\(mode.rawValue).f32")
    expectClose(numbers, golden, absolute: 3e-7, relative: 2.4e-7, mode.rawValue)
  }

  @Test(arguments: Preprocessing.allCases)
  func stepsGiveTheSameNumbers(_ mode: Preprocessing) throws {
    let ramp = try Fixtures.rgb("Preprocessed/ramp.rgb")
    let steps = mode.steps
    let numbers = ramp.pixels.indices.map { index in
      let channel = index % 3
      let source = steps.reversesChannels ? index - channel + 2 - channel : index
      let sample = Float(ramp.pixels[source])
      return (sample / steps.divisor - steps.mean[channel]) / steps.deviation[channel]
    }
    let golden = try Fixtures.floats("Preprocessed/\(mode.rawValue).f32")
    expectClose(numbers, golden, absolute: 3e-7, relative: 2.4e-7, mode.rawValue)
  }

  @Test func namesAreThoseOfTheCommandLine() {
    #expect(Preprocessing.allCases.map(\.rawValue) == ["caffe", "tf", "torch", "rescale", "none"])
    #expect(
      Interpolation.allCases.map(\.rawValue)
        == ["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming", "tf-bilinear"])
  }
}
