/// How a picture of one shape comes into the frame of another, written as on the command line.
package enum FitMode: Sendable, Equatable, Codable, RawRepresentable {
  /// The whole picture, its sides scaled apart; Keras's default.
  case squash
  /// The largest part of the frame's shape from the middle: Keras's `crop_to_aspect_ratio`.
  case crop
  /// The whole picture between black bars: Keras's `pad_to_aspect_ratio`.
  ///
  /// With `tf-bilinear` the bars are added after scaling, as `image_dataset_from_directory` does
  /// it, else before, as the layer `Resizing` does it.
  case pad
  /// The shorter side scaled to so many pixels, then the frame cut from the middle: torchvision's
  /// `Resize` and `CenterCrop`, with which ImageNet models are evaluated.
  case shorterSide(Int)

  /// `squash`, `crop`, `pad` or `shorter-256`.
  package init?(rawValue: String) {
    switch rawValue {
    case "squash": self = .squash
    case "crop": self = .crop
    case "pad": self = .pad
    default:
      let parts = rawValue.split(separator: "-", omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0] == "shorter", let size = Int(parts[1]),
        (1...8192).contains(size)
      else { return nil }
      self = .shorterSide(size)
    }
  }

  package var rawValue: String {
    switch self {
    case .squash: "squash"
    case .crop: "crop"
    case .pad: "pad"
    case .shorterSide(let size): "shorter-\(size)"
    }
  }

  /// What is done to a picture of `height` x `width` for a frame.
  func steps(
    height: Int, width: Int, frameHeight: Int, frameWidth: Int, _ interpolation: Interpolation
  ) -> FitSteps {
    // Keras computes the sides of the frame's shape in Float32.
    let shapedHeight = Int(Float(width * frameHeight) / Float(frameWidth))
    let shapedWidth = Int(Float(height * frameWidth) / Float(frameHeight))
    switch self {
    case .squash:
      return FitSteps(part: nil, height: frameHeight, width: frameWidth, frame: nil)
    case .crop:
      let partHeight = max(1, min(height, shapedHeight))
      let partWidth = max(1, min(width, shapedWidth))
      let part = PictureWindow(
        top: (height - partHeight) / 2, left: (width - partWidth) / 2, height: partHeight,
        width: partWidth)
      return FitSteps(part: part, height: frameHeight, width: frameWidth, frame: nil)
    case .pad where interpolation == .tfBilinear:
      return Self.tensorFlowPad(
        height: Float(height), width: Float(width), frameHeight: frameHeight,
        frameWidth: frameWidth)
    case .pad:
      // Keras makes both bars alike, though one pixel may be missing to the frame's shape.
      let bars = (max(0, shapedHeight - height) / 2, max(0, shapedWidth - width) / 2)
      let part = PictureWindow(
        top: -bars.0, left: -bars.1, height: height + 2 * bars.0, width: width + 2 * bars.1)
      return FitSteps(part: part, height: frameHeight, width: frameWidth, frame: nil)
    case .shorterSide(let size):
      let longer = size * max(height, width) / min(height, width)
      let (newHeight, newWidth) = height < width ? (size, longer) : (longer, size)
      let frame = PictureWindow(
        top: Self.middle(frameHeight, in: newHeight), left: Self.middle(frameWidth, in: newWidth),
        height: frameHeight, width: frameWidth)
      return FitSteps(part: nil, height: newHeight, width: newWidth, frame: frame)
    }
  }

  /// What `tf.image.resize_with_pad` does, in Float32 as there.
  private static func tensorFlowPad(
    height: Float, width: Float, frameHeight: Int, frameWidth: Int
  ) -> FitSteps {
    let ratio = max(width / Float(frameWidth), height / Float(frameHeight))
    let (newHeight, newWidth) = (height / ratio, width / ratio)
    let top = Int(((Float(frameHeight) - newHeight) / 2).rounded(.down))
    let left = Int(((Float(frameWidth) - newWidth) / 2).rounded(.down))
    // A side may come out a pixel too long in Float32, or vanish in a very long picture.
    return FitSteps(
      part: nil, height: min(max(Int(newHeight), 1), frameHeight),
      width: min(max(Int(newWidth), 1), frameWidth),
      frame: PictureWindow(
        top: -max(top, 0), left: -max(left, 0), height: frameHeight, width: frameWidth))
  }

  /// Where torchvision's `center_crop` starts; below 0 in a picture that is too small.
  private static func middle(_ size: Int, in whole: Int) -> Int {
    if size > whole { return -((size - whole) / 2) }
    return Int((Double(whole - size) / 2).rounded(.toNearestOrEven))
  }
}

/// Cutting, scaling, cutting again.
struct FitSteps: Equatable {
  /// The part of the picture that is scaled, nil for all.
  var part: PictureWindow?
  /// What it is scaled to.
  var height: Int
  var width: Int
  /// The part of the scaled picture that is kept, nil for all.
  var frame: PictureWindow?
}

/// A rectangle of a picture's pixels, which may reach beyond its edges.
package struct PictureWindow: Sendable, Equatable, Codable {
  package var top: Int
  package var left: Int
  package var height: Int
  package var width: Int

  package init(top: Int, left: Int, height: Int, width: Int) {
    (self.top, self.left, self.height, self.width) = (top, left, height, width)
  }

  func isAll(height: Int, width: Int) -> Bool {
    self == PictureWindow(top: 0, left: 0, height: height, width: width)
  }

  /// Calls `copy` with the place in the window, the place in the picture and the count of samples
  /// for each row of which something lies within a picture of that size.
  func forEachRow(
    height pictureHeight: Int, width pictureWidth: Int, _ copy: (Int, Int, Int) -> Void
  ) {
    let (first, last) = (max(left, 0), min(left + width, pictureWidth))
    guard last > first else { return }
    for row in max(top, 0)..<max(min(top + height, pictureHeight), max(top, 0)) {
      copy(
        ((row - top) * width + first - left) * 3, (row * pictureWidth + first) * 3,
        (last - first) * 3)
    }
  }
}

extension RGBImage {
  /// The pixels in a window, black beyond the edges.
  package func cut(_ window: PictureWindow) -> RGBImage {
    if window.isAll(height: height, width: width) { return self }
    return pixels.withUnsafeBufferPointer { source in
      RGBImage(width: window.width, height: window.height) { target in
        target.update(repeating: 0, count: window.width * window.height * 3)
        window.forEachRow(height: height, width: width) { place, from, count in
          (target + place).update(from: source.baseAddress! + from, count: count)
        }
      }
    }
  }

  /// The picture in a frame: 8-bit, and as floats where the interpolation does not round.
  package func fitted(
    height frameHeight: Int, width frameWidth: Int, _ fit: FitMode, _ interpolation: Interpolation
  ) -> (image: RGBImage, exact: FloatPicture?) {
    let steps = fit.steps(
      height: height, width: width, frameHeight: frameHeight, frameWidth: frameWidth, interpolation)
    let part = steps.part.map(cut) ?? self
    if interpolation == .tfBilinear {
      let scaled = part.resizedAsTensorFlow(height: steps.height, width: steps.width)
      let exact = steps.frame.map(scaled.cut) ?? scaled
      return (exact.rounded, exact)
    }
    let scaled = part.resized(height: steps.height, width: steps.width, interpolation)
    return (steps.frame.map(scaled.cut) ?? scaled, nil)
  }
}

extension FloatPicture {
  /// The pixels in a window, black beyond the edges.
  func cut(_ window: PictureWindow) -> FloatPicture {
    if window.isAll(height: height, width: width) { return self }
    var cut = [Float](repeating: 0, count: window.width * window.height * 3)
    cut.withUnsafeMutableBufferPointer { target in
      samples.withUnsafeBufferPointer { source in
        window.forEachRow(height: height, width: width) { place, from, count in
          (target.baseAddress! + place).update(from: source.baseAddress! + from, count: count)
        }
      }
    }
    return FloatPicture(width: window.width, height: window.height, samples: cut)
  }
}
