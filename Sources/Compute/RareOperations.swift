/// Operations that few networks have.
extension InferencePlanBuilder {
  /// Cross-correlation with groups of channels or a dilated window, as Keras's `Conv2D`.
  ///
  /// - Parameter kernel: `[kh, kw, c / groups, o]`.
  package mutating func convolution(
    _ x: PlanValue, kernel: Tensor, bias: [Float]?, strides: (Int, Int), dilation: (Int, Int),
    groups: Int, padding: Padding, name: String
  ) -> PlanValue {
    let shape = shapes[x.index]
    precondition(
      shape.count == 3 && kernel.shape.count == 4 && kernel.shape[2] * groups == shape[2],
      "'\(name)' needs a kernel [kh, kw, \(shape.last ?? 0) / \(groups), n] but got "
        + "\(kernel.shape)")
    let window = PlanWindow(
      input: shape, window: (kernel.shape[0], kernel.shape[1]), strides: strides,
      dilation: dilation, padding: padding)
    let parts = ConvolutionParts(window: window, groups: groups, outputs: kernel.shape[3])
    return append(
      .parts(parts, kernel: kernel, bias: bias), [x],
      shape: [window.rows.outputSize, window.columns.outputSize, kernel.shape[3]], name: name)
  }

  /// The way back through a convolution, as Keras's `Conv2DTranspose`.
  ///
  /// - Parameter kernel: `[kh, kw, o, c]`.
  package mutating func transposedConvolution(
    _ x: PlanValue, kernel: Tensor, bias: [Float]?, strides: (Int, Int), padding: Padding,
    outputPadding: (Int, Int)?, name: String
  ) -> PlanValue {
    let call = TransposedConvolution(
      input: [1] + shapes[x.index], kernel: kernel.shape, strides: strides, padding: padding,
      outputPadding: outputPadding)
    return append(
      .transposed(
        kernel: kernel, bias: bias, strides: strides, padding: padding,
        outputPadding: outputPadding), [x],
      shape: Array(call.outputShape.dropFirst()), name: name)
  }

  /// Two values made one, number by number; axes of length 1 of either are repeated.
  package mutating func merge(
    _ a: PlanValue, _ b: PlanValue, _ kind: MergeKind, name: String
  ) -> PlanValue {
    let (left, right) = (shapes[a.index], shapes[b.index])
    precondition(left.count == right.count, "'\(name)' cannot merge \(left) and \(right)")
    let shape = zip(left, right).map { max($0, $1) }
    let whole = broadcast(a, to: shape, name: name)
    // A row that repeats, such as one number a channel, is not copied for every pixel.
    let tail = right.drop { $0 == 1 }
    let repeats = Array(shape.suffix(tail.count)) == Array(tail)
    return append(
      .merge(kind), [whole, repeats ? b : broadcast(b, to: shape, name: name)], shape: shape,
      name: name)
  }

  private mutating func broadcast(
    _ x: PlanValue, to shape: [Int], name: String
  ) -> PlanValue {
    let own = shapes[x.index]
    if own == shape { return x }
    return gather(x, Gather(broadcasting: own, to: shape), to: shape, name: name)
  }

  /// Numbers of each photo in another order, some of them, or some several times.
  package mutating func gather(
    _ x: PlanValue, _ gather: Gather, to shape: [Int], name: String
  ) -> PlanValue {
    precondition(
      gather.inputCount == shapes[x.index].reduce(1, *) && gather.count == shape.reduce(1, *),
      "'\(name)' cannot gather \(shape) from \(shapes[x.index])")
    return append(.gather(gather), [x], shape: shape, name: name)
  }

  /// A picture of another size.
  package mutating func bilinear(
    _ x: PlanValue, _ bilinear: Bilinear, name: String
  ) -> PlanValue {
    precondition(
      bilinear.input == shapes[x.index],
      "'\(name)' resizes \(bilinear.input) but got \(shapes[x.index])")
    return append(.bilinear(bilinear), [x], shape: bilinear.output, name: name)
  }

  /// Rows normalised by their own mean and variance.
  package mutating func rowNormalization(
    _ x: PlanValue, _ normalization: RowNormalization, name: String
  ) -> PlanValue {
    append(.rowNormalization(normalization), [x], shape: shapes[x.index], name: name)
  }
}
