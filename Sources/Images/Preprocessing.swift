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

  /// What it does as arithmetic: `(x / divisor - mean) / deviation`, channel by channel, after the
  /// channels are reversed to blue, green, red where that is asked for.
  package var steps: (reversesChannels: Bool, divisor: Float, mean: [Float], deviation: [Float]) {
    let (zeros, ones): ([Float], [Float]) = ([0, 0, 0], [1, 1, 1])
    return switch self {
    case .caffe: (true, 1, [103.939, 116.779, 123.68], ones)
    case .tf: (false, 127.5, ones, ones)
    case .torch: (false, 255, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    case .rescale: (false, 255, zeros, ones)
    case .none: (false, 1, zeros, ones)
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

  /// Writes the picture's `height * width * 3` numbers to `target`, exactly as NumPy computes them
  /// in Float32.
  package func write(_ picture: FloatPicture, to target: UnsafeMutablePointer<Float>) {
    picture.samples.withUnsafeBufferPointer { samples in
      // One loop a mode: a choice for every sample would take longer than all else.
      switch self {
      case .caffe: transform(samples, to: target, caffeValue)
      case .tf: transform(samples, to: target, tfValue)
      case .torch: transform(samples, to: target, torchValue)
      case .rescale: transform(samples, to: target, rescaleValue)
      case .none: target.update(from: samples.baseAddress!, count: samples.count)
      }
    }
  }

  @inline(__always)
  private func transform(
    _ samples: UnsafeBufferPointer<Float>, to target: UnsafeMutablePointer<Float>,
    _ value: (Float, Int) -> Float
  ) {
    let (first, last) = self == .caffe ? (2, 0) : (0, 2)
    for start in stride(from: 0, to: samples.count, by: 3) {
      target[start] = value(samples[start + first], 0)
      target[start + 1] = value(samples[start + 1], 1)
      target[start + 2] = value(samples[start + last], 2)
    }
  }

  /// For each mode, what each of the 256 sample values becomes in each output channel.
  private static let tables = Dictionary(
    uniqueKeysWithValues: allCases.map { mode in
      (mode, (0..<3).flatMap { channel in (0..<256).map { mode.value(Float($0), channel) } })
    })

  private func value(_ sample: Float, _ channel: Int) -> Float {
    switch self {
    case .caffe: caffeValue(sample, channel)
    case .tf: tfValue(sample, channel)
    case .torch: torchValue(sample, channel)
    case .rescale: rescaleValue(sample, channel)
    case .none: sample
    }
  }
}

// What a sample becomes in an output channel.

@inline(__always)
private func caffeValue(_ sample: Float, _ channel: Int) -> Float {
  sample - (channel == 0 ? 103.939 : channel == 1 ? 116.779 : 123.68)
}

@inline(__always)
private func tfValue(_ sample: Float, _ channel: Int) -> Float { sample / 127.5 - 1 }

@inline(__always)
private func torchValue(_ sample: Float, _ channel: Int) -> Float {
  let mean: Float = channel == 0 ? 0.485 : channel == 1 ? 0.456 : 0.406
  let deviation: Float = channel == 0 ? 0.229 : channel == 1 ? 0.224 : 0.225
  return (sample / 255 - mean) / deviation
}

@inline(__always)
private func rescaleValue(_ sample: Float, _ channel: Int) -> Float { sample * (1 / 255) }
