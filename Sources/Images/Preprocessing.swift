package import Compute

/// How 8-bit samples become the numbers that a network was trained on.
///
/// The named modes are those of Keras's `imagenet_utils.preprocess_input`; the raw values are the
/// names used on the command line and in files.
package enum Preprocessing: String, Sendable, CaseIterable, Codable {
  /// Blue, green, red order, minus ImageNet's mean of each: VGG, ResNet.
  case caffe
  /// -1 ... 1: MobileNet, Inception, Xception.
  case tf
  /// 0 ... 1, then ImageNet's mean and deviation of each channel: DenseNet.
  case torch
  /// Times 1/255 in Float32, as Keras's `Rescaling(1/255)`.
  case rescale
  /// 0 ... 255.
  case none

  /// What it does, for people.
  package var summary: String {
    switch self {
    case .caffe: "BGR minus 103.939, 116.779, 123.68"
    case .tf: "x / 127.5 - 1"
    case .torch: "x / 255, then ImageNet's mean and deviation"
    case .rescale: "x / 255"
    case .none: "0 to 255 as they are"
    }
  }

  /// Writes the image's `height * width * 3` numbers to `target`, exactly as NumPy computes them.
  package func write(_ image: RGBImage, to target: UnsafeMutablePointer<Float>) {
    let table = Self.tables[self]!
    table.withUnsafeBufferPointer { table in
      image.pixels.withUnsafeBufferPointer { pixels in
        let (first, last) = self == .caffe ? (2, 0) : (0, 2)
        for start in stride(from: 0, to: pixels.count, by: 3) {
          target[start] = table[Int(pixels[start + first])]
          target[start + 1] = table[256 + Int(pixels[start + 1])]
          target[start + 2] = table[512 + Int(pixels[start + last])]
        }
      }
    }
  }

  /// The images, all of one size, as a tensor `[n, height, width, 3]`.
  package func tensor(of images: [RGBImage], height: Int, width: Int) -> Tensor {
    let size = height * width * 3
    for image in images {
      precondition(
        image.height == height && image.width == width,
        "pictures must be \(height) x \(width) but one is \(image.height) x \(image.width)")
    }
    return Tensor(shape: [images.count, height, width, 3]) { target in
      nonisolated(unsafe) let target = target
      parallel(images.count) { range in
        for index in range { write(images[index], to: target + index * size) }
      }
    }
  }

  /// For each mode, what each of the 256 sample values becomes in each output channel.
  private static let tables = Dictionary(
    uniqueKeysWithValues: allCases.map { mode in
      (mode, (0..<3).flatMap { channel in (0..<256).map { mode.value(Float($0), channel) } })
    })

  private func value(_ sample: Float, _ channel: Int) -> Float {
    switch self {
    case .caffe: sample - ([103.939, 116.779, 123.68] as [Float])[channel]
    case .tf: sample / 127.5 - 1
    case .torch:
      (sample / 255 - ([0.485, 0.456, 0.406] as [Float])[channel])
        / ([0.229, 0.224, 0.225] as [Float])[channel]
    case .rescale: sample * (1 / 255)
    case .none: sample
    }
  }
}
