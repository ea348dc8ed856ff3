import Architectures
import Compute
import Foundation
import HDF5
import TestSupport
import Testing
import Weights

/// The real VGG16 on a synthetic picture, every block against Keras in float64.
///
/// Needs the weights file among the shared data; the picture and what Keras makes of it are ours.
@Suite(.enabled(if: Locations.shared != nil, "no TL_SHARED with weights/vgg16_notop.h5"))
struct RealVGG16Tests {
  /// Winograd rounds more than direct products; both are measured against the block's size.
  @Test(arguments: [(ConvolutionChoice.direct, Float(1e-4)), (.fastest, 1e-3)])
  func everyBlockAgreesWithKeras(choice: ConvolutionChoice, absolute: Float) throws {
    let shared = try #require(Locations.shared)
    let golden = try HDF5File.open(
      Bundle.module.path(to: "Fixtures/vgg16_synthetic_expected.h5"))
    defer { try? golden.close() }
    let root = try golden.root
    let input = try root.tensor("input")
    var network = try VGG.vgg16.network(inputShape: Array(input.shape.dropFirst()))
    let file = try KerasFile(shared.appending(path: "weights/vgg16_notop.h5").path)
    defer { file.close() }
    let report = try WeightLoader.load(file, into: &network, allowPartial: false)
    #expect(report.summary == "26 tensors loaded")
    let names = (1...5).map { "block\($0)_pool" }
    let indices = try names.map { try #require(network.index(named: $0)) }
    let outputs = network.plan(outputs: indices, convolutions: choice).run(input)
    for (name, output) in zip(names, outputs) {
      let expected = try root.tensor("outputs/\(name)")
      #expect(output.shape == expected.shape)
      expectClose(
        output.scalars, expected.scalars, absolute: absolute, relative: 1e-4,
        "\(choice) \(name)")
    }
  }
}
