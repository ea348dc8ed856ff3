internal import HDF5

// Which of Keras's layouts an HDF5 file has, and its layers in it.
extension KerasFile {
  static func format(
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

  static func layers(of group: HDF5Group, _ format: Format) throws -> [StoredTensors] {
    switch format {
    case .legacyWeights, .fullModel: try LegacyLayout(group: group).layers()
    case .objectWeights: try ObjectLayout(root: group).layers()
    case .unnamedLayers: try unnamedLayers(of: group)
    case .archive, .safetensors, .notKeras: []
    }
  }

  private static func unnamedLayers(of root: HDF5Group) throws -> [StoredTensors] {
    let count = try root.attributes.integer("nb_layers") ?? 0
    return try (0..<max(count, 0)).map { index in
      let group = try root.group("layer_\(index)")
      let tensors = try (0..<max(group.attributes.integer("nb_params") ?? 0, 0)).map {
        try StoredTensor(group.dataset("param_\($0)"), parameter: nil)
      }
      return StoredTensors(name: "layer_\(index)", isNameless: true, tensors: tensors)
    }
  }

  /// Networks by name are built as wide as a file's tensors: a file must be able to hold what it
  /// declares, compressed well perhaps.
  static func requirePlausible(
    _ layers: [StoredTensors], _ file: HDF5File, size: Int
  ) throws {
    var free = 256_000_000 + 20 * size
    for tensor in layers.flatMap(\.tensors) {
      let (bytes, isUncountable) = tensor.shape.reduce((4, false)) { result, length in
        let (product, overflow) = result.0.multipliedReportingOverflow(by: length)
        return (product, result.1 || overflow)
      }
      free -= isUncountable ? free + 1 : bytes
      guard free >= 0 else {
        let place = HDF5Place(file: file.path, object: tensor.path)
        throw HDF5Error.refused(
          place,
          isUncountable
            ? .uncountable(shape: tensor.shape) : .oversized(declared: bytes, stored: size))
      }
    }
  }

  static func hasOptimizerState(_ root: HDF5Group) throws -> Bool {
    for name in ["optimizer_weights", "optimizer"] where try root.contains(name) {
      if case .group? = try root.children().first(where: { $0.name == name })?.kind {
        return try !root.group(name).children().isEmpty
      }
    }
    return false
  }
}
