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
