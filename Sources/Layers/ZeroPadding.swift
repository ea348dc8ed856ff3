package import Compute

/// Zeros around a picture, `[n, h, w, c]`: Keras's `ZeroPadding2D`.
package struct ZeroPadding2D: Layer {
  package static let className = "ZeroPadding2D"
  package let name: String
  package let border: PictureBorder

  package init(name: String, border: PictureBorder) {
    self.name = name
    self.border = border
  }

  /// The same number of rows and columns on every side.
  package init(name: String, _ pixels: Int) {
    self.init(
      name: name, border: PictureBorder(top: pixels, bottom: pixels, left: pixels, right: pixels))
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    _ = try singleInput(inputShapes, rank: 3, "[height, width, channels]", configuration)
    try configuration.require("data_format", ["channels_last"])
    self.init(
      name: configuration.name, border: try configuration.border("padding", default: 1))
  }

  package var configuration: [String: JSONValue] {
    [
      "name": .string(name), "data_format": "channels_last",
      "padding": border.configuration,
    ]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count == 1, inputs[0].count == 3 else {
      throw .wrongInput(layer: name, expected: "[height, width, channels]", found: inputs)
    }
    return border.padded(inputs[0])
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    builder.zeroPadding(inputs[0], border: border, name: name)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    LayerOutput(zeroPadded(inputs[0], border))
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    LayerGradients(inputs: wanted.inputs ? [zeroPaddedGradient(gradient, border)] : [])
  }
}

extension Configuration {
  /// Understands `1`, `[1, 2]` (rows, columns) and `[[1, 2], [3, 4]]` (top, bottom, left, right).
  func border(_ field: String, default fallback: JSONValue) throws(LayerError) -> PictureBorder {
    func pair(_ value: JSONValue) -> [Int]? {
      let list = value.int.map { [$0, $0] } ?? value.array?.compactMap(\.int)
      return list?.count == 2 && list?.contains { $0 < 0 } == false ? list : nil
    }
    let value = fields[field] ?? fallback
    guard let axes = value.int == nil ? value.array : [value, value], axes.count == 2,
      let rows = pair(axes[0]), let columns = pair(axes[1])
    else { throw .missingField(field, layer: name) }
    return PictureBorder(top: rows[0], bottom: rows[1], left: columns[0], right: columns[1])
  }
}

extension PictureBorder {
  /// `[[top, bottom], [left, right]]`, as Keras writes it.
  var configuration: JSONValue {
    [[.integer(top), .integer(bottom)], [.integer(left), .integer(right)]]
  }
}
