internal import Compute
internal import HDF5
internal import Layers

/// Writes tensors in the layout of Keras 2: a group a layer, names in attributes.
struct LegacyWriter {
  let group: HDF5Group
  /// The most bytes of one attribute; HDF5 allows little more in an object's header.
  var attributeLimit = 64_512
  /// How numbers are stored.
  var type = HDF5ElementType.float32

  /// Writes a model's layers; a nested model is one group.
  func write(_ tree: ModelTree) throws {
    try KerasSpelling.write(tree, to: group.attributes)
    // Keras lists the inputs of functional models and not those of Sequential ones.
    var names = tree.isChain ? [] : [tree.inputName]
    names += tree.parts.map(\.name)
    try set("layer_names", names, on: group)
    for name in names {
      let part = tree.parts.first { $0.name == name }
      try write(part.map(Self.tensors) ?? [], to: try group.createGroup(name))
    }
  }

  private func write(
    _ tensors: [(name: String, value: Tensor)], to layer: HDF5Group
  ) throws {
    try set("weight_names", tensors.map(\.name), on: layer)
    for (name, value) in tensors {
      let dataset = try layer.createDataset(name, shape: value.shape, type: type)
      if value.count > 0 { try dataset.write(value.scalars) }
    }
  }

  /// The tensors of a part under their names in Keras's order.
  private static func tensors(of part: ModelTree.Part) -> [(name: String, value: Tensor)] {
    switch part.content {
    case .layer(let node):
      return node.layer.parameters.map { ("\(node.name)/\($0.name):0", $0.value) }
    case .model(let tree):
      // Keras takes what is trained first, then what is not, each in the order of the layers.
      let all = tree.layers.flatMap { path, node in
        node.layer.parameters.map { parameter in
          (
            name: "\(path)/\(parameter.name):0", value: parameter.value,
            isTrained: node.isTrainable && parameter.isTrainable
          )
        }
      }
      let ordered = all.filter(\.isTrained) + all.filter { !$0.isTrained }
      return ordered.map { ($0.name, $0.value) }
    }
  }

  /// Writes a list of names, split as Keras splits it where one attribute cannot hold it.
  private func set(_ attribute: String, _ names: [String], on group: HDF5Group) throws {
    let width = max(names.map(\.utf8.count).max() ?? 1, 1)
    guard width * names.count > attributeLimit else {
      return try group.attributes.set(attribute, strings: names)
    }
    let size = max(attributeLimit / width, 1)
    for (number, start) in stride(from: 0, to: names.count, by: size).enumerated() {
      try group.attributes.set(
        "\(attribute)\(number)", strings: Array(names[start..<min(start + size, names.count)]))
    }
  }
}
