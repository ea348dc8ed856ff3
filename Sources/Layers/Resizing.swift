package import Compute

/// How a picture gets another size.
package enum ResizingMethod: String, Sendable {
  case nearest, bilinear
}

/// The resizing of one picture, a crop before it included.
struct PictureResize {
  let method: ResizingMethod
  let height: Int
  let width: Int
  /// What is cut off before: the largest middle part with the new picture's proportions.
  var keepsProportions = false

  func shape(of picture: [Int]) -> [Int] { [height, width, picture[2]] }

  /// The middle part, nil for the whole picture.
  ///
  /// Keras cuts off fractions of pixels (`resize` in its `backend/tensorflow/image.py`).
  private func middle(of picture: [Int]) -> (Gather, shape: [Int])? {
    guard keepsProportions else { return nil }
    let (h, w) = (picture[0], picture[1])
    let rows = max(1, min(h, Int(Double(w * height) / Double(width))))
    let columns = max(1, min(w, Int(Double(h * width) / Double(height))))
    if (rows, columns) == (h, w) { return nil }
    let (top, left) = (Int(Double(h - rows) / 2), Int(Double(w - columns) / 2))
    return (
      Gather(
        picture: picture, rows: Array(top..<top + rows), columns: Array(left..<left + columns)),
      [rows, columns, picture[2]]
    )
  }

  /// The nearest pixels, by their centres.
  private func nearest(_ picture: [Int]) -> Gather {
    func places(_ source: Int, _ target: Int) -> [Int] {
      let scale = Float(source) / Float(target)
      return (0..<target).map { min(Int(((Float($0) + 0.5) * scale).rounded(.down)), source - 1) }
    }
    return Gather(
      picture: picture, rows: places(picture[0], height), columns: places(picture[1], width))
  }

  func compile(
    _ input: PlanValue, name: String, into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    var (value, shape) = (input, builder.shape(of: input))
    if let (gather, middle) = middle(of: shape) {
      value = builder.gather(value, gather, to: middle, name: name)
      shape = middle
    }
    return switch method {
    case .nearest:
      builder.gather(value, nearest(shape), to: self.shape(of: shape), name: name)
    case .bilinear:
      builder.bilinear(
        value, Bilinear(input: shape, height: height, width: width), name: name)
    }
  }

  func forward(_ x: Tensor) -> Tensor {
    var (x, picture) = (x, Array(x.shape.dropFirst()))
    if let (gather, middle) = middle(of: picture) {
      x = gather(x, shape: middle)
      picture = middle
    }
    return switch method {
    case .nearest: nearest(picture)(x, shape: shape(of: picture))
    case .bilinear: Bilinear(input: picture, height: height, width: width)(x)
    }
  }

  func backward(_ gradient: Tensor, shape picture: [Int]) -> Tensor {
    let cut = middle(of: picture)
    let inner = cut?.shape ?? picture
    let result =
      switch method {
      case .nearest: nearest(inner).gradient(gradient, shape: inner)
      case .bilinear:
        Bilinear(input: inner, height: height, width: width).gradient(gradient)
      }
    return cut.map { $0.0.gradient(result, shape: picture) } ?? result
  }
}

/// A layer that gives a picture another size.
protocol ResizingLayer: Layer {
  /// Nil where the picture stays as it is.
  func resize(_ picture: [Int]) -> PictureResize?
}

extension ResizingLayer {
  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count == 1, inputs[0].count == 3, inputs[0].allSatisfy({ $0 > 0 }) else {
      throw .wrongInput(layer: name, expected: "[height, width, channels]", found: inputs)
    }
    return resize(inputs[0])?.shape(of: inputs[0]) ?? inputs[0]
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    resize(builder.shape(of: inputs[0]))?.compile(inputs[0], name: name, into: &builder)
      ?? inputs[0]
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    LayerOutput(
      resize(Array(inputs[0].shape.dropFirst()))?.forward(inputs[0]) ?? inputs[0])
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    guard wanted.inputs else { return LayerGradients() }
    let shape = Array(inputs[0].shape.dropFirst())
    return LayerGradients(inputs: [resize(shape)?.backward(gradient, shape: shape) ?? gradient])
  }
}

extension Configuration {
  fileprivate func method(default fallback: String) throws(LayerError) -> ResizingMethod {
    let text = fields["interpolation"]?.string ?? fallback
    guard let method = ResizingMethod(rawValue: text) else {
      throw .unsupported(
        "the interpolation '\(text)' (known are nearest and bilinear)", layer: name)
    }
    return method
  }

  fileprivate func size() throws(LayerError) -> (Int, Int) {
    let (height, width) = (try int("height"), try int("width"))
    guard height > 0, width > 0 else { throw .missingField("height' and 'width", layer: name) }
    return (height, width)
  }
}

/// Rows and columns repeated, or pixels in between interpolated: Keras's `UpSampling2D`.
package struct UpSampling2D: ResizingLayer {
  package static let className = "UpSampling2D"
  package let name: String
  /// How many rows and columns each becomes.
  package let factors: (Int, Int)
  package let method: ResizingMethod

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    _ = try singleInput(inputShapes, rank: 3, "[height, width, channels]", configuration)
    try configuration.require("data_format", ["channels_last"])
    name = configuration.name
    factors = try configuration.pair("size", default: (2, 2))
    method = try configuration.method(default: "nearest")
  }

  package var configuration: [String: JSONValue] {
    [
      "name": .string(name), "size": [.integer(factors.0), .integer(factors.1)],
      "data_format": "channels_last", "interpolation": .string(method.rawValue),
    ]
  }

  func resize(_ picture: [Int]) -> PictureResize? {
    PictureResize(
      method: method, height: picture[0] * factors.0, width: picture[1] * factors.1)
  }
}

/// Pictures in a fixed size: Keras's `Resizing`.
package struct Resizing: ResizingLayer {
  package static let className = "Resizing"
  package let name: String
  package let height: Int
  package let width: Int
  package let method: ResizingMethod
  /// Whether the middle part with the new proportions is resized, not the whole picture.
  package let crops: Bool

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    _ = try singleInput(inputShapes, rank: 3, "[height, width, channels]", configuration)
    try configuration.require("data_format", ["channels_last"])
    try configuration.require("pad_to_aspect_ratio", [false])
    try configuration.require("antialias", [false])
    name = configuration.name
    (height, width) = try configuration.size()
    method = try configuration.method(default: "bilinear")
    crops = configuration.bool("crop_to_aspect_ratio", default: false)
  }

  package var configuration: [String: JSONValue] {
    [
      "name": .string(name), "height": .integer(height), "width": .integer(width),
      "interpolation": .string(method.rawValue), "crop_to_aspect_ratio": .bool(crops),
    ]
  }

  func resize(_ picture: [Int]) -> PictureResize? {
    PictureResize(method: method, height: height, width: width, keepsProportions: crops)
  }
}

/// The middle of pictures, smaller ones enlarged: Keras's `CenterCrop`.
package struct CenterCrop: Layer {
  package static let className = "CenterCrop"
  package let name: String
  package let height: Int
  package let width: Int

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    _ = try singleInput(inputShapes, rank: 3, "[height, width, channels]", configuration)
    try configuration.require("data_format", ["channels_last"])
    name = configuration.name
    (height, width) = try configuration.size()
  }

  package var configuration: [String: JSONValue] {
    ["name": .string(name), "height": .integer(height), "width": .integer(width)]
  }

  /// The layer that does the same to pictures of this shape.
  private func equivalent(for picture: [Int]) -> any Layer {
    let (rows, columns) = (picture[0] - height, picture[1] - width)
    guard rows >= 0, columns >= 0 else {
      return Enlarging(name: name, height: height, width: width)
    }
    return Cropping2D(
      name: name,
      border: PictureBorder(
        top: rows / 2, bottom: rows - rows / 2, left: columns / 2,
        right: columns - columns / 2))
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count == 1, inputs[0].count == 3 else {
      throw .wrongInput(layer: name, expected: "[height, width, channels]", found: inputs)
    }
    return [height, width, inputs[0][2]]
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    equivalent(for: builder.shape(of: inputs[0])).compile(inputs, into: &builder)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    equivalent(for: Array(inputs[0].shape.dropFirst())).forward(inputs, random: &random)
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    equivalent(for: Array(inputs[0].shape.dropFirst()))
      .backward(gradient, inputs: inputs, output: output, wanted: wanted)
  }

  /// What Keras does to pictures that are too small.
  private struct Enlarging: ResizingLayer {
    static let className = "Resizing"
    let name: String
    let height: Int
    let width: Int

    init(name: String, height: Int, width: Int) {
      (self.name, self.height, self.width) = (name, height, width)
    }

    init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
      throw .unknownClass("Enlarging", layer: configuration.name)
    }

    var configuration: [String: JSONValue] { [:] }

    func resize(_ picture: [Int]) -> PictureResize? {
      PictureResize(method: .bilinear, height: height, width: width, keepsProportions: true)
    }
  }
}
