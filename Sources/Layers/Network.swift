package import Compute

/// A graph of layers with one input and one output, its nodes in an order of computation.
///
/// Nested Keras models are laid out flat: a node remembers in `scope` the names of the models
/// that it came from, so that files can be read and written in their nested form.
package struct Network: Sendable {
  /// One layer in its place.
  package struct Node: Sendable {
    package var layer: any Layer
    /// The nodes whose outputs this one takes; they come earlier.
    package let inputs: [Int]
    /// The nested models around the layer, outermost first.
    package let scope: [String]
    /// The output shape without the batch axis.
    package let shape: [Int]
    /// Where the layer is used again: the node of its first use, which has its parameters.
    package var sharedWith: Int?
    /// How often each of the nested models and the layer itself was called before, outermost first.
    package var calls: [Int]
    /// Whether training may change the layer's parameters.
    package var isTrainable = true

    package var name: String { layer.name }
    /// Whether the node has parameters that no earlier one has.
    package var hasParameters: Bool { sharedWith == nil && !layer.parameters.isEmpty }
    /// Whether training normalises by a batch's statistics here.
    package var usesBatchStatistics: Bool {
      (layer as? BatchNormalization)?.usesBatchStatistics ?? false
    }
    /// Whether gradients could change any of its parameters.
    package var hasTrainableParameters: Bool { layer.parameters.contains(where: \.isTrainable) }
    /// How many numbers of the layer training may change: none while it is frozen, and never the
    /// statistics of a normalisation.
    package var trainableCount: Int {
      guard isTrainable, sharedWith == nil else { return 0 }
      return layer.parameters.filter(\.isTrainable).reduce(0) { $0 + $1.count }
    }
  }

  package var name: String
  package private(set) var nodes: [Node] = []
  private var declaredHeadStart: Int?

  /// A network of one input; `inputShape` is one photo's `[height, width, channels]`.
  package init(name: String, inputShape: [Int], inputName: String, scope: [String] = []) {
    self.name = name
    let layer = InputLayer(name: inputName, shape: inputShape)
    nodes.append(
      Node(
        layer: layer, inputs: [], scope: scope, shape: inputShape,
        calls: Self.firstCalls(scope)))
  }

  private static func firstCalls(_ scope: [String]) -> [Int] {
    [Int](repeating: 0, count: scope.count + 1)
  }

  package var inputShape: [Int] { nodes[0].shape }
  package var outputIndex: Int { nodes.count - 1 }
  package var outputShape: [Int] { nodes[outputIndex].shape }
  package var parameterCount: Int {
    nodes.reduce(0) { $0 + ($1.sharedWith == nil ? $1.layer.parameterCount : 0) }
  }
  package var trainableCount: Int { nodes.reduce(0) { $0 + $1.trainableCount } }

  /// Adds a layer after the given nodes, by default after the last, and returns its index.
  ///
  /// - Parameters:
  ///   - calls: see `Node`; by default this is the first use of all.
  ///   - sharedWith: an earlier node of the same layer, with which this one shares its parameters.
  @discardableResult
  package mutating func add(
    _ layer: any Layer, after inputs: [Int]? = nil, scope: [String] = [], calls: [Int]? = nil,
    sharedWith: Int? = nil
  ) throws(LayerError) -> Int {
    let inputs = inputs ?? [outputIndex]
    precondition(
      inputs.allSatisfy(nodes.indices.contains), "inputs \(inputs) must be earlier nodes")
    guard
      sharedWith != nil
        || !nodes.contains(where: { $0.name == layer.name && $0.scope == scope })
    else {
      throw .badGraph("two layers are called '\(layer.name)'")
    }
    let shape = try layer.outputShape(for: inputs.map { nodes[$0].shape })
    let first = sharedWith.map { nodes[$0].sharedWith ?? $0 }
    nodes.append(
      Node(
        layer: first.map { nodes[$0].layer } ?? layer, inputs: inputs, scope: scope,
        shape: shape, sharedWith: first, calls: calls ?? Self.firstCalls(scope)))
    return outputIndex
  }

  /// The node of that name, or nil.
  package func index(named name: String) -> Int? { nodes.firstIndex { $0.name == name } }

  /// The network that ends at node `index`, with only what that node needs.
  package func ending(at index: Int) -> Network {
    let needed = ancestors(of: index)
    var result = self
    result.nodes = []
    result.declaredHeadStart = nil
    var moved: [Int: Int] = [:]
    for old in nodes.indices where needed.contains(old) {
      let node = nodes[old]
      moved[old] = result.nodes.count
      result.nodes.append(
        Node(
          layer: node.layer, inputs: node.inputs.compactMap { moved[$0] }, scope: node.scope,
          shape: node.shape, sharedWith: node.sharedWith.flatMap { moved[$0] },
          calls: node.calls, isTrainable: node.isTrainable))
      // Where the first use is not needed, the next one has the parameters.
      if let first = node.sharedWith, moved[first] == nil { moved[first] = moved[old] }
    }
    return result
  }

  /// The network without node `index`: what used its output uses its first input instead.
  package func bypassing(_ index: Int) -> Network {
    var result = self
    for user in users(of: index) {
      let node = nodes[user]
      result.nodes[user] = Node(
        layer: node.layer, inputs: node.inputs.map { $0 == index ? nodes[index].inputs[0] : $0 },
        scope: node.scope, shape: node.shape, sharedWith: node.sharedWith, calls: node.calls,
        isTrainable: node.isTrainable)
    }
    return result.ending(at: outputIndex)
  }

  /// The nodes that take the output of node `index`.
  package func users(of index: Int) -> [Int] {
    nodes.indices.filter { nodes[$0].inputs.contains(index) }
  }

  /// The nodes that node `index` depends on, itself and the input included.
  func ancestors(of index: Int) -> Set<Int> {
    var needed: Set<Int> = [0, index]
    for node in stride(from: index, through: 0, by: -1) where needed.contains(node) {
      needed.formUnion(nodes[node].inputs)
    }
    return needed
  }

  /// The same layers for another input shape, parameters kept.
  ///
  /// Fails where a layer cannot take the new shape, such as a Dense after Flatten.
  package func resized(to inputShape: [Int]) throws(LayerError) -> Network {
    var result = Network(
      name: name, inputShape: inputShape, inputName: nodes[0].name, scope: nodes[0].scope)
    for node in nodes.dropFirst() {
      let index = try result.add(
        node.layer, after: node.inputs, scope: node.scope, calls: node.calls,
        sharedWith: node.sharedWith)
      result.nodes[index].isTrainable = node.isTrainable
    }
    result.nodes[0].isTrainable = nodes[0].isTrainable
    result.declaredHeadStart = declaredHeadStart
    return result
  }

  /// Changes one layer in place wherever it is used, such as its parameters while training.
  package mutating func updateLayer<R>(at index: Int, _ change: (inout any Layer) -> R) -> R {
    defer { for use in otherUses(of: index) { nodes[use].layer = nodes[index].layer } }
    return change(&nodes[index].layer)
  }

  /// The other nodes that use the layer of one.
  private func otherUses(of index: Int) -> [Int] {
    let first = nodes[index].sharedWith ?? index
    return nodes.indices.filter { $0 != index && ($0 == first || nodes[$0].sharedWith == first) }
  }

  /// Says whether training may change the parameters of one node's layer.
  package mutating func setTrainable(at index: Int, _ isTrainable: Bool) {
    nodes[index].isTrainable = isTrainable
    for use in otherUses(of: index) { nodes[use].isTrainable = isTrainable }
  }

  /// Marks exactly the given nodes as trainable; of a layer that is used several times the first.
  package mutating func setTrainable(_ trainable: Set<Int>) {
    for index in nodes.indices {
      nodes[index].isTrainable = trainable.contains(nodes[index].sharedWith ?? index)
    }
  }

  /// Says whether the normalisations that are trained go by the statistics of each batch; frozen
  /// ones never do.
  package mutating func setBatchStatistics(_ isOn: Bool) {
    for index in nodes.indices {
      guard var layer = nodes[index].layer as? BatchNormalization else { continue }
      layer.usesBatchStatistics = isOn && nodes[index].isTrainable
      nodes[index].layer = layer
    }
  }

  /// Draws fresh parameters for the nodes that `includes` accepts.
  ///
  /// - Parameter kernels: how kernels are drawn; nil for what each layer has by itself.
  package mutating func initialize(
    random: inout SeededRandom, kernels: KernelInitializer? = nil, where includes: (Int) -> Bool
  ) {
    for index in nodes.indices where includes(index) && nodes[index].sharedWith == nil {
      updateLayer(at: index) { layer in
        if let kernels, layer.parameters.first?.name == "kernel" {
          initializeAffine(&layer.parameters, kernels, random: &random)
        } else {
          layer.initialize(random: &random)
        }
      }
    }
  }

  /// The first node of the classifier: as declared, else what follows the last layer with windows
  /// over the picture.
  ///
  /// Equal to `nodes.count` where nothing follows it.
  package var headStart: Int {
    if let declaredHeadStart { return declaredHeadStart }
    guard let lastPicture = nodes.lastIndex(where: { $0.shape.count == 3 }) else { return 1 }
    return lastPicture + 1
  }

  /// Says where the classifier starts, for a base that ends with Dense layers of its own.
  package mutating func declareHead(from index: Int) {
    precondition((1...nodes.count).contains(index), "a head cannot start at node \(index)")
    declaredHeadStart = index
  }

  /// The last convolution or pooling layer, whose output the classifier takes.
  package var baseOutputIndex: Int { headStart - 1 }
}

extension Network {
  /// The plan for inference from the network's input to the given nodes.
  ///
  /// With `logits`, a last Dense or Activation layer leaves its function out. `photos` is how many
  /// there will be, if that is known: for a few, less is prepared.
  package func plan(
    outputs: [Int], logits: Bool = false, convolutions: ConvolutionChoice = .current,
    precision: Precision = .f32, photos: Int? = nil
  ) -> InferencePlan {
    plan(
      from: [0], to: outputs, logits: logits, convolutions: convolutions, precision: precision,
      photos: photos)
  }

  /// The plan from one known node to others; what the plan takes are the values of `inputs`.
  package func plan(
    from inputs: [Int], to outputs: [Int], logits: Bool,
    convolutions: ConvolutionChoice = .current, precision: Precision = .f32, photos: Int? = nil
  ) -> InferencePlan {
    precondition(inputs.count == 1, "a plan takes one value but got nodes \(inputs)")
    var builder = InferencePlanBuilder()
    let start = nodes[inputs[0]]
    var values = [inputs[0]: builder.input(shape: start.shape, name: start.name)]
    var needed = Set<Int>()
    for output in outputs { needed.formUnion(ancestors(of: output)) }
    for index in nodes.indices where needed.contains(index) && values[index] == nil {
      let node = nodes[index]
      let arguments = node.inputs.compactMap { values[$0] }
      guard arguments.count == node.inputs.count, !arguments.isEmpty else { continue }
      if logits, index == outputIndex, let classifier = node.layer as? any ClassifierLayer {
        values[index] = classifier.compileLogits(arguments, into: &builder)
      } else {
        values[index] = node.layer.compile(arguments, into: &builder)
      }
    }
    return builder.build(
      outputs: outputs.map { output in
        guard let value = values[output] else {
          preconditionFailure("node \(output) cannot be computed from node \(inputs[0])")
        }
        return value
      }, convolutions: convolutions, precision: precision, photos: photos)
  }
}
