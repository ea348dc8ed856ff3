internal import Compute

/// The ranges that random changes of photos are drawn from, as in Keras's `ImageDataGenerator`.
///
/// Every range is symmetric about "no change" unless it has two ends; with the defaults nothing
/// changes. Two places differ from Keras by intent: `widthShift` moves photos sideways and
/// `heightShift` up and down, which Keras documents but has the other way round, and a shift in
/// pixels is any number within the range, where Keras takes whole numbers if given one.
package struct Augmentation: Sendable, Equatable, Codable {
  /// Degrees to either side.
  package var rotation = 0.0
  /// Below 1 the share of the width, else pixels; to either side.
  package var widthShift = 0.0
  /// Below 1 the share of the height, else pixels; up and down.
  package var heightShift = 0.0
  /// Degrees to either side.
  package var shear = 0.0
  /// Factors for width and height, drawn apart; below 1 brings the photo nearer.
  package var zoom = 1.0...1.0
  /// Whether half of the photos are mirrored left to right.
  package var horizontalFlip = false
  /// Whether half of the photos are mirrored top to bottom.
  package var verticalFlip = false
  /// What all samples of a photo are raised by, up or down, of 255.
  package var channelShift = 0.0
  /// The factor for brightness, 1 for none; nil leaves the step with its rounding out.
  package var brightness: ClosedRange<Double>?
  /// What is seen beyond the edges.
  package var fill = FillMode.nearest
  /// The sample value beyond the edges with `.constant`.
  package var fillValue: Float = 0
  // What came after Keras's generator; all nil in older model files.
  /// A random part in place of the whole photo.
  package var crop: RandomCrop?
  package var randAugment: RandAugment?
  package var jitter: ColorJitter?
  package var erasing: RandomErasing?
  package var mixing: MixingRanges?

  package init() {}

  /// The book's: rotation 40, shifts and zoom 0.2, shear 0.2 (degrees), mirrored left to right.
  package static let book = {
    var augmentation = Augmentation()
    augmentation.rotation = 40
    augmentation.widthShift = 0.2
    augmentation.heightShift = 0.2
    augmentation.shear = 0.2
    augmentation.zoom = 0.8...1.2
    augmentation.horizontalFlip = true
    return augmentation
  }()

  /// What networks are trained with today: random crops, mirrored left to right, RandAugment, and
  /// a quarter of the photos with a part erased.
  package static let modern = {
    var augmentation = Augmentation()
    augmentation.crop = RandomCrop(scale: 0.35...1)
    augmentation.horizontalFlip = true
    augmentation.randAugment = RandAugment()
    augmentation.erasing = RandomErasing(probability: 0.25)
    return augmentation
  }()

  /// Whether nothing is ever changed.
  package var isNeutral: Bool {
    rotation == 0 && widthShift == 0 && heightShift == 0 && shear == 0 && zoom == 1...1
      && !horizontalFlip && !verticalFlip && channelShift == 0 && brightness == nil
      && crop == nil && randAugment == nil && jitter == nil && erasing == nil && mixing == nil
  }
}

/// What is seen beyond the edges of a picture; the raw values are Keras's names.
package enum FillMode: String, Sendable, CaseIterable, Codable {
  /// One value everywhere: `kkkk|abcd|kkkk`.
  case constant
  /// The pixel at the edge: `aaaa|abcd|dddd`.
  case nearest
  /// The picture mirrored: `dcba|abcd|dcba`.
  case reflect
  /// The picture again: `abcd|abcd|abcd`.
  case wrap
}

/// Which of the many random views of a list of photos is meant.
///
/// A view's changes depend on the seed, the view's number and the photo's relative path, on nothing
/// else: not on threads, batches or the order of photos.
package struct AugmentedView: Sendable, Equatable {
  package var augmentation: Augmentation
  package var seed: UInt64
  /// Counted from 0; the first epoch of a training sees view 0.
  package var number: Int
  /// The photos that others are mixed with, in an order that does not change.
  package var partners: [Photo] = []

  package init(
    _ augmentation: Augmentation, seed: UInt64, number: Int, partners: [Photo] = []
  ) {
    self.augmentation = augmentation
    self.partners = partners
    self.seed = seed
    self.number = number
  }

  /// What this view does to a photo that was scaled to so many pixels.
  package func parameters(
    for relativePath: String, height: Int, width: Int
  ) -> AugmentationParameters {
    var random = SeededRandom(seed: hash(of: relativePath, nil))
    return AugmentationParameters(augmentation, height: height, width: width, random: &random)
  }

  /// The random numbers of one kind of change of one photo.
  func random(for path: String, _ kind: DrawKind) -> SeededRandom {
    SeededRandom(seed: hash(of: path, kind))
  }

  /// FNV-1a over the seed, the number, the path and the kind; seeding the generator mixes it further.
  private func hash(of path: String, _ kind: DrawKind?) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    for value in [seed, UInt64(bitPattern: Int64(number))] {
      for shift in stride(from: 0, to: 64, by: 8) { add(UInt8(truncatingIfNeeded: value >> shift)) }
    }
    for byte in path.utf8 { add(byte) }
    if let kind { add(kind.rawValue) }
    return hash
  }
}
