internal import Compute
internal import Layers

extension LayerTranslations {
  static let convolutions: [String: LayerTranslation] = [
    "Conv2D": { try $0.conv2D(&$1) },
    "DepthwiseConv2D": { try $0.depthwise(&$1) },
    "SeparableConv2D": { try $0.separable(&$1) },
    "Conv2DTranspose": { try $0.transposed(&$1) },
  ]
}

extension LayerInContext {
  fileprivate func conv2D(_ graph: inout GraphBuilder) throws -> GraphValue {
    let kernel = try needed("kernel")
    return try convolution(
      of: graph.channelsFirst(input), kernel: kernel.outputsFirst,
      bias: tensor("bias"), groups: self["groups"]?.int ?? 1, &graph)
  }

  fileprivate func depthwise(_ graph: inout GraphBuilder) throws -> GraphValue {
    try convolution(
      of: graph.channelsFirst(input),
      kernel: try needed("depthwise_kernel").depthwiseOutputsFirst,
      bias: tensor("bias"), groups: input.shape[2], &graph)
  }

  fileprivate func separable(_ graph: inout GraphBuilder) throws -> GraphValue {
    let depthwise = try needed("depthwise_kernel")
    let pointwise = try needed("pointwise_kernel").outputsFirst
    let picture = try windows(
      of: graph.channelsFirst(input), kernel: depthwise.depthwiseOutputsFirst, bias: nil,
      groups: input.shape[2], name: path + "/depthwise", &graph)
    var inputs = [picture, graph.constant(pointwise, name: path + "/pointwise_kernel")]
    if let bias = tensor("bias") {
      inputs.append(graph.constant(bias, name: path + "/bias"))
    }
    let sum = graph.add("Conv", inputs, name: path)
    return try activated(output(sum, isChannelsFirst: true), &graph)
  }

  fileprivate func transposed(_ graph: inout GraphBuilder) throws -> GraphValue {
    let (strides, dilation) = try steps()
    // Keras has [height, width, out, in].
    let kernel = try needed("kernel").outputsFirst
    let (before, after) = (input.shape, node.shape)
    // What the windows would cover beyond the output is cut off, evenly as Keras does it.
    let rest = (0..<2).map { axis -> Int in
      let window = dilation[axis] * (kernel.shape[2 + axis] - 1) + 1
      return strides[axis] * (before[axis] - 1) + window - after[axis]
    }
    let cut = rest.map { max($0, 0) }
    let settings: [OperatorSetting] = [
      .ints("kernel_shape", Array(kernel.shape.suffix(2))), .ints("strides", strides),
      .ints("dilations", dilation),
      .ints("pads", cut.map { $0 / 2 } + cut.map { $0 - $0 / 2 }),
      .ints("output_padding", rest.map { max(-$0, 0) }),
    ]
    var inputs = [
      graph.channelsFirst(input).name,
      graph.constant(kernel, name: path + "/kernel"),
    ]
    if let bias = tensor("bias") {
      inputs.append(graph.constant(bias, name: path + "/bias"))
    }
    let sum = graph.add("ConvTranspose", inputs, settings, name: path)
    return try activated(output(sum, isChannelsFirst: true), &graph)
  }
}

extension LayerInContext {
  func needed(_ name: String) throws -> Tensor {
    guard let tensor = tensor(name) else { throw unsupported("a layer without '\(name)'") }
    return tensor
  }

  /// Strides and dilation, height first.
  func steps() throws -> (strides: [Int], dilation: [Int]) {
    let strides = try configuration.pair("strides", default: (1, 1))
    let dilation = try configuration.pair("dilation_rate", default: (1, 1))
    return ([strides.0, strides.1], [dilation.0, dilation.1])
  }

  /// Windows with the layer's strides, padding and dilation, then its activation.
  fileprivate func convolution(
    of picture: GraphValue, kernel: Tensor, bias: Tensor?, groups: Int, _ graph: inout GraphBuilder
  ) throws -> GraphValue {
    let sum = try windows(
      of: picture, kernel: kernel, bias: bias, groups: groups, name: path, &graph)
    return try activated(output(sum, isChannelsFirst: true), &graph)
  }

  /// - Parameter kernel: `[out, in / groups, height, width]`.
  fileprivate func windows(
    of picture: GraphValue, kernel: Tensor, bias: Tensor?, groups: Int, name: String,
    _ graph: inout GraphBuilder
  ) throws -> String {
    let (strides, dilation) = try steps()
    let size = Array(kernel.shape.suffix(2))
    let covered = zip(size, dilation).map { ($0 - 1) * $1 + 1 }
    var inputs = [picture.name, graph.constant(kernel, name: name + "/kernel")]
    if let bias { inputs.append(graph.constant(bias, name: name + "/bias")) }
    return graph.add(
      "Conv", inputs,
      [
        .ints("kernel_shape", size), .ints("strides", strides), .ints("dilations", dilation),
        .int("group", groups),
        .ints("pads", try borders(of: picture, windows: covered, strides: strides)),
      ], name: name)
  }

  /// The border that windows of a size need, `[top, left, bottom, right]`, an odd pixel at the end.
  func borders(of picture: GraphValue, windows: [Int], strides: [Int]) throws -> [Int] {
    let padding = try configuration.padding()
    let axes = (0..<2).map { axis in
      WindowAxis(
        input: picture.shape[axis], window: windows[axis], stride: strides[axis],
        padding: padding)
    }
    let ends = (0..<2).map { axis in
      guard padding == .same else { return 0 }
      let reach = (axes[axis].outputSize - 1) * strides[axis] + windows[axis]
      return max(reach - picture.shape[axis] - axes[axis].paddingBefore, 0)
    }
    return axes.map(\.paddingBefore) + ends
  }
}

extension Tensor {
  /// A kernel `[height, width, in, out]` as `[out, in, height, width]`.
  fileprivate var outputsFirst: Tensor {
    let (area, inputs, outputs) = (shape[0] * shape[1], shape[2], shape[3])
    var result = Tensor(zeros: [outputs, inputs, shape[0], shape[1]])
    for place in 0..<area {
      for input in 0..<inputs {
        let row = (place * inputs + input) * outputs
        for output in 0..<outputs {
          result.scalars[(output * inputs + input) * area + place] = scalars[row + output]
        }
      }
    }
    return result
  }

  /// A kernel `[height, width, channels, multiplier]` as `[channels * multiplier, 1, height,
  /// width]`.
  fileprivate var depthwiseOutputsFirst: Tensor {
    reshaped([shape[0], shape[1], 1, shape[2] * shape[3]]).outputsFirst
  }
}
