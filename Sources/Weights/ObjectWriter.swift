internal import HDF5
internal import Layers

/// Writes tensors in the layout of Keras 3's `.weights.h5`, which Keras 2 from 2.13 on shares:
/// `layers/conv2d_1/vars/0`, counted by class within each model, in the order of its layers.
struct ObjectWriter {
  let root: HDF5Group
  /// How numbers are stored.
  var type = HDF5ElementType.float32

  func write(_ tree: ModelTree) throws { try write(tree, to: root) }

  private func write(_ tree: ModelTree, to group: HDF5Group) throws {
    // Keras 2 does not open a file without these of the model itself.
    try variables(in: group, name: tree.name)
    let layers = try group.createGroup("layers")
    var counts: [String: Int] = [:]
    for part in tree.parts {
      let className = part.className
      let place = ObjectLayout.place(className: className, count: counts[className, default: 0])
      counts[className, default: 0] += 1
      let own = try layers.createGroup(place)
      switch part.content {
      case .model(let inner): try write(inner, to: own)
      case .layer(let node): try write(node, to: try variables(in: own, name: part.name))
      }
    }
  }

  /// Trained tensors come first in the order in which Keras creates them, as in the layer.
  private func write(_ node: Network.Node, to variables: HDF5Group) throws {
    let parameters = node.layer.parameters
    let ordered = parameters.filter(\.isTrainable) + parameters.filter { !$0.isTrainable }
    for (number, parameter) in ordered.enumerated() {
      let dataset = try variables.createDataset(
        "\(number)", shape: parameter.value.shape, type: type)
      if parameter.value.count > 0 { try dataset.write(parameter.value.scalars) }
    }
  }

  @discardableResult
  private func variables(in group: HDF5Group, name: String) throws -> HDF5Group {
    let variables = try group.createGroup("vars")
    try variables.attributes.set("name", string: name)
    return variables
  }
}

extension ModelTree.Part {
  /// The class by which Keras counts it.
  fileprivate var className: String {
    switch content {
    case .layer(let node): node.layer.className
    case .model: "Functional"
    }
  }
}
