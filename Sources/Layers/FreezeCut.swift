package import Compute

/// Where freezing splits a network in two.
///
/// Below the cut lies the *frozen prefix*: it only ever runs forward, as an `InferencePlan`. Above
/// it lies the *trainable suffix*, which runs forward and, where trained parameters have an
/// influence, backward.
///
/// One value crosses the cut. In a network without branches the suffix is what trained parameters can
/// influence, and the dropout of the head; a cut within a residual block is moved down to the block's
/// input.
package struct FreezeCut: Sendable, Equatable {
  /// The nodes of the suffix in order of computation.
  package let suffix: [Int]
  /// The node of the prefix whose output the suffix takes.
  package let boundary: Int

  /// The nodes of the suffix that trained parameters can influence.
  package let influenced: Set<Int>

  /// The highest cut below all trainable layers of `network`.
  package init(_ network: Network) throws(LayerError) {
    var (influenced, inSuffix) = (Set<Int>(), Set<Int>())
    for (index, node) in network.nodes.enumerated() {
      if (node.isTrainable && (node.hasTrainableParameters || node.usesBatchStatistics))
        || node.inputs.contains(where: influenced.contains)
      {
        influenced.insert(index)
      }
      // A head's dropout draws anew in every step, also below all that is trained.
      let draws = index >= network.headStart && node.layer is any NoiseLayer
      if draws || influenced.contains(index) || node.inputs.contains(where: inSuffix.contains) {
        inSuffix.insert(index)
      }
    }
    guard influenced.contains(network.outputIndex) else {
      throw .badGraph("nothing is trainable")
    }
    self.influenced = influenced
    var crossing = Set(inSuffix.flatMap { network.nodes[$0].inputs }).subtracting(inSuffix)
    // Inputs come before what takes them: taking the last one in until one is left finds the
    // highest node that everything goes through.
    while crossing.count > 1, let last = crossing.max() {
      crossing.remove(last)
      inSuffix.insert(last)
      crossing.formUnion(network.nodes[last].inputs)
    }
    guard let only = crossing.first else { throw .badGraph("a trainable layer has no input") }
    suffix = inSuffix.sorted()
    boundary = only
  }
}

extension Network {
  /// Whether a plan computes the output of a node by itself whatever is asked for, so that asking
  /// for it changes no rounding: others may be one step with what comes after.
  package func staysWhole(at index: Int) -> Bool {
    let readers = nodes.filter { $0.inputs.contains(index) }
    if readers.count > 1 { return true }
    let layer = nodes[index].layer
    return (layer is MaxPooling2D || layer is AveragePooling2D)
      && readers.allSatisfy { $0.layer is Conv2D }
  }

  /// A layer that joins branches and the branches, back to the one layer where they part.
  func branches(into joint: Int) -> [Int] {
    var inside: Set = [joint]
    var crossing = Set(nodes[joint].inputs)
    while crossing.count > 1, let last = crossing.max() {
      crossing.remove(last)
      inside.insert(last)
      crossing.formUnion(nodes[last].inputs)
    }
    return inside.sorted()
  }
}

/// A training pass through the suffix: the value of every node, kept for the way back.
package struct SuffixPass: Sendable {
  package let values: [Int: LayerOutput]
  package let output: Tensor
  /// The last layer's result before its sigmoid or softmax, `[n, classes]`.
  package let logits: Tensor
}

extension Network {
  /// Runs the suffix forward on the boundary's value `[n, ...]`, keeping what `backward` needs.
  package func forward(
    suffix cut: FreezeCut, from boundary: Tensor, random: inout SeededRandom
  ) -> SuffixPass {
    var values = [cut.boundary: LayerOutput(boundary)]
    for index in cut.suffix {
      let inputs = nodes[index].inputs.compactMap { values[$0]?.value }
      values[index] = nodes[index].layer.forward(inputs, random: &random)
    }
    guard let last = values[outputIndex] else {
      preconditionFailure("the suffix must hold the network's output")
    }
    return SuffixPass(values: values, output: last.value, logits: last.saved ?? last.value)
  }

  /// Lets the normalisations that trained on a batch's statistics take them up.
  package mutating func followStatistics(of pass: SuffixPass, suffix cut: FreezeCut) {
    for index in cut.suffix where nodes[index].isTrainable {
      guard var layer = nodes[index].layer as? BatchNormalization, layer.usesBatchStatistics,
        let output = pass.values[index]
      else { continue }
      layer.follow(output)
      updateLayer(at: index) { $0 = layer }
    }
  }

  /// The gradients of every trainable parameter of the suffix, given that of the logits.
  ///
  /// - Returns: for each trainable node with parameters, its gradients in parameter order; those
  ///   of a layer that is used several times add up in its first node.
  package func backward(
    suffix cut: FreezeCut, pass: SuffixPass, logitsGradient: Tensor
  ) -> [Int: [ParameterGradient]] {
    var results: [Int: [ParameterGradient]] = [:]
    var flowing: [Int: Tensor] = [outputIndex: logitsGradient]
    for index in cut.suffix.reversed() {
      guard let gradient = flowing.removeValue(forKey: index), let output = pass.values[index]
      else { continue }
      let node = nodes[index]
      let inputs = node.inputs.compactMap { pass.values[$0]?.value }
      let wanted = WantedGradients(
        inputs: node.inputs.contains(where: cut.influenced.contains),
        parameters: node.isTrainable && node.hasTrainableParameters)
      let gradients =
        if index == outputIndex, let classifier = node.layer as? any ClassifierLayer {
          classifier.backward(beforeActivation: gradient, inputs: inputs, wanted: wanted)
        } else {
          node.layer.backward(gradient, inputs: inputs, output: output, wanted: wanted)
        }
      if wanted.parameters {
        let first = node.sharedWith ?? index
        results[first] =
          results[first].map { zip($0, gradients.parameters).map { $0 + $1 } }
          ?? gradients.parameters
      }
      for (input, gradient) in zip(node.inputs, gradients.inputs)
      where cut.influenced.contains(input) {
        if flowing[input]?.add(gradient) == nil { flowing[input] = gradient }
      }
    }
    return results
  }
}
