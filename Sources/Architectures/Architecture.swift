package import Layers

/// The tensors that a weights file holds for one layer.
package struct StoredLayer: Sendable, Equatable {
  package let name: String
  package let shapes: [[Int]]

  package init(name: String, shapes: [[Int]]) {
    self.name = name
    self.shapes = shapes
  }
}

/// A network that is known by name, with the widths of a file or the published ones.
package protocol Architecture: Sendable {
  /// Such as `vgg16`.
  var name: String { get }
  var card: WeightCard { get }
  /// How many channels each block has; other than the published ones for a narrower relative.
  var widths: [Int] { get }
  /// Whether the widths are those of the paper.
  var isPublished: Bool { get }
  /// The names of all convolutions up to the classifier, in order.
  var convolutionNames: [String] { get }
  /// The names of all layers of the classifier, in order.
  var topNames: [String] { get }

  /// The network for pictures `[height, width, 3]`, its parameters zero or placeholders.
  ///
  /// Throws `LayerError` where the picture is too small.
  func network(inputShape: [Int], includesTop: Bool) throws(LayerError) -> Network

  /// This architecture with the widths that a file's kernels have, and how many convolutions the
  /// file lacks; nil where the file has other convolutions or fewer than half of these.
  func fitted(to layers: [StoredLayer]) -> (architecture: any Architecture, missing: Int)?
}

extension Architecture {
  /// The network up to the last picture.
  package func network(inputShape: [Int]) throws(LayerError) -> Network {
    try network(inputShape: inputShape, includesTop: false)
  }
}

/// Every architecture that can be built by name.
package enum Architectures {
  package static let all: [any Architecture] =
    [VGG.vgg16, VGG.vgg19, ResNet.resnet50, ResNet.resnet101, ResNet.resnet152]
    + ResNetV2.all + DenseNet.all + MobileNet.all + MobileNetV2.all
    + [InceptionV3(), Xception(), SqueezeNet(), AlexNet(), GoogLeNet(), LeNet5(), VGG.tlMini]
    + TorchResNet.all + TorchVGG.all

  package static func named(_ name: String) -> (any Architecture)? { all.first { $0.name == name } }

  /// What suits the weights of the base of that name; the book's for VGG16 if it is unknown.
  package static func defaults(ofBase name: String) -> WeightDefaults {
    named(name)?.card.defaults ?? WeightDefaults()
  }

  /// The architecture whose layer names fit what a file holds, with the file's widths, or nil.
  ///
  /// All the file's convolutions must belong to it and most of its own be there; among several the
  /// one with the fewest missing wins, and of those one with the published widths.
  package static func identify(_ layers: [StoredLayer]) -> (any Architecture)? {
    let fitting = all.compactMap { $0.fitted(to: layers) }
    let fewest = fitting.map(\.missing).min()
    let best = fitting.filter { $0.missing == fewest }.map(\.architecture)
    return best.first(where: \.isPublished) ?? best.first
  }
}
