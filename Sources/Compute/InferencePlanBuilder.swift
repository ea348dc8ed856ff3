/// Describes a network operation by operation and turns it into an `InferencePlan`.
///
/// ```swift
/// var builder = InferencePlanBuilder()
/// let photo = builder.input(shape: [150, 150, 3], name: "photo")
/// let maps = builder.convolution(
///   photo, kernel: kernel, bias: bias, strides: (1, 1), padding: .same, name: "conv1")
/// let result = builder.activation(maps, .relu, name: "relu1")
/// let plan = builder.build(outputs: [result])
/// ```
package struct InferencePlanBuilder: Sendable {
  private(set) var shapes: [[Int]] = []
  private var nodes: [PlanNode] = []
  private var inputIndex: Int?

  package init() {}

  /// The value that a batch is given to; there is one per plan.
  ///
  /// - Parameter shape: one photo's shape without the batch axis: `[h, w, c]` or `[k]`.
  package mutating func input(shape: [Int], name: String) -> PlanValue {
    precondition(inputIndex == nil, "a plan has one input but '\(name)' is another")
    inputIndex = shapes.count
    return newValue(shape)
  }

  /// The shape of a value for one photo, without the batch axis.
  package func shape(of value: PlanValue) -> [Int] { shapes[value.index] }

  /// Cross-correlation, as Keras's `Conv2D`.
  ///
  /// - Parameters:
  ///   - kernel: `[kh, kw, cin, cout]`.
  ///   - bias: `cout` numbers, nil for none.
  package mutating func convolution(
    _ x: PlanValue, kernel: Tensor, bias: [Float]?, strides: (Int, Int), padding: Padding,
    name: String
  ) -> PlanValue {
    let shape = shapes[x.index]
    precondition(
      shape.count == 3 && kernel.shape.count == 4 && kernel.shape[2] == shape[2],
      "'\(name)' needs a kernel [kh, kw, \(shape.last ?? 0), n] but got \(kernel.shape)")
    let outputs = kernel.shape[3]
    precondition(
      bias == nil || bias!.count == outputs,
      "'\(name)' needs \(outputs) biases but got \(bias?.count ?? 0)")
    let window = PlanWindow(
      input: shape, window: (kernel.shape[0], kernel.shape[1]), strides: strides,
      padding: padding)
    return append(
      .convolution(PlanFilter(window: window, kernel: kernel, bias: bias)), x,
      shape: [window.rows.outputSize, window.columns.outputSize, outputs], name: name)
  }

  /// Cross-correlation channel by channel, as Keras's `DepthwiseConv2D`.
  ///
  /// - Parameters:
  ///   - kernel: `[kh, kw, c, m]`: each channel becomes `m` of the outputs, which lie together.
  ///   - bias: `c * m` numbers, nil for none.
  package mutating func depthwiseConvolution(
    _ x: PlanValue, kernel: Tensor, bias: [Float]?, strides: (Int, Int),
    dilation: (Int, Int) = (1, 1), padding: Padding, name: String
  ) -> PlanValue {
    let shape = shapes[x.index]
    precondition(
      shape.count == 3 && kernel.shape.count == 4 && kernel.shape[2] == shape[2],
      "'\(name)' needs a kernel [kh, kw, \(shape.last ?? 0), m] but got \(kernel.shape)")
    let (multiplier, channels) = (kernel.shape[3], kernel.shape[2] * kernel.shape[3])
    let outer = [shape[0], shape[1], channels]
    let repeated =
      multiplier == 1
      ? x : append(.repetition(multiplier), x, shape: outer, name: name)
    let window = PlanWindow(
      input: outer, window: (kernel.shape[0], kernel.shape[1]), strides: strides,
      dilation: dilation, padding: padding)
    let filter = PlanDepthwiseFilter(
      window: window, kernel: kernel.reshaped([kernel.shape[0], kernel.shape[1], channels]),
      bias: bias)
    return append(
      .depthwise(filter), repeated,
      shape: [window.rows.outputSize, window.columns.outputSize, channels], name: name)
  }

  /// The largest or the mean value of each window, channel by channel.
  package mutating func pooling(
    _ x: PlanValue, kind: PoolingKind, window: (Int, Int), strides: (Int, Int),
    padding: Padding, name: String
  ) -> PlanValue {
    let shape = shapes[x.index]
    precondition(shape.count == 3, "'\(name)' needs [h, w, c] but got \(shape)")
    let window = PlanWindow(input: shape, window: window, strides: strides, padding: padding)
    return append(
      .pooling(kind, window, zeros: false), x,
      shape: [window.rows.outputSize, window.columns.outputSize, shape[2]], name: name)
  }

  /// The largest or the mean value of each channel: `[h, w, c]` to `[c]`.
  package mutating func globalPooling(
    _ x: PlanValue, kind: PoolingKind, name: String
  ) -> PlanValue {
    let shape = shapes[x.index]
    precondition(shape.count == 3, "'\(name)' needs [h, w, c] but got \(shape)")
    let window = PlanWindow(
      input: shape, window: (shape[0], shape[1]), strides: (1, 1), padding: .valid)
    return append(.pooling(kind, window, zeros: false), x, shape: [shape[2]], name: name)
  }

  /// Matrix product over the last axis.
  ///
  /// - Parameters:
  ///   - kernel: `[in, out]`.
  ///   - bias: `out` numbers, nil for none.
  package mutating func dense(
    _ x: PlanValue, kernel: Tensor, bias: [Float]?, name: String
  ) -> PlanValue {
    let shape = shapes[x.index]
    precondition(
      kernel.shape.count == 2 && kernel.shape[0] == shape.last,
      "'\(name)' needs a kernel [\(shape.last ?? 0), n] but got \(kernel.shape)")
    precondition(
      bias == nil || bias!.count == kernel.shape[1],
      "'\(name)' needs \(kernel.shape[1]) biases but got \(bias?.count ?? 0)")
    // A dense layer is a 1x1 convolution over the rows that the leading axes make.
    let rows = shape.dropLast().reduce(1, *)
    let window = PlanWindow(
      input: [1, rows, kernel.shape[0]], window: (1, 1), strides: (1, 1), padding: .valid)
    let filter = PlanFilter(
      window: window, kernel: kernel.reshaped([1, 1] + kernel.shape), bias: bias)
    return append(
      .convolution(filter), x, shape: shape.dropLast() + [kernel.shape[1]], name: name)
  }

  /// An element-wise function; `softmax` runs over the last axis.
  package mutating func activation(
    _ x: PlanValue, _ function: PointwiseFunction, name: String
  ) -> PlanValue {
    append(
      function == .linear ? .reshape : .activation(function), x, shape: shapes[x.index],
      name: name)
  }

  /// `x` above zero, else `x` times its slope.
  ///
  /// - Parameter slopes: one number for each of `x`.
  package mutating func slopes(_ x: PlanValue, _ slopes: [Float], name: String) -> PlanValue {
    let shape = shapes[x.index]
    precondition(
      slopes.count == shape.reduce(1, *),
      "'\(name)' needs \(shape.reduce(1, *)) slopes but got \(slopes.count)")
    return append(.slopes(slopes), x, shape: shape, name: name)
  }

  /// The same numbers under another shape of the same count.
  package mutating func reshape(_ x: PlanValue, to shape: [Int], name: String) -> PlanValue {
    precondition(
      shape.reduce(1, *) == shapes[x.index].reduce(1, *),
      "'\(name)' cannot turn \(shapes[x.index]) into \(shape)")
    return append(.reshape, x, shape: shape, name: name)
  }

  /// `x * scale + shift`, channel by channel: batch normalisation on stored statistics.
  ///
  /// - Parameters:
  ///   - scale: one number for each place of the last axis, as `shift`.
  package mutating func scaling(
    _ x: PlanValue, scale: [Float], shift: [Float], name: String
  ) -> PlanValue {
    let shape = shapes[x.index]
    precondition(
      scale.count == shape.last && shift.count == shape.last,
      "'\(name)' needs \(shape.last ?? 0) scales and shifts but got \(scale.count) and "
        + "\(shift.count)")
    return append(
      .scaling(PlanChannelScaling(scale: scale, shift: shift)), x, shape: shape, name: name)
  }

  /// Zeros around a picture.
  package mutating func zeroPadding(
    _ x: PlanValue, border: PictureBorder, name: String
  ) -> PlanValue {
    let shape = shapes[x.index]
    precondition(shape.count == 3, "'\(name)' needs [h, w, c] but got \(shape)")
    return append(.border(border), x, shape: border.padded(shape), name: name)
  }

  /// The sum of values of one shape, added up in order.
  package mutating func sum(_ values: [PlanValue], name: String) -> PlanValue {
    precondition(values.count >= 2, "'\(name)' needs two values but got \(values.count)")
    let shape = shapes[values[0].index]
    for value in values {
      precondition(
        shapes[value.index] == shape,
        "'\(name)' cannot add \(shapes[value.index]) to \(shape)")
    }
    return values.dropFirst().reduce(values[0]) { left, right in
      append(.sum(ceiling: nil), [left, right], shape: shape, name: name)
    }
  }

  /// Values side by side along an axis, by default the last.
  package mutating func concatenation(
    _ values: [PlanValue], axis: Int? = nil, name: String
  ) -> PlanValue {
    let all = values.map { shapes[$0.index] }
    let axis = axis ?? all[0].count - 1
    var shape = all[0]
    for other in all.dropFirst() {
      precondition(other.count == shape.count, "'\(name)' cannot join \(all)")
      shape[axis] += other[axis]
    }
    return append(
      .concatenation(rows: shape[..<axis].reduce(1, *)), values, shape: shape, name: name)
  }

  /// Each channel divided by what its neighbours show together.
  package mutating func responseNormalization(
    _ x: PlanValue, _ window: ResponseWindow, name: String
  ) -> PlanValue {
    append(.responseNormalization(window), x, shape: shapes[x.index], name: name)
  }

  /// Fuses what can be fused, lays the weights out and plans the buffers.
  ///
  /// - Parameters:
  ///   - kernels: the inner loops to use; other instruction sets round differently.
  ///   - convolutions: which algorithms may be used.
  ///   - precision: which numbers are multiplied.
  ///   - photos: how many the plan will be given in all, if that is known. For a few, less is
  ///     prepared; results are the same, and more photos than that only take longer.
  package func build(
    outputs: [PlanValue], kernels: KernelTable = .current,
    convolutions: ConvolutionChoice = .current, precision: Precision = .f32, photos: Int? = nil
  ) -> InferencePlan {
    guard let inputIndex else { preconditionFailure("a plan needs an input") }
    for output in outputs {
      precondition(
        output.index < shapes.count,
        "output \(output.index) must be made before `build` is called on \(shapes.count) values")
    }
    let graph = PlanGraph(
      shapes: shapes, nodes: nodes, input: inputIndex, outputs: outputs.map(\.index))
    return InferencePlan(
      program: PlanProgram(
        graph: graph.pruned().fused(convolutions), kernels: kernels, choice: convolutions,
        precision: precision, photos: photos),
      inputShape: shapes[inputIndex],
      outputShapes: outputs.map { shapes[$0.index] })
  }

  private mutating func newValue(_ shape: [Int]) -> PlanValue {
    shapes.append(shape)
    return PlanValue(index: shapes.count - 1)
  }

  mutating func append(
    _ operation: PlanNode.Operation, _ x: PlanValue, shape: [Int], name: String
  ) -> PlanValue {
    append(operation, [x], shape: shape, name: name)
  }

  mutating func append(
    _ operation: PlanNode.Operation, _ inputs: [PlanValue], shape: [Int], name: String
  ) -> PlanValue {
    let value = newValue(shape)
    nodes.append(
      PlanNode(
        name: name, operation: operation, inputs: inputs.map(\.index), output: value.index))
    return value
  }
}
