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
      origin: "trained by tl for 28 epochs on 12,000 photos of 48 classes of Tiny ImageNet, with "
        + "VGG16's pooled features as a teacher; top-1 0.4375 on 960 validation photos",
      shipped: WeightCard.ShippedFile(
        name: "mini", fileName: "tl-mini.h5", md5: "b6db41cd2aaaf2e95fc7554da76d1399",
        bytes: 2_639_200),
      defaults: WeightDefaults(
        photoSize: 128, interpolation: "bilinear", headLearningRate: 5e-5,
        tuningLearningRate: 1e-4)),
    initializer: .heUniform, takesOtherWidths: false)
}
