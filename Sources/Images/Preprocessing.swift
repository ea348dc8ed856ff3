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

  /// Writes the picture's `height * width * 3` numbers to `target`, exactly as NumPy computes them
  /// in Float32.
  package func write(_ picture: FloatPicture, to target: UnsafeMutablePointer<Float>) {
    let (first, last) = self == .caffe ? (2, 0) : (0, 2)
    let (red, green, blue) = (Channel(self, 0), Channel(self, 1), Channel(self, 2))
    picture.samples.withUnsafeBufferPointer { samples in
      for start in stride(from: 0, to: samples.count, by: 3) {
        target[start] = red.value(samples[start + first])
        target[start + 1] = green.value(samples[start + 1])
        target[start + 2] = blue.value(samples[start + last])
      }
    }
  }

  /// For each mode, what each of the 256 sample values becomes in each output channel.
  private static let tables = Dictionary(
    uniqueKeysWithValues: allCases.map { mode in
      (
        mode,
        (0..<3).flatMap { output in
          let channel = Channel(mode, output)
          return (0..<256).map { channel.value(Float($0)) }
        }
      )
    })

  /// What happens to the samples of one output channel: `(x * scale / divisor - mean) / deviation`,
  /// in which steps that a mode lacks change no bit.
  private struct Channel {
    var scale: Float = 1
    var divisor: Float = 1
    var mean: Float = 0
    var deviation: Float = 1

    init(_ mode: Preprocessing, _ output: Int) {
      switch mode {
      case .caffe: mean = ([103.939, 116.779, 123.68] as [Float])[output]
      case .tf: (divisor, mean) = (127.5, 1)
      case .torch:
        divisor = 255
        mean = ([0.485, 0.456, 0.406] as [Float])[output]
        deviation = ([0.229, 0.224, 0.225] as [Float])[output]
      case .rescale: scale = 1 / 255
      case .none: break
      }
    }

    @inline(__always)
    func value(_ sample: Float) -> Float { (sample * scale / divisor - mean) / deviation }
  }
}
