internal import HDF5

/// The layout of Keras 3's `.weights.h5`: `layers/conv2d_1/vars/0`, numbers in place of names.
///
/// Newer files carry the layer's name as an attribute of its `vars`. TensorFlow 2.12 wrote
/// `_layer_checkpoint_dependencies` for `layers`.
struct ObjectLayout {
  static let containers = ["layers", "_layer_checkpoint_dependencies"]

  let root: HDF5Group

  /// Every layer that has tensors, those of one class in the model's order.
  func layers() throws -> [StoredTensors] { try layers(in: root, scope: []) }

  private func layers(in model: HDF5Group, scope: [String]) throws -> [StoredTensors] {
    var result: [StoredTensors] = []
    for container in Self.containers where try model.contains(container) {
      let group = try model.group(container)
      // What is neither group nor dataset is opened too, so that a link is refused with its reason.
      let names = try group.children().filter { $0.kind != .dataset }.map(\.name)
      for name in names.sorted(by: Self.isBefore) {
        result += try layers(of: try group.group(name), place: name, scope: scope)
      }
    }
    return result
  }

  private func layers(
    of group: HDF5Group, place: String, scope: [String]
  ) throws -> [StoredTensors] {
    let variables = try group.contains("vars") ? try group.group("vars") : nil
    let name = try variables?.attributes.string("name")
    let tensors = try variables.map(tensors) ?? []
    // The seed of a Dropout lies one group deeper and is no weight.
    let own =
      tensors.isEmpty
      ? []
      : [
        StoredTensors(
          scope: scope, name: name ?? place, isNameless: name == nil, tensors: tensors)
      ]
    return own + (try layers(in: group, scope: scope + [name ?? place]))
  }

  private func tensors(of variables: HDF5Group) throws -> [StoredTensor] {
    let numbered = try variables.children().compactMap { child in
      child.kind == .group ? nil : Int(child.name)
    }
    return try numbered.sorted().map {
      try StoredTensor(variables.dataset("\($0)"), parameter: nil)
    }
  }

  /// `conv2d` before `conv2d_2` before `conv2d_10`.
  private static func isBefore(_ a: String, _ b: String) -> Bool {
    let (first, second) = (TensorName.withoutCounter(a), TensorName.withoutCounter(b))
    if first != second { return first < second }
    return (a.utf8.count, a) < (b.utf8.count, b)
  }

  /// The place of the `count`-th layer (from 0) of a class: `Conv2D` becomes `conv2d_3`.
  static func place(className: String, count: Int) -> String {
    let letters = Array(className)
    var words = ""
    for (index, letter) in letters.enumerated() {
      // A word starts where lower case ends, and before a capital that lower case follows, as in
      // `Conv2D|Transpose` and `P|Re|LU`.
      let isStart =
        index > 0 && letter.isUppercase
        && (letters[index - 1].isLowercase || letters[(index + 1)...].first?.isLowercase == true)
      words += isStart ? "_" + letter.lowercased() : letter.lowercased()
    }
    return count == 0 ? words : "\(words)_\(count)"
  }
}
