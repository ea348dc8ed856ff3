import Compute
package import Layers

/// VGG as torchvision and timm have it, with their layer names (Simonyan and Zisserman 2014,
/// arXiv:1409.1556; torchvision's `vgg.py`), with batch normalisation after each convolution or
/// without.
package struct TorchVGG: Architecture {
  package let name: String
  /// How many convolutions each block has.
  let depths: [Int]
  let isNormalized: Bool
  package private(set) var widths = publishedWidths
  /// The units of the classifier's layers.
  private var topUnits = [4096, 4096, 1000]
  private var denseNames = torchvisionNames

  package static let all = [
    (11, [1, 1, 2, 2, 2]), (13, [2, 2, 2, 2, 2]), (16, [2, 2, 3, 3, 3]), (19, [2, 2, 4, 4, 4]),
  ].flatMap { count, depths in
    [
      TorchVGG(name: "torch-vgg\(count)", depths: depths, isNormalized: false),
      TorchVGG(name: "torch-vgg\(count)-bn", depths: depths, isNormalized: true),
    ]
  }

  private static let publishedWidths = [64, 128, 256, 512, 512]
  private static let torchvisionNames = ["classifier.0", "classifier.3", "classifier.6"]
  private static let timmNames = ["pre_logits.fc1", "pre_logits.fc2", "head.fc"]

  private init(name: String, depths: [Int], isNormalized: Bool) {
    (self.name, self.depths, self.isNormalized) = (name, depths, isNormalized)
  }

  package var card: WeightCard { .torch }
  package var isPublished: Bool { widths == Self.publishedWidths }
  package var topNames: [String] { ["flatten"] + denseNames }
  package var convolutionNames: [String] {
    steps.compactMap { step in
      if case .convolution = step.kind { "features.\(step.number)" } else { nil }
    }
  }

  /// A module of `features`, by its number; a relu is part of what comes before it.
  private struct Step {
    enum Kind {
      case convolution(block: Int)
      case normalization
      case pooling
    }

    let number: Int
    let kind: Kind
  }

  private var steps: [Step] {
    var result: [Step] = []
    var number = 0
    for (block, depth) in depths.enumerated() {
      for _ in 0..<depth {
        result.append(Step(number: number, kind: .convolution(block: block)))
        if isNormalized { result.append(Step(number: number + 1, kind: .normalization)) }
        number += isNormalized ? 3 : 2
      }
      result.append(Step(number: number, kind: .pooling))
      number += 1
    }
    return result
  }

  package func network(inputShape: [Int], includesTop: Bool) throws(LayerError) -> Network {
    var network = Network(name: name, inputShape: inputShape, inputName: "input_layer")
    for step in steps {
      let (name, channels) = ("features.\(step.number)", network.outputShape[2])
      switch step.kind {
      case .convolution(let block):
        let outputs = widths[block]
        try network.add(
          Conv2D(
            name: name, kernel: Tensor(placeholder: [3, 3, channels, outputs]),
            bias: Tensor(zeros: [outputs]), padding: .same,
            activation: isNormalized ? .linear : .relu))
      case .normalization:
        try network.add(BatchNormalization(name: name, channels: channels, epsilon: 1e-5))
        try network.add(Activation(name: "features.\(step.number + 1)", activation: .relu))
      case .pooling: try network.add(MaxPooling2D(name: name))
      }
    }
    guard includesTop else { return network }
    try network.add(Flatten(name: "flatten"))
    for (index, name) in denseNames.enumerated() {
      try network.addDense(name, units: topUnits[index], index == 2 ? .softmax : .relu)
    }
    return network
  }

  package func fitted(
    to layers: [StoredLayer]
  ) -> (architecture: any Architecture, missing: Int)? {
    let names = convolutionNames
    // timm writes the classifier's dense layers as convolutions.
    let convolutions = layers.filter {
      $0.shapes.contains { $0.count == 4 } && !Self.timmNames.contains($0.name)
    }
    guard convolutions.allSatisfy({ names.contains($0.name) }),
      convolutions.count * 2 >= names.count
    else { return nil }
    var fitted = self
    if layers.contains(where: { Self.timmNames.contains($0.name) }) {
      fitted.denseNames = Self.timmNames
    }
    fitted.topUnits = zip(fitted.denseNames, topUnits).map { layers.outputs(of: $0) ?? $1 }
    for step in steps {
      guard case .convolution(let block) = step.kind else { continue }
      fitted.widths[block] = layers.outputs(of: "features.\(step.number)") ?? widths[block]
    }
    return (fitted, names.count - convolutions.count)
  }
}
