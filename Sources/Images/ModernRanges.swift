/// A random part of the photo, scaled to the whole frame: torchvision's `RandomResizedCrop`.
package struct RandomCrop: Sendable, Equatable, Codable {
  /// The part's share of the photo's area.
  package var scale: ClosedRange<Double>
  /// The part's width by its height.
  package var ratio: ClosedRange<Double>

  package init(scale: ClosedRange<Double>, ratio: ClosedRange<Double> = 3.0 / 4...4.0 / 3) {
    self.scale = scale
    self.ratio = ratio
  }
}

/// Random changes of color: torchvision's `ColorJitter`.
package struct ColorJitter: Sendable, Equatable, Codable {
  /// Factors lie within 1 minus and 1 plus these.
  package var brightness: Double
  package var contrast: Double
  package var saturation: Double
  /// Colors move along the circle by up to this share of it, at most 0.5.
  package var hue: Double

  package init(brightness: Double, contrast: Double, saturation: Double, hue: Double) {
    self.brightness = brightness
    self.contrast = contrast
    self.saturation = saturation
    self.hue = hue
  }
}

/// A few operations drawn from fourteen, all of one strength (Cubuk and others 2019), with the
/// operations and strengths of torchvision's `RandAugment`.
package struct RandAugment: Sendable, Equatable, Codable {
  /// How many operations each photo gets.
  package var count: Int
  /// 0 to 30.
  package var magnitude: Int

  package init(count: Int = 2, magnitude: Int = 9) {
    self.count = count
    self.magnitude = magnitude
  }
}

/// A rectangle of one color in some of the photos: torchvision's `RandomErasing`.
package struct RandomErasing: Sendable, Equatable, Codable {
  /// The share of photos that get one.
  package var probability: Double
  /// The rectangle's share of the area.
  package var scale = 0.02...0.33
  /// Its height by its width.
  package var ratio = 0.3...3.3

  package init(probability: Double) { self.probability = probability }
}

/// What of another photo is mixed into each photo, and its label with it.
///
/// The other photo is drawn for each photo by itself, from the whole list and not from its batch,
/// so that what a photo becomes depends on no batch.
package struct MixingRanges: Sendable, Equatable, Codable {
  /// Blends two photos, the share drawn from Beta(mixup, mixup) (Zhang and others 2017).
  package var mixup: Double?
  /// Pastes a rectangle of the other photo, its share drawn likewise (Yun and others 2019).
  package var cutmix: Double?

  package init(mixup: Double? = nil, cutmix: Double? = nil) {
    self.mixup = mixup
    self.cutmix = cutmix
  }
}
