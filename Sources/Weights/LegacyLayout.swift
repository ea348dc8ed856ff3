internal import HDF5

/// The layout of Keras 1.1 to 2 and of every full-model `.h5`: a group a layer, with
/// `layer_names` and `weight_names` as attributes.
struct LegacyLayout {
  /// The group that carries `layer_names`.
  let group: HDF5Group

  /// Every layer in the file's order, layers of nested models one by one.
  func layers() throws -> [StoredTensors] {
    let names = try Self.list("layer_names", of: group) ?? []
    return try names.flatMap { try layers(ofGroup: $0) }
  }

  /// A list of strings, put together where it was too long for one attribute; nil if there is none.
  ///
  /// Keras splits it into `name0`, `name1` and so on.
  static func list(_ name: String, of group: HDF5Group) throws -> [String]? {
    if let names = try group.attributes.strings(name) { return names }
    guard var names = try group.attributes.strings("\(name)0") else { return nil }
    var index = 1
    while let more = try group.attributes.strings("\(name)\(index)") {
      names += more
      index += 1
    }
    return names
  }

  private func layers(ofGroup layer: String) throws -> [StoredTensors] {
    let group = try group.group(layer)
    let names = try Self.list("weight_names", of: group) ?? []
    let tensors = try names.map { text in
      let name = TensorName(text)
      let tensor = try StoredTensor(group.dataset(text), parameter: name.parameter)
      return (owner: name.owner, tensor: tensor)
    }
    let owners = Self.distinct(tensors.map(\.owner))
    // Tensors of one owner are the layer's own, whatever Keras called it; those of several owners
    // are a nested model's.
    guard owners.filter({ !$0.isEmpty }).count > 1 else {
      let alias = owners.first { !$0.isEmpty }?.split(separator: "/").last.map { String($0) }
      return [StoredTensors(name: layer, alias: alias, tensors: tensors.map(\.tensor))]
    }
    return owners.map { owner in
      let inner = owner.hasPrefix(layer + "/") ? String(owner.dropFirst(layer.count + 1)) : owner
      return StoredTensors(
        scope: inner.isEmpty ? [] : [layer], name: inner.isEmpty ? layer : inner,
        tensors: tensors.filter { $0.owner == owner }.map(\.tensor))
    }
  }

  private static func distinct(_ names: [String]) -> [String] {
    var seen = Set<String>()
    return names.filter { seen.insert($0).inserted }
  }
}
