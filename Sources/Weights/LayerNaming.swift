package import Layers

/// A model's layers in the order in which `.weights.h5` counts them.
private struct PlacedModel {
  struct Part {
    let name: String
    /// Keras's class; nil for a nested model of which nobody knows whether it is Sequential.
    let className: String?
    let model: PlacedModel?
  }

  let parts: [Part]

  init(_ entry: ModelEntry) throws(WeightsError) {
    var parts: [Part] = []
    for entry in try entry.entries() {
      // What older versions call a Model is saved as Functional.
      let className = entry.className == "Model" ? "Functional" : entry.className
      parts.append(
        Part(
          name: entry.name, className: className,
          model: entry.layers == nil ? nil : try PlacedModel(entry)))
    }
    self.parts = parts
  }

  init(_ tree: ModelTree) {
    parts = tree.parts.map { part in
      switch part.content {
      case .layer(let node): Part(name: part.name, className: node.layer.className, model: nil)
      case .model(let tree): Part(name: part.name, className: nil, model: PlacedModel(tree))
      }
    }
  }
}

/// Finds the layers' names for places such as `functional/conv2d_1`.
private struct PlaceNames {
  /// The places in the file that have tensors.
  private let places: [String]
  /// TensorFlow 2.12 and 2.13 counted every layer that has weights twice.
  private let countsTwice: Bool
  private(set) var names: [String: (scope: [String], name: String)] = [:]

  init(_ model: PlacedModel, layers: [StoredTensors], countsTwice: Bool) {
    places = layers.map(\.path)
    self.countsTwice = countsTwice
    add(model, within: "", scope: [])
  }

  private mutating func add(_ model: PlacedModel, within prefix: String, scope: [String]) {
    var counts: [String: Int] = [:]
    for part in model.parts {
      let classes = part.className.map { [$0] } ?? ["Functional", "Sequential"]
      func place(_ className: String) -> String {
        prefix + ObjectLayout.place(className: className, count: counts[className, default: 0])
      }
      let found = classes.first { has(place($0)) }
      let className = found ?? classes[0]
      let own = place(className)
      counts[className, default: 0] += countsTwice && found != nil ? 2 : 1
      names[own] = (scope, part.name)
      if let inner = part.model { add(inner, within: own + "/", scope: scope + [part.name]) }
    }
  }

  private func has(_ place: String) -> Bool {
    places.contains { $0 == place || $0.hasPrefix(place + "/") }
  }
}

extension KerasFile {
  /// Whether the file has only places for its layers and no names.
  package var isNameless: Bool { layers.contains { $0.isNameless } }

  /// The same file, its nameless layers called as those of `network`.
  ///
  /// Nil where one of them has no counterpart, or one whose tensors are of another kind.
  package func named(as network: Network) -> KerasFile? {
    guard isNameless else { return self }
    if format == .unnamedLayers { return named(inOrderOf: network) }
    guard let tree = try? ModelTree(network) else { return nil }
    let named = Self.named(layers, PlacedModel(tree), countsTwice: countsTwice)
    let nodes = Dictionary(network.nodes.map { ($0.scope + [$0.name], $0) }) { first, _ in first }
    for layer in named {
      guard !layer.isNameless, let node = nodes[layer.scope + [layer.name]],
        isLike(layer, node)
      else { return nil }
    }
    return KerasFile(self, layers: named)
  }

  /// Layers named by a configuration; those that it does not have keep their places.
  static func named(
    _ layers: [StoredTensors], by configuration: JSONValue, countsTwice: Bool, path: String
  ) throws(WeightsError) -> [StoredTensors] {
    let model = try PlacedModel(ModelEntry(configuration, path: path))
    return named(layers, model, countsTwice: countsTwice)
  }

  private static func named(
    _ layers: [StoredTensors], _ model: PlacedModel, countsTwice: Bool
  ) -> [StoredTensors] {
    let names = PlaceNames(model, layers: layers, countsTwice: countsTwice).names
    return layers.map { layer in
      guard layer.isNameless, let found = names[layer.path] else { return layer }
      return layer.named(found.name, scope: found.scope)
    }
  }

  /// Files from before Keras 1.1 have nothing but the order.
  private func named(inOrderOf network: Network) -> KerasFile? {
    let nodes = network.nodes.filter(\.hasParameters)
    let stored = layers.filter { !$0.tensors.isEmpty }
    guard stored.count == nodes.count, zip(stored, nodes).allSatisfy(isLike) else { return nil }
    return KerasFile(
      self, layers: zip(stored, nodes).map { $0.named($1.name, scope: $1.scope) })
  }

  /// Whether tensors could be those of a node of other widths.
  private func isLike(_ layer: StoredTensors, _ node: Network.Node) -> Bool {
    let wanted = node.layer.parameters.map(\.value.shape)
    let found = layer.tensors.map { kernels.order.shape(of: $0.shape) }
    guard wanted.count == found.count else { return false }
    return zip(wanted, found).allSatisfy { wanted, found in
      wanted.count == found.count && (wanted.count < 4 || wanted.prefix(2) == found.prefix(2))
    }
  }
}
