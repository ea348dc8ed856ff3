package import Compute

/// A layer that only picks, repeats or reorders numbers of each photo.
package protocol GatheringLayer: Layer {
  /// What is picked from a photo of the given shape, and the result's shape.
  func gather(from shape: [Int]) -> (Gather, shape: [Int])
}

extension GatheringLayer {
  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    let (gather, shape) = gather(from: builder.shape(of: inputs[0]))
    return builder.gather(inputs[0], gather, to: shape, name: name)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    let (gather, shape) = gather(from: Array(inputs[0].shape.dropFirst()))
    return LayerOutput(gather(inputs[0], shape: shape))
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    guard wanted.inputs else { return LayerGradients() }
    let shape = Array(inputs[0].shape.dropFirst())
    return LayerGradients(inputs: [gather(from: shape).0.gradient(gradient, shape: shape)])
  }
}

/// A picture without rows and columns at its sides: Keras's `Cropping2D`.
package struct Cropping2D: GatheringLayer {
  package static let className = "Cropping2D"
  package let name: String
  /// What is cut off on each side.
  package let border: PictureBorder

  package init(name: String, border: PictureBorder) {
    self.name = name
    self.border = border
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    _ = try singleInput(inputShapes, rank: 3, "[height, width, channels]", configuration)
    try configuration.require("data_format", ["channels_last"])
    self.init(
      name: configuration.name, border: try configuration.border("cropping", default: 0))
  }

  package var configuration: [String: JSONValue] {
    ["name": .string(name), "data_format": "channels_last", "cropping": border.configuration]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count == 1, inputs[0].count == 3 else {
      throw .wrongInput(layer: name, expected: "[height, width, channels]", found: inputs)
    }
    guard border.top + border.bottom < inputs[0][0], border.left + border.right < inputs[0][1]
    else { throw .emptyOutput(layer: name, input: inputs[0]) }
    return gather(from: inputs[0]).shape
  }

  package func gather(from shape: [Int]) -> (Gather, shape: [Int]) {
    let rows = Array(border.top..<shape[0] - border.bottom)
    let columns = Array(border.left..<shape[1] - border.right)
    return (
      Gather(picture: shape, rows: rows, columns: columns), [rows.count, columns.count, shape[2]]
    )
  }
}

/// Axes in another order: Keras's `Permute`.
package struct Permute: GatheringLayer {
  package static let className = "Permute"
  package let name: String
  /// Which axis of the input each axis of the output is, counted from 1 behind the batch.
  package let order: [Int]

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    let dims = configuration.fields["dims"]?.array?.compactMap(\.int) ?? []
    guard inputShapes.count == 1, !dims.isEmpty, dims.sorted() == Array(1...dims.count),
      dims.count == inputShapes[0].count
    else { throw .missingField("dims", layer: configuration.name) }
    name = configuration.name
    order = dims
  }

  package var configuration: [String: JSONValue] {
    ["name": .string(name), "dims": .array(order.map { .integer($0) })]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count == 1, inputs[0].count == order.count else {
      throw .wrongInput(layer: name, expected: "an input of \(order.count) axes", found: inputs)
    }
    return order.map { inputs[0][$0 - 1] }
  }

  package func gather(from shape: [Int]) -> (Gather, shape: [Int]) {
    (Gather(shape: shape, order: order.map { $0 - 1 }), order.map { shape[$0 - 1] })
  }
}
