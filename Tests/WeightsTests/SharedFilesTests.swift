import Architectures
import Foundation
import Layers
import TestSupport
import Testing
import Weights

/// Files that people made with many versions of Keras; they are not part of the project.
@Suite(.enabled(if: Locations.shared != nil))
struct SharedFilesTests {
  private func path(_ name: String) throws -> String {
    try #require(Locations.shared).appending(path: "weights/\(name)").path
  }

  @Test func realVGG16() throws {
    let file = try KerasFile(path("vgg16_notop.h5"))
    defer { file.close() }
    let layers = file.signature.map { StoredLayer(name: $0.layer, shapes: $0.shapes) }
    let architecture = try #require(Architectures.identify(layers))
    #expect(architecture.name == "vgg16")
    #expect(architecture.isPublished)
    var network = try architecture.network(inputShape: [150, 150, 3])
    #expect(try WeightLoader.load(file, into: &network).summary == "26 tensors loaded")
    #expect(network.parameterCount == 14_714_688)
  }

  @Test(arguments: [
    (
      "squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5",
      "25 convolutions named conv1 ... fire9/expand3x3"
    ),
    (
      "found/cyberpatrick_traffic_model.weights.h5",
      "4 convolutions named conv2d ... conv2d_3, a classifier of 164 classes (dense, dense_1)"
    ),
    (
      "found/kotlindl_lenet_mnist_weights_only.h5",
      "2 convolutions named conv2d, conv2d_1, "
        + "a classifier of 10 classes (dense, dense_1, dense_2)"
    ),
    (
      "found/kotlindl_toyresnet_weights.h5",
      "7 convolutions named conv2d_34 ... conv2d_40, a classifier of 10 classes (dense_6, dense_7)"
    ),
  ])
  func contents(_ name: String, _ contents: String) throws {
    let file = try KerasFile(path(name))
    defer { file.close() }
    #expect(file.contents == contents)
  }
}
