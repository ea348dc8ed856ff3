import Compute
import Explain
import Foundation
import Images
import Layers
import TestSupport
import Testing
import Training

struct HeatMapTests {
  private static func map(_ values: [Float], _ height: Int, _ width: Int) -> HeatMap {
    HeatMap(height: height, width: width, values: values, label: 0, probabilities: [1, 0])
  }

  @Test func evenMapIsAsDenseInABoxAsAnywhere() throws {
    let even = Self.map([Float](repeating: 0.3, count: 12), 3, 4)
    let ratio = try #require(
      even.concentration(in: (left: 0.1, top: 0.3, right: 0.7, bottom: 0.8)))
    #expect(abs(ratio - 1) < 1e-6)
  }

  /// All the mass in the left half of two columns: near to twice what an even map would give.
  @Test func massInABoxIsMeasured() throws {
    let left = Self.map([1, 0], 1, 2)
    let inside = try #require(left.concentration(in: (left: 0, top: 0, right: 0.5, bottom: 1)))
    let outside = try #require(left.concentration(in: (left: 0.5, top: 0, right: 1, bottom: 1)))
    // Between the middles of the two pixels the map falls from 1 to 0: an eighth lies beyond.
    #expect(abs(inside - 1.75) < 0.01)
    #expect(abs(outside - 0.25) < 0.01)
    #expect(Self.map([0, 0], 1, 2).concentration(in: (0, 0, 1, 1)) == nil)
  }

  @Test func resizingKeepsTheMiddlesOfPixels() {
    let map = Self.map([0, 1, 2, 3], 2, 2)
    #expect(map.resized(height: 2, width: 2) == [0, 1, 2, 3])
    expectClose(
      map.resized(height: 1, width: 4), [1, 1.25, 1.75, 2], "one row, enlarged across")
  }

  /// The gradient of the log of the odds by differences, for both kinds of output.
  @Test(arguments: [Loss.binaryCrossentropy, .categoricalCrossentropy])
  func scoreHasTheGradientOfLogOdds(loss: Loss) {
    let width = loss == .binaryCrossentropy ? 1 : 4
    let logits = Tensor(shape: [1, width], scalars: Array([0.3, -1.2, 0.8, 2.1].prefix(width)))
    for label in 0..<(width == 1 ? 2 : 4) {
      func score(_ logits: Tensor) -> Double {
        let p = Double(loss.probabilities(logits: logits)[0][label])
        return log(p / (1 - p))
      }
      let gradient = ClassScore.gradient(logits: logits, labels: [label], loss: loss)
      for column in 0..<width {
        var (more, less) = (logits, logits)
        more.scalars[column] += 0.01
        less.scalars[column] -= 0.01
        let slope = (score(more) - score(less)) / 0.02
        #expect(abs(Double(gradient.scalars[column]) - slope) < 1e-3, "\(label), \(column)")
      }
    }
  }

  /// Where Keras's gradient of the probability is 0, there still is a map.
  @Test func certaintyDoesNotEmptyTheMap() {
    let sure = Tensor(shape: [1, 3], scalars: [200, 0, 1])
    let gradient = ClassScore.gradient(logits: sure, labels: [0], loss: .categoricalCrossentropy)
    let e = Float(M_E)
    expectClose(gradient.scalars, [1, -1 / (1 + e), -e / (1 + e)], "")
  }

  @Test func layersThatGiveNoMapAreRefused() throws {
    let model = try KerasGoldenTests.fixture(
      "WeightsTests/Fixtures/nested_keras3_full.h5", ["cats", "dogs"])
    #expect(try HeatMapper(model).layer == "block5_conv3")
    #expect(throws: ExplainError.self) { try HeatMapper(model, layer: "dense") }
    #expect(throws: ExplainError.self) { try HeatMapper(model, method: .cam) }
    let error = #expect(throws: LayerError.self) {
      try HeatMapper(model, layer: "block5_conv4")
    }
    #expect(error?.description.contains("'block5_conv3'") == true)
  }

  @Test func blocksAreTheLastLayersOfEachSize() throws {
    let model = try KerasGoldenTests.fixture(
      "WeightsTests/Fixtures/nested_keras3_full.h5", ["cats", "dogs"])
    let names = model.network.blocks.map { model.network.nodes[$0].name }
    #expect(
      names == ["block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3"])
  }

  @Test func channelsThatAreOneNumberEverywhereAreDead() {
    let value = Tensor(shape: [1, 2, 3], scalars: [0, 1, 5, 0, 2, 5])
    let layer = LayerActivations(layer: "a", className: "Conv2D", value: value)
    #expect(layer.dead == [0, 2])
  }
}
