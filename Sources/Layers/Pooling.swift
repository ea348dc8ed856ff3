package import Compute

/// Pooling over windows of `[n, h, w, c]`: what `MaxPooling2D` and `AveragePooling2D` share.
package protocol WindowPooling: Layer {
  static var kind: PoolingKind { get }
  var window: (Int, Int) { get }
  var strides: (Int, Int) { get }
  var padding: Padding { get }
  init(name: String, window: (Int, Int), strides: (Int, Int), padding: Padding)
}

extension WindowPooling {
  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    _ = try singleInput(inputShapes, rank: 3, "[height, width, channels]", configuration)
    try configuration.require("data_format", ["channels_last"])
    let window = try configuration.pair("pool_size")
    self.init(
      name: configuration.name, window: window,
      strides: try configuration.pair("strides", default: window),
      padding: try configuration.padding())
  }

  package var configuration: [String: JSONValue] {
    [
      "name": .string(name), "pool_size": [.integer(window.0), .integer(window.1)],
      "strides": [.integer(strides.0), .integer(strides.1)], "padding": .string(padding.rawValue),
      "data_format": "channels_last",
    ]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count == 1, inputs[0].count == 3 else {
      throw .wrongInput(layer: name, expected: "[height, width, channels]", found: inputs)
    }
    let rows = WindowAxis(
      input: inputs[0][0], window: window.0, stride: strides.0, padding: padding)
    let columns = WindowAxis(
      input: inputs[0][1], window: window.1, stride: strides.1, padding: padding)
    guard rows.outputSize > 0, columns.outputSize > 0 else {
      throw .emptyOutput(layer: name, input: inputs[0])
    }
    return [rows.outputSize, columns.outputSize, inputs[0][2]]
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    builder.pooling(
      inputs[0], kind: Self.kind, window: window, strides: strides, padding: padding, name: name)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    LayerOutput(
      pooling(inputs[0], kind: Self.kind, window: window, strides: strides, padding: padding))
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    guard wanted.inputs else { return LayerGradients() }
    let input = poolingGradient(
      gradient, x: inputs[0], output: output.value, kind: Self.kind, window: window,
      strides: strides, padding: padding)
    return LayerGradients(inputs: [input])
  }
}

/// The largest value of each window and channel: Keras's `MaxPooling2D`.
package struct MaxPooling2D: WindowPooling {
  package static let className = "MaxPooling2D"
  package static let kind = PoolingKind.max
  package let name: String
  package let window: (Int, Int)
  package let strides: (Int, Int)
  package let padding: Padding

  package init(
    name: String, window: (Int, Int) = (2, 2), strides: (Int, Int) = (2, 2),
    padding: Padding = .valid
  ) {
    (self.name, self.window, self.strides, self.padding) = (name, window, strides, padding)
  }
}

/// The mean of each window and channel, padding left out: Keras's `AveragePooling2D`.
package struct AveragePooling2D: WindowPooling {
  package static let className = "AveragePooling2D"
  package static let kind = PoolingKind.average
  package let name: String
  package let window: (Int, Int)
  package let strides: (Int, Int)
  package let padding: Padding

  package init(
    name: String, window: (Int, Int) = (2, 2), strides: (Int, Int) = (2, 2),
    padding: Padding = .valid
  ) {
    (self.name, self.window, self.strides, self.padding) = (name, window, strides, padding)
  }
}

/// Pooling over the whole picture, `[n, h, w, c]` to `[n, c]`.
package protocol WholePooling: Layer {
  static var kind: PoolingKind { get }
  /// Whether the result is `[n, 1, 1, c]`.
  var keepsAxes: Bool { get }
  init(name: String, keepsAxes: Bool)
}

extension WholePooling {
  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    _ = try singleInput(inputShapes, rank: 3, "[height, width, channels]", configuration)
    try configuration.require("data_format", ["channels_last"])
    self.init(
      name: configuration.name, keepsAxes: configuration.bool("keepdims", default: false))
  }

  package var configuration: [String: JSONValue] {
    [
      "name": .string(name), "data_format": "channels_last", "keepdims": .bool(keepsAxes),
    ]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count == 1, inputs[0].count == 3 else {
      throw .wrongInput(layer: name, expected: "[height, width, channels]", found: inputs)
    }
    return keepsAxes ? [1, 1, inputs[0][2]] : [inputs[0][2]]
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    let pooled = builder.globalPooling(inputs[0], kind: Self.kind, name: name)
    guard keepsAxes else { return pooled }
    return builder.reshape(pooled, to: [1, 1] + builder.shape(of: pooled), name: name)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    let pooled = globalPooling(inputs[0], kind: Self.kind)
    let (n, channels) = (pooled.shape[0], pooled.shape[1])
    return LayerOutput(keepsAxes ? pooled.reshaped([n, 1, 1, channels]) : pooled)
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    guard wanted.inputs else { return LayerGradients() }
    let input = globalPoolingGradient(
      gradient, x: inputs[0], output: output.value, kind: Self.kind)
    return LayerGradients(inputs: [input])
  }
}

/// The largest value of each channel: Keras's `GlobalMaxPooling2D`.
package struct GlobalMaxPooling2D: WholePooling {
  package static let className = "GlobalMaxPooling2D"
  package static let kind = PoolingKind.max
  package let name: String
  package let keepsAxes: Bool

  package init(name: String, keepsAxes: Bool = false) {
    (self.name, self.keepsAxes) = (name, keepsAxes)
  }
}

/// The mean of each channel: Keras's `GlobalAveragePooling2D`.
package struct GlobalAveragePooling2D: WholePooling {
  package static let className = "GlobalAveragePooling2D"
  package static let kind = PoolingKind.average
  package let name: String
  package let keepsAxes: Bool

  package init(name: String, keepsAxes: Bool = false) {
    (self.name, self.keepsAxes) = (name, keepsAxes)
  }
}
