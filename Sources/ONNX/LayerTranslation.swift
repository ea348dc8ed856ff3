internal import Compute
internal import Layers

/// One layer in its place, as its Keras configuration describes it.
struct LayerInContext {
  let node: Network.Node
  let inputs: [GraphValue]
  let configuration: Configuration

  init(_ node: Network.Node, inputs: [GraphValue]) throws {
    self.node = node
    self.inputs = inputs
    configuration = try Configuration(node.layer.configuration)
  }

  /// The name with that of the nested models around it.
  var path: String { (node.scope + [node.name]).joined(separator: "/") }

  /// What a layer of one input takes.
  var input: GraphValue { inputs[0] }

  subscript(field: String) -> JSONValue? { configuration.fields[field] }

  /// The parameter of that name, nil where the layer has none.
  func tensor(_ name: String) -> Tensor? {
    node.layer.parameters.first { $0.name == name }?.value
  }

  func unsupported(_ what: String) -> ONNXError { .unsupported(what, layer: path) }

  /// The layer's output under a name of the graph.
  func output(_ name: String, isChannelsFirst: Bool = false) -> GraphValue {
    GraphValue(name: name, shape: node.shape, isChannelsFirst: isChannelsFirst)
  }
}

/// Adds a layer's operators to a graph and says where its output is.
typealias LayerTranslation =
  @Sendable (LayerInContext, inout GraphBuilder) throws -> GraphValue

/// How each class of layers becomes operators, by Keras's names.
enum LayerTranslations {
  static let all: [String: LayerTranslation] =
    convolutions
    .merging(pooling) { first, _ in first }
    .merging(pictures) { first, _ in first }
    .merging(shapes) { first, _ in first }
    .merging(merges) { first, _ in first }
    .merging(functions) { first, _ in first }
    .merging(normalizations) { first, _ in first }
    .merging(onlyWhileTraining) { first, _ in first }

  /// What does nothing outside of training.
  private static let onlyWhileTraining: [String: LayerTranslation] = Dictionary(
    uniqueKeysWithValues: RandomAugmentation.classNames
      .union(["Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout"])
      .map { name in
        (name, { @Sendable (layer: LayerInContext, _: inout GraphBuilder) in layer.input })
      })
}
