package import Compute
package import Images
import Layers

extension Trainer {
  /// One optimizer step on one batch of prefix outputs; none where the loss is not finite.
  ///
  /// - Parameter rate: the learning rate, where it is not that of the run.
  /// - Returns: the batch's mean loss of the classes and how many predictions were right, before the
  ///   step.
  package mutating func trainStep(
    _ values: Tensor, labels: [Int], mixtures: [LabelMixture?] = [], targets: Tensor? = nil,
    rate: Float? = nil
  ) -> (loss: Double, right: Int) {
    if let rate { optimizer.learningRate = rate }
    let pass = network.forward(suffix: cut, from: values, random: &random)
    let logits = pass.logits.firstColumns(pass.logits.shape[1] - (targets?.shape[1] ?? 0))
    var (loss, gradient) = loss.value(
      logits: logits, labels: labels, mixtures: mixtures,
      LossOptions(
        smoothing: settings.labelSmoothing, focal: settings.focal, classWeights: classWeights))
    loss += penalty(of: network)
    let right = self.loss.right(logits: logits, labels: labels)
    trouble = loss.isFinite ? nil : place(of: pass)
    if trouble != nil { return (loss, right) }
    if let targets {
      gradient = Teacher.gradient(
        outputs: pass.logits, targets: targets, classGradient: gradient)
    }
    network.followStatistics(of: pass, suffix: cut)
    step(network.backward(suffix: cut, pass: pass, logitsGradient: gradient))
    return (loss, right)
  }

  private mutating func step(_ gradients: [Int: [ParameterGradient]]) {
    optimizer.beginStep()
    var steps = gradients.sorted(by: { $0.key < $1.key }).flatMap { node, gradients in
      gradients.enumerated().map { (Optimizer.Key(node: node, parameter: $0), $1) }
    }
    if settings.l2 > 0 {
      for (index, (key, gradient)) in steps.enumerated() where isPenalized(key) {
        let whole = ParameterUpdate.adding(
          squaresOf: network[key], times: settings.l2, to: gradient)
        steps[index].1 = .stored(whole)
      }
    }
    if let clipping = settings.clipping {
      let whole = steps.map { Tensor(shape: $0.1.shape, scalars: $0.1.scalars) }
      steps = zip(steps, clipping.applied(to: whole)).map { ($0.0, .stored($1)) }
    }
    for (key, gradient) in steps {
      network.updateLayer(at: key.node) { layer in
        optimizer.update(
          key, &layer.parameters[key.parameter].value, gradient: gradient,
          factor: factors[key.node] ?? 1)
      }
      if let keep = settings.averaging { average(key, keep: keep) }
    }
  }

  /// A tensor's average starts with its value after its first step, as Keras's `use_ema` has it.
  private mutating func average(_ key: Optimizer.Key, keep: Float) {
    guard var average = averages.removeValue(forKey: key) else {
      averages[key] = network[key]
      return
    }
    ParameterUpdate.average(&average, with: network[key], keep: keep)
    averages[key] = average
  }

  private func isPenalized(_ key: Optimizer.Key) -> Bool {
    let node = network.nodes[key.node]
    return (settings.l2CoversBase || key.node >= network.headStart) && node.isTrainable
      && node.layer.parameters[key.parameter].name == "kernel"
  }

  /// What L2 adds to the loss.
  func penalty(of network: Network) -> Double {
    guard settings.l2 > 0 else { return 0 }
    var squares = 0.0
    for (key, _) in TensorNames(network).keys where isPenalized(key) {
      squares += network[key].sumOfSquares
    }
    return Double(settings.l2) * squares
  }
}
