internal import Compute
internal import Layers

/// What has to be done to a stored tensor until it is the parameter that a network wants.
struct Arrangement: Equatable {
  /// The stored axis that each axis becomes, nil where they are in order.
  var axes: [Int]?
  /// Whether height and width of a kernel are reversed.
  var isTurned = false
  /// `[height, width, channels]` of the picture that was flattened channels first before a dense
  /// layer; nil where rows are in order.
  var flattened: [Int]?

  static let asStored = Arrangement()

  /// Brings `tensor` to `shape`.
  func apply(_ tensor: Tensor, shape: [Int]) -> Tensor {
    var result = tensor
    if let axes { result = result.permuted(axes) }
    if isTurned { result = Self.turned(result) }
    result = result.reshaped(shape)
    if let flattened { result = Self.rowsChannelsLast(result, flattened) }
    return result
  }

  /// A kernel `[h, w, c, o]` with height and width reversed: Theano convolves, others correlate.
  static func turned(_ kernel: Tensor) -> Tensor {
    let (positions, size) = (kernel.shape[0] * kernel.shape[1], kernel.shape[2] * kernel.shape[3])
    var result = kernel
    for position in 0..<positions {
      let from = (positions - 1 - position) * size
      result.scalars.replaceSubrange(
        position * size..<(position + 1) * size, with: kernel.scalars[from..<from + size])
    }
    return result
  }

  /// A dense kernel whose rows stand for `[channels, height, width]`, with rows for
  /// `[height, width, channels]`.
  static func rowsChannelsLast(_ kernel: Tensor, _ picture: [Int]) -> Tensor {
    let (positions, channels) = (picture[0] * picture[1], picture[2])
    return kernel.gatheringRows(
      (0..<positions).flatMap { position in
        (0..<channels).map { $0 * positions + position }
      })
  }
}

/// Finds the arrangements for one file and one network.
struct Arranging {
  let order: KernelOrder
  /// Whether 2-D kernels are `[out, in]`, as PyTorch has them.
  let isTransposed: Bool
  /// Whether pictures were flattened channels first.
  let flattensChannelsFirst: Bool
  let network: Network

  init(file: KerasFile, network: Network) {
    order = file.kernels.order
    isTransposed = file.isTorch
    // A model's own configuration says how it flattens; here only names are known.
    flattensChannelsFirst = order.layout == .oihw && file.configuration == nil
    self.network = network
  }

  /// How a stored shape becomes a parameter's, nil where it cannot.
  func arrangement(
    of stored: [Int], for parameter: Parameter, _ node: Network.Node
  ) -> Arrangement? {
    let shape = parameter.value.shape
    switch shape.count {
    case 4: return kernel(stored, shape, node)
    case 2: return dense(stored, shape, node)
    default: return stored == shape ? .asStored : nil
    }
  }

  private func kernel(_ stored: [Int], _ shape: [Int], _ node: Network.Node) -> Arrangement? {
    guard stored.count == 4, order.shape(of: stored) == shape else { return nil }
    // Keras turns only these (`preprocess_weights_for_loading`), not the depthwise ones.
    let isTurned = order.isTurned && ["Conv2D", "Conv2DTranspose"].contains(node.layer.className)
    return Arrangement(axes: order.layout == .oihw ? [2, 3, 1, 0] : nil, isTurned: isTurned)
  }

  private func dense(_ stored: [Int], _ shape: [Int], _ node: Network.Node) -> Arrangement? {
    var result = Arrangement()
    if isTransposed {
      // Some write a dense layer on a picture as a convolution over all of it.
      let rows = stored.count == 4 ? stored[1...].reduce(1, *) : stored.last ?? 0
      guard [rows, stored[0]] == shape, stored.count == 2 || stored.count == 4 else { return nil }
      result.axes = stored.count == 4 ? [1, 2, 3, 0] : [1, 0]
    } else if stored != shape {
      return nil
    }
    if flattensChannelsFirst { result.flattened = picture(before: node) }
    return result
  }

  /// The picture that a Flatten before `node` takes, nil where there is none.
  private func picture(before node: Network.Node) -> [Int]? {
    var index = node.inputs.first
    while let source = index, network.nodes[source].layer is Dropout {
      index = network.nodes[source].inputs.first
    }
    guard let index, network.nodes[index].layer is Flatten,
      let before = network.nodes[index].inputs.first, network.nodes[before].shape.count == 3
    else { return nil }
    return network.nodes[before].shape
  }
}
