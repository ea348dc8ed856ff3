package import HDF5
package import Layers

/// A Keras file in HDF5, opened for reading.
///
///     let file = try KerasFile("vgg16_notop.h5")
///     defer { file.close() }
///     print(file.contents)
package final class KerasFile: Sendable {
  /// Which of Keras's layouts a file has.
  package enum Format: Sendable, Equatable {
    /// A group a layer with `layer_names`: weights alone.
    case legacyWeights
    /// The same below `model_weights`, with the model's configuration.
    case fullModel
    /// Keras 3's `.weights.h5`.
    case objectWeights
    /// Before Keras 1.1: `layer_0`, `layer_1`, ... without names.
    case unnamedLayers
    /// Anything else.
    case notKeras
  }

  package let path: String
  package let format: Format
  /// As the file says; Keras before 1.2 says nothing.
  package let kerasVersion: String?
  /// Such as `tensorflow` or `theano`.
  package let backend: String?
  /// What `model_config` holds.
  package let configuration: JSONValue?
  /// What `training_config` holds.
  package let trainingConfiguration: JSONValue?
  /// Whether an optimizer's state is there.
  package let hasOptimizerState: Bool
  /// Every layer with a place in the file, in the file's order; nested models are laid out flat.
  package let layers: [StoredTensors]
  /// The open file, to list it and to read attributes that Keras does not know.
  package let file: HDF5File

  /// Opens a file of any of the formats; throws only where it cannot be read.
  package init(_ path: String) throws {
    file = try Self.open(path)
    self.path = path
    do {
      let root = try file.root
      let found = try Self.format(of: root)
      format = found.format
      let weights = found.weights
      kerasVersion =
        try root.attributes.string("keras_version")
        ?? weights.attributes.string("keras_version")
      backend = try root.attributes.string("backend") ?? weights.attributes.string("backend")
      configuration =
        try JSONText.attribute("model_config", of: root, path: path)
        ?? JSONText.attribute(ModelExtras.configurationName, of: root, path: path)
      trainingConfiguration = try JSONText.attribute("training_config", of: root, path: path)
      hasOptimizerState = try Self.hasOptimizerState(root)
      layers = try Self.layers(of: weights, format)
    } catch {
      try? file.close()
      throw error
    }
  }

  /// Closes the file; tensors can no longer be read.
  package func close() { try? file.close() }

  /// Whether the file says how its network is built.
  package var hasConfiguration: Bool { configuration != nil }

  /// The layers with tensors and the tensors' shapes, to recognise an architecture by.
  package var signature: [(layer: String, shapes: [[Int]])] {
    layers.filter { !$0.tensors.isEmpty }.map { ($0.name, $0.tensors.map(\.shape)) }
  }

  private static func open(_ path: String) throws -> HDF5File {
    do {
      return try HDF5File.open(path)
    } catch HDF5Error.notHDF5(let place) {
      // Zip files start with PK.
      guard try FileDigest.start(of: path, bytes: 2) == [0x50, 0x4B] else {
        throw HDF5Error.notHDF5(place)
      }
      throw WeightsError.kerasArchive(path: path)
    }
  }

  private static func format(
    of root: HDF5Group
  ) throws -> (format: Format, weights: HDF5Group) {
    let attributes = root.attributes
    if try attributes.contains("layer_names") || attributes.contains("layer_names0") {
      return (try attributes.contains("model_config") ? .fullModel : .legacyWeights, root)
    }
    if try root.contains("model_weights") {
      let weights = try root.group("model_weights")
      return (try attributes.contains("model_config") ? .fullModel : .legacyWeights, weights)
    }
    if try attributes.contains("nb_layers") { return (.unnamedLayers, root) }
    for container in ObjectLayout.containers where try root.contains(container) {
      return (.objectWeights, root)
    }
    return (.notKeras, root)
  }

  private static func layers(of group: HDF5Group, _ format: Format) throws -> [StoredTensors] {
    switch format {
    case .legacyWeights, .fullModel: try LegacyLayout(group: group).layers()
    case .objectWeights: try ObjectLayout(root: group).layers()
    case .unnamedLayers: try unnamedLayers(of: group)
    case .notKeras: []
    }
  }

  private static func unnamedLayers(of root: HDF5Group) throws -> [StoredTensors] {
    let count = try root.attributes.integer("nb_layers") ?? 0
    return try (0..<max(count, 0)).map { index in
      let group = try root.group("layer_\(index)")
      let tensors = try (0..<max(group.attributes.integer("nb_params") ?? 0, 0)).map {
        StoredTensor(try group.dataset("param_\($0)"), parameter: nil)
      }
      return StoredTensors(name: "layer_\(index)", isNameless: true, tensors: tensors)
    }
  }

  private static func hasOptimizerState(_ root: HDF5Group) throws -> Bool {
    for name in ["optimizer_weights", "optimizer"] where try root.contains(name) {
      if case .group? = try root.children().first(where: { $0.name == name })?.kind {
        return try !root.group(name).children().isEmpty
      }
    }
    return false
  }
}
