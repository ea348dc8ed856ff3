import Layers

extension VGG {
  /// A small base of our own, trained from random weights by `recipes/train-tl-mini`.
  ///
  /// Five blocks as in VGG, with the same names, so that `block5` means the same; 1,303,712
  /// parameters.
  package static let tlMini = VGG(
    name: "tl-mini", depths: [1, 2, 2, 2, 2], widths: [32, 48, 96, 160, 224], topUnits: [],
    card: WeightCard(
      inputSize: 64, preprocessing: "rescale", files: [],
      licence: "for research: ImageNet's terms apply to the photos it was trained on",
      origin: "trained by tl on 48 classes of Tiny ImageNet",
      shipped: WeightCard.ShippedFile(
        name: "mini", fileName: "tl-mini.h5", md5: "00000000000000000000000000000000", bytes: 0),
      defaults: WeightDefaults(
        photoSize: 96, interpolation: "bilinear", headLearningRate: 1e-4,
        tuningLearningRate: 1e-4)),
    initializer: .heUniform, takesOtherWidths: false)
}
