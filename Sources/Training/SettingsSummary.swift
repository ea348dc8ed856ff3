extension TrainingSettings {
  /// Such as `adam at 0.001, cosine after 2 epochs of warm-up, label smoothing 0.1`.
  package var summary: String {
    ([rule.name + " at \(learningRate)"]
      + [scheduleSummary, smoothingSummary, rareSummary]
      .compactMap { $0 }).joined(separator: ", ")
  }

  private var scheduleSummary: String? {
    guard schedule.shape != .constant || schedule.warmUpEpochs > 0 else { return nil }
    var text = schedule.shape.rawValue
    if [.step, .exponential].contains(schedule.shape) {
      text += " times \(schedule.factor ?? 0.1) in \(short(schedule.every ?? 10)) epochs"
    }
    let warmUp = schedule.warmUpEpochs
    return text + (warmUp > 0 ? " after \(short(warmUp)) epochs of warm-up" : "")
  }

  private var smoothingSummary: String? {
    labelSmoothing > 0 ? "label smoothing \(labelSmoothing)" : nil
  }

  /// What a run was told besides its rule, rate, schedule and smoothing; nil for nothing.
  package var rareSummary: String? {
    let parts = ruleParts + lossParts + watchParts
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

  private var ruleParts: [String] {
    var parts: [String] = []
    switch rule {
    case .sgd(let momentum, let nesterov) where momentum > 0:
      parts.append((nesterov ? "Nesterov momentum " : "momentum ") + "\(momentum)")
    case .rmsprop(_, _, let momentum, _) where momentum > 0: parts.append("momentum \(momentum)")
    default: break
    }
    let decay = weightDecay ?? rule.weightDecay
    if decay > 0 { parts.append("weight decay \(decay)") }
    switch clipping {
    case .norm(let limit): parts.append("clipnorm \(limit)")
    case .globalNorm(let limit): parts.append("global clipnorm \(limit)")
    case .value(let limit): parts.append("clipvalue \(limit)")
    case nil: break
    }
    for scale in partRates.scales {
      parts.append("rate of \(scale.layers.patterns.joined(separator: "+")) times \(scale.factor)")
    }
    if partRates.layerDecay != 1 { parts.append("layer decay \(partRates.layerDecay)") }
    return parts
  }

  private var lossParts: [String] {
    var parts: [String] = []
    if let focal { parts.append("focal loss with gamma \(focal.gamma), alpha \(focal.alpha)") }
    switch classWeighting {
    case .balanced: parts.append("balanced class weights")
    case .given(let weights):
      let listed = weights.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
      parts.append("class weights " + listed.joined(separator: " "))
    case nil: break
    }
    if l2 > 0 { parts.append("L2 \(l2) of \(l2CoversBase ? "all" : "the head's") kernels") }
    if usesBatchStatistics { parts.append("normalisation by each batch's statistics") }
    if let averaging { parts.append("average of weights with momentum \(averaging)") }
    return parts
  }

  private var watchParts: [String] {
    var parts: [String] = []
    if let plateau {
      parts.append("rate times \(plateau.factor) after \(plateau.patience) epochs without gain")
    }
    if let stopping {
      parts.append("stopping after \(stopping.patience) epochs without gain, best weights kept")
    }
    return parts
  }

  private func short(_ value: Double) -> String {
    value == value.rounded() ? "\(Int(value))" : "\(value)"
  }
}
