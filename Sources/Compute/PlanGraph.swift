/// A window that slides over the rows and columns of a picture.
struct PlanWindow: Sendable, Equatable {
  private(set) var height: Int
  private(set) var width: Int
  let channels: Int
  let window: [Int]
  let strides: [Int]
  /// Pixels from one tap of the window to the next, 1 where they are neighbours.
  let dilation: [Int]
  private(set) var rows: WindowAxis
  private(set) var columns: WindowAxis

  init(
    input: [Int], window: (Int, Int), strides: (Int, Int), dilation: (Int, Int) = (1, 1),
    padding: Padding
  ) {
    precondition(
      min(window.0, window.1, strides.0, strides.1, dilation.0, dilation.1) > 0,
      "window, strides and dilation must be positive but are \(window), \(strides), \(dilation)")
    (height, width, channels) = (input[0], input[1], input[2])
    self.window = [window.0, window.1]
    self.strides = [strides.0, strides.1]
    self.dilation = [dilation.0, dilation.1]
    rows = WindowAxis(
      input: input[0], window: (window.0 - 1) * dilation.0 + 1, stride: strides.0,
      padding: padding)
    columns = WindowAxis(
      input: input[1], window: (window.1 - 1) * dilation.1 + 1, stride: strides.1,
      padding: padding)
  }

  /// How many rows and columns of the picture the window reaches over.
  var extent: [Int] { zip(window, dilation).map { ($0 - 1) * $1 + 1 } }

  /// The same outputs from a picture without the zeros around it; the window must see some of it.
  func absorbing(_ border: PictureBorder) -> PlanWindow {
    var result = self
    result.height -= border.top + border.bottom
    result.width -= border.left + border.right
    result.rows = WindowAxis(
      outputSize: rows.outputSize, paddingBefore: rows.paddingBefore + border.top)
    result.columns = WindowAxis(
      outputSize: columns.outputSize, paddingBefore: columns.paddingBefore + border.left)
    return result
  }

  /// Whether `absorbing` keeps every window partly inside of the picture.
  func canAbsorb(_ border: PictureBorder) -> Bool {
    let extent = extent
    return rows.paddingBefore == 0 && columns.paddingBefore == 0
      && rows.outputSize == WindowAxis.valid(height, extent[0], strides[0])
      && columns.outputSize == WindowAxis.valid(width, extent[1], strides[1])
      && max(border.top, border.bottom) < extent[0] && max(border.left, border.right) < extent[1]
      && height > border.top + border.bottom && width > border.left + border.right
  }

  var inputCount: Int { height * width * channels }
  var outputPixels: Int { rows.outputSize * columns.outputSize }

  /// The rows of the input that output row `y` sees.
  func inputRows(_ y: Int) -> Range<Int> {
    let first = y * strides[0] - rows.paddingBefore
    return max(first, 0)..<max(min(first + window[0], height), max(first, 0))
  }

  /// The columns of the input that output column `x` sees.
  func inputColumns(_ x: Int) -> Range<Int> {
    let first = x * strides[1] - columns.paddingBefore
    return max(first, 0)..<max(min(first + window[1], width), max(first, 0))
  }
}

/// The weights of a convolution and what is done to its outputs before they are stored.
struct PlanFilter: Sendable {
  var window: PlanWindow
  /// `[kh, kw, cin, cout]`.
  private(set) var kernel: Tensor
  private(set) var bias: [Float]?
  /// Whether a second input of the outputs' shape is added, before the limits.
  var adds = false
  /// Where outputs are brought into `0...ceiling`.
  var ceiling: Float?
  /// Whether each 2x2 block of outputs is replaced by its largest.
  var pooled = false

  let outputChannels: Int
  var outputRows: Int { pooled ? window.rows.outputSize / 2 : window.rows.outputSize }
  var outputColumns: Int { pooled ? window.columns.outputSize / 2 : window.columns.outputSize }

  init(window: PlanWindow, kernel: Tensor, bias: [Float]?) {
    (self.window, self.kernel, self.bias) = (window, kernel, bias)
    outputChannels = kernel.shape[3]
  }

  /// Multiply-adds per photo by the definition, fused or not.
  var multiplyAdds: Int { window.outputPixels * kernel.count }

  /// A ceiling as kernels take it: 0 for none.
  static func limit(_ ceiling: Float?) -> Float {
    ceiling.map { $0.isFinite ? $0 : 0 } ?? 0
  }

  /// The same with outputs that are scaled and shifted channel by channel.
  func scaled(by scaling: PlanChannelScaling) -> PlanFilter {
    var result = self
    for index in 0..<kernel.count {
      result.kernel.scalars[index] *= scaling.scale[index % outputChannels]
    }
    result.bias = (0..<outputChannels).map {
      (bias?[$0] ?? 0) * scaling.scale[$0] + scaling.shift[$0]
    }
    return result
  }

  /// The same without the kernel's numbers, for operations that keep them in their own way.
  var withoutKernel: PlanFilter {
    var result = self
    result.kernel = Tensor(zeros: [0])
    return result
  }
}

/// A scale and a shift for each channel.
struct PlanChannelScaling: Sendable {
  let scale: [Float]
  let shift: [Float]
  /// Where results are brought into `0...ceiling`.
  private(set) var ceiling: Float?

  init(scale: [Float], shift: [Float]) { (self.scale, self.shift) = (scale, shift) }

  func limited(to ceiling: Float) -> PlanChannelScaling {
    var result = self
    result.ceiling = ceiling
    return result
  }
}

/// One operation of the network that a plan is made from.
struct PlanNode: Sendable {
  enum Operation: Sendable {
    /// With a second input where the filter adds one.
    case convolution(PlanFilter)
    /// Two convolutions, the second on the first's result.
    case chain(PlanFilter, PlanFilter)
    case depthwise(PlanDepthwiseFilter)
    /// With groups or dilation: kernel and bias of the whole.
    case parts(ConvolutionParts, kernel: Tensor, bias: [Float]?)
    case transposed(
      kernel: Tensor, bias: [Float]?, strides: (Int, Int), padding: Padding,
      outputPadding: (Int, Int)?)
    /// With `zeros` padding counts as zeros, else not at all.
    case pooling(PoolingKind, PlanWindow, zeros: Bool)
    case activation(PointwiseFunction)
    /// `x` above zero, else `x` times its slope.
    case slopes([Float])
    case scaling(PlanChannelScaling)
    case border(PictureBorder)
    /// Of two values, brought into `0...ceiling` where there is one.
    case sum(ceiling: Float?)
    /// Of two values, the second repeated through the first.
    case merge(MergeKind)
    /// Of values with so many rows each.
    case concatenation(rows: Int)
    case gather(Gather)
    case bilinear(Bilinear)
    case rowNormalization(RowNormalization)
    /// Each number so many times over.
    case repetition(Int)
    case responseNormalization(ResponseWindow)
    case reshape
  }

  var name: String
  var operation: Operation
  var inputs: [Int]
  var output: Int
}

/// The network as nodes in order; values are named by index and written once.
struct PlanGraph: Sendable {
  let shapes: [[Int]]
  var nodes: [PlanNode]
  let input: Int
  let outputs: [Int]

  /// How often each value is used, as an input or an output.
  private var useCounts: [Int] {
    var counts = [Int](repeating: 0, count: shapes.count)
    for value in nodes.flatMap(\.inputs) + outputs { counts[value] += 1 }
    return counts
  }

  /// How each value is stored: as bf16 where convolutions alone write and read it, and read it so.
  func storage(_ precision: Precision) -> [Precision] {
    var kinds = [Precision](repeating: .f32, count: shapes.count)
    guard precision == .bf16 else { return kinds }
    for node in nodes {
      if node.isConvolution, shapes[node.output].last.map({ $0 % 2 }) == 0 {
        kinds[node.output] = .bf16
      }
    }
    for node in nodes {
      if node.isConvolution { continue }
      for value in node.inputs { kinds[value] = .f32 }
    }
    for value in outputs { kinds[value] = .f32 }
    return kinds
  }

  /// Without the nodes that no output needs.
  func pruned() -> PlanGraph {
    var needed = Set(outputs)
    var kept: [PlanNode] = []
    for node in nodes.reversed() where needed.contains(node.output) {
      needed.formUnion(node.inputs)
      kept.append(node)
    }
    var result = self
    result.nodes = kept.reversed()
    return result
  }

  /// With operations done in one pass with the one before them, whose result only they use.
  func fused(_ choice: ConvolutionChoice) -> PlanGraph {
    var result = self
    result.nodes = []
    let uses = useCounts
    // Where in `result` each value is made.
    var makers: [Int: Int] = [:]
    for node in nodes {
      // The last of the makers: what it is merged with has all other inputs by then.
      if let last = node.inputs.compactMap({ makers[$0] }).max(),
        uses[result.nodes[last].output] == 1,
        let merged = result.nodes[last].merging(node, choice)
      {
        result.nodes[last] = merged
        makers[merged.output] = last
      } else {
        makers[node.output] = result.nodes.count
        result.nodes.append(node)
      }
    }
    return result
  }
}

extension PlanNode {
  fileprivate var isConvolution: Bool {
    switch operation {
    case .convolution, .chain: true
    default: false
    }
  }

  /// This operation with `next` done in the same pass, nil where that cannot be.
  func merging(_ next: PlanNode, _ choice: ConvolutionChoice) -> PlanNode? {
    guard let (operation, others) = merged(with: next, choice) else { return nil }
    return PlanNode(
      name: name + " + " + next.name, operation: operation, inputs: inputs + others,
      output: next.output)
  }

  /// The limit of an operation that does nothing but bring numbers into `0...ceiling`.
  private var ceiling: Float? {
    if case .activation(let function) = operation { function.ceiling } else { nil }
  }

  /// The operation of both, and what it takes besides the inputs of this one.
  private func merged(
    with next: PlanNode, _ choice: ConvolutionChoice
  ) -> (Operation, [Int])? {
    let merged: Operation? =
      switch operation {
      case .convolution(let filter): filter.merged(with: next.operation, choice)
      case .chain(let first, let second):
        if case .convolution(let merged)? = second.merged(with: next.operation, choice) {
          .chain(first, merged)
        } else {
          nil
        }
      case .depthwise(let filter): filter.merged(with: next.operation)
      case .border(let border): border.merged(with: next.operation)
      case .scaling(let scaling) where scaling.ceiling == nil:
        next.ceiling.map { .scaling(scaling.limited(to: $0)) }
      case .sum(ceiling: nil): next.ceiling.map { .sum(ceiling: $0) }
      default: nil
      }
    return merged.map { ($0, next.inputs.filter { $0 != output }) }
  }
}

extension PlanFilter {
  fileprivate func merged(
    with next: PlanNode.Operation, _ choice: ConvolutionChoice
  ) -> PlanNode.Operation? {
    guard !pooled else { return nil }
    var result = self
    switch next {
    case .activation(let function) where ceiling == nil && function.ceiling != nil:
      result.ceiling = function.ceiling
    case .scaling(let scaling) where ceiling == nil && !adds:
      result = scaled(by: scaling)
      result.ceiling = scaling.ceiling
    case .sum(let limit) where ceiling == nil && !adds && choice.canAdd(self):
      result.adds = true
      result.ceiling = limit
    case .pooling(.max, let window, zeros: false)
    where window.window == [2, 2] && window.strides == [2, 2]
      && window.rows.outputSize == window.height / 2
      && window.columns.outputSize == window.width / 2
      && choice.canPool(self):
      result.pooled = true
    case .convolution(let next) where choice.canChain(self, next):
      return .chain(self, next)
    default:
      return nil
    }
    return .convolution(result)
  }
}

extension PictureBorder {
  fileprivate func merged(with next: PlanNode.Operation) -> PlanNode.Operation? {
    switch next {
    case .convolution(var filter) where filter.window.canAbsorb(self):
      filter.window = filter.window.absorbing(self)
      return .convolution(filter)
    case .depthwise(var filter) where filter.window.canAbsorb(self):
      filter.window = filter.window.absorbing(self)
      return .depthwise(filter)
    case .pooling(let kind, let window, zeros: false) where window.canAbsorb(self):
      return .pooling(kind, window.absorbing(self), zeros: true)
    default:
      return nil
    }
  }
}
