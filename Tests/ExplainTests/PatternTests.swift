import Compute
import Explain
import Images
import Layers
import TestSupport
import Testing
import Training

struct PatternTests {
  private static func network(_ settings: PatternSettings) throws -> FilterPatterns {
    let base = try BaseLoader.load(
      Locations.tests("WeightsTests/Fixtures/vgg16_keras1.h5"), height: 64, width: 64)
    let layer = try base.network.pictureLayer(named: "block3_conv2")
    return try FilterPatterns(
      base.network, layer: layer, preprocessing: .caffe, settings: settings)
  }

  @Test func stepsRaiseWhatFiltersAnswer() throws {
    let before = try Self.network(PatternSettings(steps: 4, size: 48)).patterns([0, 1, 2, 3, 4])
    let after = try Self.network(PatternSettings(steps: 60, size: 48)).patterns([0, 1, 2, 3, 4])
    for (before, after) in zip(before, after) where !after.isDead {
      #expect(after.response > before.response, "filter \(after.filter)")
    }
    #expect(after.contains { !$0.isDead })
  }

  @Test func seedDecidesAndNeighboursDoNot() throws {
    let first = try Self.network(PatternSettings(steps: 8, size: 32, seed: 7))
    let second = try Self.network(PatternSettings(steps: 8, size: 32, seed: 8))
    #expect(first.patterns([2])[0].image == first.patterns([1, 2])[1].image)
    #expect(first.patterns([2])[0].image != second.patterns([2])[0].image)
  }

  @Test func filtersThatNeverAnswerAreDead() throws {
    var network = Network(name: "n", inputShape: [32, 32, 3], inputName: "input")
    try network.add(
      Conv2D(
        name: "c", kernel: Tensor(zeros: [3, 3, 3, 2]),
        bias: Tensor(shape: [2], scalars: [-1, -1]), activation: .relu))
    let patterns = try FilterPatterns(
      network, layer: 1, preprocessing: .none, settings: PatternSettings(steps: 4, size: 32))
    #expect(patterns.patterns([0, 1]).map(\.isDead) == [true, true])
  }
}
