// Architectures declares the networks that are known by name: one file per family, and beside it
// the card of its published weights. It reads no files; `Weights` fills what is built here.

/// What must be known to use pretrained weights rightly, kept beside the architecture.
package struct WeightCard: Sendable {
  /// A published file of these weights.
  package struct PublishedFile: Sendable {
    /// By which it is pulled and given to `--base`, such as `vgg16` or `vgg16-top`.
    package let name: String
    package let includesTop: Bool
    /// Nil where no source says it.
    package let md5: String?
    /// Its size; nil where no source says it.
    package let bytes: Int?
    package let url: String
    /// What it is called on the disk.
    package let fileName: String

    /// - Parameter fileName: what the address ends with, if nil.
    package init(
      name: String, includesTop: Bool, md5: String?, bytes: Int?, url: String,
      fileName: String? = nil
    ) {
      (self.name, self.includesTop, self.md5, self.bytes) = (name, includesTop, md5, bytes)
      self.url = url
      self.fileName = fileName ?? String(url.split(separator: "/").last ?? "")
    }

    /// The files with and without top that most families of Keras have.
    ///
    /// - Parameter place: their addresses up to `_tf_dim_ordering_tf_kernels`.
    static func pair(
      _ name: String, at place: String, top: String?, noTop: String?
    ) -> [PublishedFile] {
      let start = place + "_tf_dim_ordering_tf_kernels"
      return [
        PublishedFile(
          name: name + "-top", includesTop: true, md5: top, bytes: nil, url: start + ".h5"),
        PublishedFile(
          name: name, includesTop: false, md5: noTop, bytes: nil, url: start + "_notop.h5"),
      ]
    }
  }

  /// A file that comes with the project, in its folder `weights`.
  package struct ShippedFile: Sendable {
    /// By which it is given to `--base`.
    package let name: String
    package let fileName: String
    package let md5: String
    package let bytes: Int
  }

  /// Where Keras's own files lie.
  static let keras = "https://storage.googleapis.com/tensorflow/keras-applications/"

  /// The input height and width the weights were trained at.
  package let inputSize: Int
  /// The name of the preprocessing that the weights expect, such as `caffe`.
  package let preprocessing: String
  package let files: [PublishedFile]
  package let licence: String
  package let origin: String
  /// The file of these weights that comes with the project.
  package var shipped: ShippedFile?
  /// What suits these weights where nobody says otherwise.
  package var defaults = WeightDefaults()
}

/// How photos are taken in and classifiers trained unless something else is asked for; the values
/// here are the book's for VGG16.
package struct WeightDefaults: Sendable, Equatable {
  /// Height and width that photos are scaled to.
  package var photoSize = 150
  /// How they are scaled, by name.
  package var interpolation = "nearest"
  /// For a head on features.
  package var headLearningRate: Float = 2e-5
  /// For unfrozen layers together with a trained head.
  package var tuningLearningRate: Float = 1e-5

  package init() {}

  init(
    photoSize: Int, interpolation: String, headLearningRate: Float, tuningLearningRate: Float
  ) {
    (self.photoSize, self.interpolation) = (photoSize, interpolation)
    (self.headLearningRate, self.tuningLearningRate) = (headLearningRate, tuningLearningRate)
  }
}
