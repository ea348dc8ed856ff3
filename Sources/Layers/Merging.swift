package import Compute

/// Several inputs made one, number by number; axes of length 1 are repeated, and inputs of fewer
/// axes count as having such axes behind the batch.
package protocol MergingLayer: Layer {
  static var kind: MergeKind { get }
  init(name: String)
}

extension MergingLayer {
  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    self.init(name: configuration.name)
  }

  package var configuration: [String: JSONValue] { ["name": .string(name)] }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count >= 2, Self.kind != .difference || inputs.count == 2,
      let shape = commonShape(inputs)
    else {
      let count = Self.kind == .difference ? "two inputs" : "two inputs or more"
      throw .wrongInput(layer: name, expected: "\(count) of one shape", found: inputs)
    }
    return shape
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    let shapes = inputs.map { builder.shape(of: $0) }
    if Self.kind == .sum, shapes.allSatisfy({ $0 == shapes[0] }) {
      return builder.sum(inputs, name: name)
    }
    let rank = shapes.map(\.count).max() ?? 0
    let values = zip(inputs, shapes).map { value, shape in
      shape.count == rank
        ? value : builder.reshape(value, to: padded(shape, to: rank), name: name)
    }
    return values.dropFirst().reduce(values[0]) { left, right in
      builder.merge(left, right, Self.kind, name: name)
    }
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    let whole = widened(inputs)
    return LayerOutput(whole.dropFirst().reduce(whole[0]) { merged($0, $1, Self.kind) })
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    guard wanted.inputs else { return LayerGradients() }
    let whole = widened(inputs)
    // What the inputs before each one were merged to.
    var before = [whole[0]]
    for input in whole.dropFirst().dropLast() {
      before.append(merged(before[before.count - 1], input, Self.kind))
    }
    var gradients: [Tensor] = []
    var flowing = gradient
    for index in (1..<whole.count).reversed() {
      let (left, right) = mergeGradients(flowing, before[index - 1], whole[index], Self.kind)
      gradients.append(right)
      flowing = left
    }
    gradients.append(flowing)
    return LayerGradients(
      inputs: zip(inputs, gradients.reversed()).map { input, gradient in
        sumToBroadcast(gradient, batchPadded(input.shape, to: gradient.shape.count))
          .reshaped(input.shape)
      })
  }

  /// The inputs in the shape that they have in common.
  private func widened(_ inputs: [Tensor]) -> [Tensor] {
    guard let shape = commonShape(inputs.map { Array($0.shape.dropFirst()) }) else {
      preconditionFailure("'\(name)' cannot merge \(inputs.map(\.shape))")
    }
    let whole = [inputs[0].shape[0]] + shape
    return inputs.map {
      broadcast($0.reshaped(batchPadded($0.shape, to: whole.count)), to: whole)
    }
  }
}

/// A shape without the batch axis with axes of length 1 in front.
private func padded(_ shape: [Int], to rank: Int) -> [Int] {
  [Int](repeating: 1, count: max(rank - shape.count, 0)) + shape
}

/// The same for a shape with the batch axis, which stays the first.
private func batchPadded(_ shape: [Int], to rank: Int) -> [Int] {
  [shape[0]] + padded(Array(shape.dropFirst()), to: rank - 1)
}

/// The shape that all can be broadcast to, nil where there is none.
private func commonShape(_ shapes: [[Int]]) -> [Int]? {
  let rank = shapes.map(\.count).max() ?? 0
  let all = shapes.map { padded($0, to: rank) }
  let shape = (0..<rank).map { axis in all.map { $0[axis] }.max() ?? 1 }
  return all.allSatisfy { canBroadcast($0, to: shape) } ? shape : nil
}

/// The sum of inputs: Keras's `Add`, the end of a residual block.
package struct Add: MergingLayer {
  package static let className = "Add"
  package static let kind = MergeKind.sum
  package let name: String

  package init(name: String) { self.name = name }
}

/// The first input less the second: Keras's `Subtract`.
package struct Subtract: MergingLayer {
  package static let className = "Subtract"
  package static let kind = MergeKind.difference
  package let name: String

  package init(name: String) { self.name = name }
}

/// The product of inputs: Keras's `Multiply`, as in squeeze-and-excitation.
package struct Multiply: MergingLayer {
  package static let className = "Multiply"
  package static let kind = MergeKind.product
  package let name: String

  package init(name: String) { self.name = name }
}

/// The largest of the inputs' numbers: Keras's `Maximum`.
package struct Maximum: MergingLayer {
  package static let className = "Maximum"
  package static let kind = MergeKind.maximum
  package let name: String

  package init(name: String) { self.name = name }
}

/// The smallest of the inputs' numbers: Keras's `Minimum`.
package struct Minimum: MergingLayer {
  package static let className = "Minimum"
  package static let kind = MergeKind.minimum
  package let name: String

  package init(name: String) { self.name = name }
}

/// The mean of inputs: Keras's `Average`.
package struct Average: Layer {
  package static let className = "Average"
  package let name: String
  private var sum: Add { Add(name: name) }

  package init(name: String) { self.name = name }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    self.init(name: configuration.name)
  }

  package var configuration: [String: JSONValue] { ["name": .string(name)] }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    try sum.outputShape(for: inputs)
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    let sum = sum.compile(inputs, into: &builder)
    let channels = builder.shape(of: sum).last ?? 1
    return builder.scaling(
      sum, scale: .init(repeating: 1 / Float(inputs.count), count: channels),
      shift: .init(repeating: 0, count: channels), name: name)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    LayerOutput(share(sum.forward(inputs, random: &random).value, of: inputs.count))
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    sum.backward(
      share(gradient, of: inputs.count), inputs: inputs, output: output, wanted: wanted)
  }

  private func share(_ x: Tensor, of count: Int) -> Tensor {
    Tensor(shape: x.shape, scalars: x.scalars.map { $0 / Float(count) })
  }
}

/// Inputs side by side along an axis: Keras's `Concatenate`.
package struct Concatenate: Layer {
  package static let className = "Concatenate"
  package let name: String
  /// Without the batch axis; nil for the last.
  private let axis: Int?

  package init(name: String) {
    self.name = name
    axis = nil
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    name = configuration.name
    let rank = inputShapes.first?.count ?? 0
    let given = configuration.fields["axis"] == nil ? -1 : try configuration.int("axis")
    // Keras counts the batch axis.
    let place = given < 0 ? given + rank : given - 1
    guard (0..<rank).contains(place) else {
      throw .unsupported("axis \(given)", layer: configuration.name)
    }
    axis = place == rank - 1 ? nil : place
  }

  package var configuration: [String: JSONValue] {
    ["name": .string(name), "axis": .integer(axis.map { $0 + 1 } ?? -1)]
  }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    func without(_ shape: [Int]) -> [Int] {
      var shape = shape
      if !shape.isEmpty { shape.remove(at: min(axis ?? shape.count - 1, shape.count - 1)) }
      return shape
    }
    guard inputs.count >= 2, !inputs[0].isEmpty,
      inputs.allSatisfy({ $0.count == inputs[0].count && without($0) == without(inputs[0]) })
    else {
      throw .wrongInput(
        layer: name,
        expected: "inputs that differ only in "
          + (axis.map { "axis \($0 + 1)" } ?? "their channels"), found: inputs)
    }
    var shape = inputs[0]
    let place = axis ?? shape.count - 1
    shape[place] = inputs.reduce(0) { $0 + $1[place] }
    return shape
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    builder.concatenation(inputs, axis: axis, name: name)
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    var shape = inputs[0].shape
    let place = axis.map { $0 + 1 } ?? shape.count - 1
    shape[place] = inputs.reduce(0) { $0 + $1.shape[place] }
    return LayerOutput(concatenated(inputs.map(matrix)).reshaped(shape))
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    guard wanted.inputs else { return LayerGradients() }
    let widths = inputs.map { matrix($0).shape[1] }
    return LayerGradients(
      inputs: zip(split(matrix(gradient), widths: widths), inputs).map {
        $0.reshaped($1.shape)
      })
  }

  /// What comes before the axis as rows, what lies along and behind it as columns.
  private func matrix(_ x: Tensor) -> Tensor {
    let rows = x.shape[..<(axis.map { $0 + 1 } ?? x.shape.count - 1)].reduce(1, *)
    return x.reshaped([rows, rows == 0 ? 0 : x.count / rows])
  }
}
