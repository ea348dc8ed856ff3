package import Compute

/// A layer that changes photos at random while Keras trains, and does nothing else: `RandomFlip`
/// and the like.
///
/// Here it does nothing in training either; `tl` has its own random changes. Its configuration is
/// kept, so that a model that is written again has the layer as it was.
package struct RandomAugmentation: Layer {
  package static let className = "RandomAugmentation"
  package let name: String
  /// Keras's name of the layer's class.
  package let className: String
  package let configuration: [String: JSONValue]

  /// The classes whose layers pass photos on unchanged outside of training, `RandomCrop` only those
  /// that have its size.
  package static let classNames: Set<String> = [
    "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast",
    "RandomBrightness", "RandomHeight", "RandomWidth", "RandomColorDegeneration",
    "RandomColorJitter", "RandomCrop", "RandomErasing", "RandomElasticTransform",
    "RandomGaussianBlur",
    "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective", "RandomPosterization",
    "RandomSaturation", "RandomSharpness", "RandomShear", "AugMix", "CutMix", "MixUp",
    "RandAugment",
  ]

  package init(
    className: String, configuration: Configuration, inputShapes: [[Int]]
  ) throws(LayerError) {
    if className == "RandomCrop" {
      let input = try singleInput(inputShapes, rank: 3, "[height, width, channels]", configuration)
      let size = [try configuration.int("height"), try configuration.int("width")]
      guard Array(input.prefix(2)) == size else {
        throw .unsupported(
          "RandomCrop to \(size) from \(input), where Keras 2 resizes in prediction and Keras 3 "
            + "does not; cut to the size that comes in", layer: configuration.name)
      }
    }
    name = configuration.name
    self.className = className
    self.configuration = configuration.fields
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    try self.init(
      className: Self.className, configuration: configuration, inputShapes: inputShapes)
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count == 1 else {
      throw .wrongInput(layer: name, expected: "one input", found: inputs)
    }
    return inputs[0]
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    inputs[0]
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    LayerOutput(inputs[0])
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    LayerGradients(inputs: [gradient])
  }
}
