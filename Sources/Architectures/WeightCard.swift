// Architectures declares the networks that are known by name: one file per family, and beside it
// the card of its published weights. It reads no files; `Weights` fills what is built here.

/// What must be known to use pretrained weights rightly, kept beside the architecture.
package struct WeightCard: Sendable {
  /// A published file of these weights.
  package struct PublishedFile: Sendable {
    package let includesTop: Bool
    package let md5: String
    package let url: String
  }

  /// The input height and width the weights were trained at.
  package let inputSize: Int
  /// The name of the preprocessing that the weights expect, such as `caffe`.
  package let preprocessing: String
  package let files: [PublishedFile]
  package let licence: String
  package let origin: String
}

/// The tensors that a weights file holds for one layer.
package struct StoredLayer: Sendable, Equatable {
  package let name: String
  package let shapes: [[Int]]

  package init(name: String, shapes: [[Int]]) {
    self.name = name
    self.shapes = shapes
  }
}

/// Every architecture that can be built by name.
package enum Architectures {
  package static let all: [VGG] = [.vgg16, .vgg19]

  package static func named(_ name: String) -> VGG? { all.first { $0.name == name } }

  /// The architecture whose layer names fit what a file holds, with the file's widths, or nil.
  ///
  /// All the file's convolutions must belong to it and most of its own be there; among several the
  /// one with the fewest missing wins.
  package static func identify(_ layers: [StoredLayer]) -> VGG? {
    all.compactMap { $0.fitted(to: layers) }.min { $0.missing < $1.missing }?.architecture
  }
}
