package import Compute
import Foundation
package import Images

/// A kernel written by hand, to show what a convolution does to a photo.
package struct HandKernel: Sendable, Equatable {
  package let name: String
  package let height: Int
  package let width: Int
  /// Row by row.
  package let weights: [Float]

  package init(name: String, height: Int, width: Int, weights: [Float]) {
    (self.name, self.height, self.width, self.weights) = (name, height, width, weights)
  }

  /// The kernels that courses begin with.
  package static let known: [HandKernel] = [
    HandKernel(
      name: "sobel-x", height: 3, width: 3, weights: [-1, 0, 1, -2, 0, 2, -1, 0, 1]),
    HandKernel(
      name: "sobel-y", height: 3, width: 3, weights: [-1, -2, -1, 0, 0, 0, 1, 2, 1]),
    HandKernel(
      name: "sharpen", height: 3, width: 3, weights: [0, -1, 0, -1, 5, -1, 0, -1, 0]),
    HandKernel(
      name: "mean", height: 3, width: 3, weights: [Float](repeating: 1.0 / 9, count: 9)),
  ]

  private static let largest = 31

  /// A known kernel by its name, or one from a text file with a row of numbers on each line.
  package static func named(_ name: String) throws -> HandKernel {
    if let kernel = known.first(where: { $0.name == name }) { return kernel }
    guard let data = FileManager.default.contents(atPath: name) else {
      throw ExplainError.badKernel(name, reason: "it is no known kernel, and there is no such file")
    }
    guard data.count < 100_000, let text = String(data: data, encoding: .utf8) else {
      throw ExplainError.badKernel(name, reason: "expected a text file of numbers")
    }
    return try HandKernel(name: URL(filePath: name).lastPathComponent, text: text)
  }

  /// Reads rows of numbers, apart by spaces or commas; lines that start with `#` are passed over.
  package init(name: String, text: String) throws {
    var rows: [[Float]] = []
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let words = line.split { $0.isWhitespace || $0 == "," }
      if words.isEmpty || words[0].hasPrefix("#") { continue }
      rows.append(
        try words.map {
          guard let value = Float($0), value.isFinite else {
            throw ExplainError.badKernel(
              name, reason: "expected a number in line \(number + 1), found '\($0.prefix(20))'")
          }
          return value
        })
    }
    guard let width = rows.first?.count else {
      throw ExplainError.badKernel(name, reason: "expected rows of numbers, found none")
    }
    guard rows.allSatisfy({ $0.count == width }) else {
      throw ExplainError.badKernel(
        name,
        reason:
          "expected rows of one length, found \(rows.map { "\($0.count)" }.joined(separator: ", ")) numbers"
      )
    }
    guard width <= Self.largest, rows.count <= Self.largest else {
      throw ExplainError.badKernel(
        name,
        reason: "expected at most \(Self.largest) rows and columns, found \(rows.count)x\(width)")
    }
    self.init(name: name, height: rows.count, width: width, weights: rows.flatMap { $0 })
  }

  /// Whether the kernel looks for differences: its weights add up to nothing.
  package var isDifference: Bool {
    abs(weights.reduce(0, +)) < 1e-4 * weights.reduce(0) { $0 + abs($1) } || weights == [0]
  }
}

/// One axis of a convolution, for its size formula.
package struct SizeFormula: Sendable, Equatable {
  package let size: Int
  package let kernel: Int
  package let stride: Int
  /// The zeros added at both ends together.
  package let padding: Int

  package init(size: Int, kernel: Int, stride: Int, padding: Padding) {
    (self.size, self.kernel, self.stride) = (size, kernel, stride)
    switch padding {
    case .valid: self.padding = 0
    // As Keras: as many zeros as make the output ceil(size / stride).
    case .same: self.padding = max(0, ((size + stride - 1) / stride - 1) * stride + kernel - size)
    }
  }

  package var output: Int {
    size + padding < kernel ? 0 : (size + padding - kernel) / stride + 1
  }

  /// Such as `floor((375 + 2 - 3) / 1) + 1 = 375`.
  package var text: String {
    "floor((\(size) + \(padding) - \(kernel)) / \(stride)) + 1 = \(output)"
  }
}

/// A photo under a kernel made by hand, computed as Keras's Conv2D does (the kernel is not flipped).
package struct HandConvolution: Sendable {
  package let kernel: HandKernel
  package let rows: SizeFormula
  package let columns: SizeFormula
  /// What went in: the photo, in grey for a kernel that looks for differences.
  package let input: RGBImage
  /// What came out: differences around middle grey, else samples; what is beyond 0 or 255 is cut off.
  package let output: RGBImage

  /// - Parameter name: what the photo is called in errors.
  package init(
    _ photo: RGBImage, name: String, kernel: HandKernel, padding: Padding, stride: Int
  ) throws {
    self.kernel = kernel
    rows = SizeFormula(size: photo.height, kernel: kernel.height, stride: stride, padding: padding)
    columns = SizeFormula(size: photo.width, kernel: kernel.width, stride: stride, padding: padding)
    guard rows.output > 0, columns.output > 0 else {
      throw ExplainError.nothingLeft(
        photo: name, height: photo.height, width: photo.width,
        kernel: "\(kernel.height)x\(kernel.width)")
    }
    input = kernel.isDifference ? photo.grey : photo
    let channels = kernel.isDifference ? 1 : 3
    let count = photo.width * photo.height
    // One colour after the other, as if they were photos of one channel.
    var planes = [Float](repeating: 0, count: channels * count)
    for channel in 0..<channels {
      for index in 0..<count {
        planes[channel * count + index] = Float(input.pixels[index * 3 + channel])
      }
    }
    let result = convolution(
      Tensor(shape: [channels, photo.height, photo.width, 1], scalars: planes),
      kernel: Tensor(shape: [kernel.height, kernel.width, 1, 1], scalars: kernel.weights),
      bias: nil, strides: (stride, stride), padding: padding)
    output = Self.picture(
      result.scalars, channels: channels, width: columns.output, height: rows.output)
  }

  private static func picture(
    _ values: [Float], channels: Int, width: Int, height: Int
  ) -> RGBImage {
    let count = width * height
    var pixels = [UInt8](repeating: 0, count: count * 3)
    let scale = channels == 1 ? max(quantile(values.map(abs), 0.99), 1e-6) : 1
    for index in 0..<count {
      for color in 0..<3 {
        let value =
          channels == 1 ? 128 + 127 * values[index] / scale : values[color * count + index]
        pixels[index * 3 + color] = UInt8(max(0, min(255, value.rounded())))
      }
    }
    return RGBImage(width: width, height: height, pixels: pixels)
  }
}

/// The number that a share of all does not exceed.
private func quantile(_ values: [Float], _ share: Double) -> Float {
  values.sorted()[min(values.count - 1, Int(Double(values.count) * share))]
}

extension RGBImage {
  /// The light of each pixel in all three colours, weighed as in Rec 601.
  var grey: RGBImage {
    var result = pixels
    for start in stride(from: 0, to: pixels.count, by: 3) {
      let light =
        299 * Int(pixels[start]) + 587 * Int(pixels[start + 1]) + 114 * Int(pixels[start + 2])
      let byte = UInt8((light + 500) / 1000)
      result[start] = byte
      result[start + 1] = byte
      result[start + 2] = byte
    }
    return RGBImage(width: width, height: height, pixels: result)
  }
}
