package import Compute

/// The way from one node of a network to a later one, to see how the later depends on the earlier.
///
/// Everything runs as in prediction: dropout changes nothing, normalisation uses stored statistics.
/// Below the source nothing is differentiated, so that an `InferencePlan` can compute it:
///
/// ```swift
/// let path = try GradientPath(network, from: layer, to: network.outputIndex)
/// let pass = path.forward(network.plan(outputs: path.known).run(photos))
/// let gradient = path.gradient(pass, ofLogits: seed)
/// ```
package struct GradientPath: Sendable {
  /// The node that the gradient is with respect to.
  package let source: Int
  /// The node that the path ends at.
  package let target: Int
  /// The nodes whose values `forward` takes: the source, then those beside it that are also needed.
  package let known: [Int]
  /// The nodes that the source can influence and the target depends on, in order of computation.
  private let between: [Int]
  private let nodes: [Network.Node]

  /// Throws where the target does not depend on the source.
  package init(_ network: Network, from source: Int, to target: Int) throws(LayerError) {
    var influenced: Set = [source]
    for (index, node) in network.nodes.enumerated() where index > source {
      if node.inputs.contains(where: influenced.contains) { influenced.insert(index) }
    }
    let needed = network.ancestors(of: target)
    let between = network.nodes.indices.filter {
      $0 != source && influenced.contains($0) && needed.contains($0)
    }
    guard source == target || between.last == target else {
      throw .badGraph(
        "'\(network.nodes[target].name)' does not depend on '\(network.nodes[source].name)'")
    }
    let beside = Set(between.flatMap { network.nodes[$0].inputs })
      .subtracting(between).subtracting([source])
    self.source = source
    self.target = target
    self.between = between
    known = [source] + beside.sorted()
    nodes = network.nodes
  }

  /// The values of all nodes on the way for a batch.
  package struct Pass: Sendable {
    fileprivate let values: [Int: LayerOutput]
    /// The source's value, `[n, ...]`.
    package let source: Tensor
    /// The target's value, `[n, ...]`.
    package let output: Tensor
    /// The target's value before its sigmoid or softmax, `[n, classes]`.
    package let logits: Tensor
  }

  /// Runs forward from the values of `known`, each `[n, ...]`.
  package func forward(_ values: [Tensor]) -> Pass {
    precondition(
      values.count == known.count, "\(known.count) values are needed but got \(values.count)")
    var outputs: [Int: LayerOutput] = [:]
    for (index, value) in zip(known, values) { outputs[index] = LayerOutput(value) }
    // Nothing is drawn at random: see `inference`.
    var random = SeededRandom(seed: 0)
    for index in between {
      let inputs = nodes[index].inputs.compactMap { outputs[$0]?.value }
      outputs[index] = inference(index).forward(inputs, random: &random)
    }
    guard let last = outputs[target] else { preconditionFailure("the path must hold its end") }
    return Pass(
      values: outputs, source: values[0], output: last.value, logits: last.saved ?? last.value)
  }

  /// The gradient `[n, ...]` at the source, given that of the target's value.
  package func gradient(_ pass: Pass, ofOutput gradient: Tensor) -> Tensor {
    self.gradient(pass, gradient, beforeActivation: false)
  }

  /// The gradient `[n, ...]` at the source, given that of what comes before the target's sigmoid or
  /// softmax.
  package func gradient(_ pass: Pass, ofLogits gradient: Tensor) -> Tensor {
    self.gradient(pass, gradient, beforeActivation: true)
  }

  private func gradient(_ pass: Pass, _ gradient: Tensor, beforeActivation: Bool) -> Tensor {
    var flowing = [target: gradient]
    let influenced = Set(between + [source])
    let wanted = WantedGradients(inputs: true, parameters: false)
    for index in between.reversed() {
      guard let gradient = flowing.removeValue(forKey: index), let output = pass.values[index]
      else { continue }
      let inputs = nodes[index].inputs.compactMap { pass.values[$0]?.value }
      let layer = inference(index)
      let gradients =
        if beforeActivation, index == target, let classifier = layer as? any ClassifierLayer {
          classifier.backward(beforeActivation: gradient, inputs: inputs, wanted: wanted)
        } else {
          layer.backward(gradient, inputs: inputs, output: output, wanted: wanted)
        }
      for (input, gradient) in zip(nodes[index].inputs, gradients.inputs)
      where influenced.contains(input) {
        if flowing[input]?.add(gradient) == nil { flowing[input] = gradient }
      }
    }
    return flowing[source] ?? Tensor(zeros: pass.source.shape)
  }

  /// The layer as it is in prediction.
  private func inference(_ index: Int) -> any Layer {
    let layer = nodes[index].layer
    if layer is any NoiseLayer { return Activation(name: layer.name, activation: .linear) }
    guard var normalization = layer as? BatchNormalization else { return layer }
    normalization.usesBatchStatistics = false
    return normalization
  }
}
