internal import Archives
internal import Foundation
internal import HDF5
package import Layers

extension KerasModel {
  /// Writes a `.keras` archive, which Keras 2 from 2.13 on and Keras 3 load; the name must end so.
  ///
  /// Its members are those that Keras writes. Extras ride along as attributes of the weights in it,
  /// as a member more would make Keras look for assets.
  package static func writeArchive(
    _ network: Network, to path: String, extras: ModelExtras = ModelExtras(),
    type: NumberType = .float32
  ) throws {
    try type.check(network)
    let tree = try ModelTree(network)
    let metadata: JSONValue = ["keras_version": .string(KerasSpelling.version(of: tree))]
    try AtomicFile.write(path) { temporary in
      let weights = temporary + ".weights"
      defer { try? FileManager.default.removeItem(atPath: weights) }
      try create(weights) { root in
        try extras.write(to: root.attributes)
        try ObjectWriter(root: root, type: type.hdf5).write(tree)
      }
      try ZipArchive.write(
        temporary,
        [
          .init("metadata.json", .bytes(Array(try JSONText.text(metadata).utf8))),
          .init("config.json", .bytes(Array(try JSONText.text(tree.archiveConfiguration).utf8))),
          .init("model.weights.h5", .file(weights)),
        ])
    }
  }
}
