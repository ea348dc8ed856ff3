/// A window that slides over the rows and columns of a picture.
struct PlanWindow: Sendable, Equatable {
  let height: Int
  let width: Int
  let channels: Int
  let window: [Int]
  let strides: [Int]
  let rows: WindowAxis
  let columns: WindowAxis

  init(input: [Int], window: (Int, Int), strides: (Int, Int), padding: Padding) {
    precondition(
      window.0 > 0 && window.1 > 0 && strides.0 > 0 && strides.1 > 0,
      "window and strides must be positive but are \(window) and \(strides)")
    (height, width, channels) = (input[0], input[1], input[2])
    self.window = [window.0, window.1]
    self.strides = [strides.0, strides.1]
    rows = WindowAxis(input: input[0], window: window.0, stride: strides.0, padding: padding)
    columns = WindowAxis(input: input[1], window: window.1, stride: strides.1, padding: padding)
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
  let window: PlanWindow
  /// `[kh, kw, cin, cout]`.
  private(set) var kernel: Tensor
  let bias: [Float]?
  var relu = false
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

  /// The same without the kernel's numbers, for operations that keep them in their own way.
  var withoutKernel: PlanFilter {
    var result = self
    result.kernel = Tensor(zeros: [0])
    return result
  }
}

/// One operation of the network that a plan is made from.
struct PlanNode: Sendable {
  enum Operation: Sendable {
    case convolution(PlanFilter)
    case pooling(PoolingKind, PlanWindow)
    case activation(PointwiseFunction)
    case reshape
  }

  var name: String
  var operation: Operation
  var input: Int
  var output: Int
}

/// The network as nodes in order; values are named by index and written once.
struct PlanGraph: Sendable {
  let shapes: [[Int]]
  var nodes: [PlanNode]
  let input: Int
  let outputs: [Int]

  func useCount(of value: Int) -> Int {
    nodes.count { $0.input == value } + outputs.count { $0 == value }
  }

  /// Without the nodes that no output needs.
  func pruned() -> PlanGraph {
    var needed = Set(outputs)
    var kept: [PlanNode] = []
    for node in nodes.reversed() where needed.contains(node.output) {
      needed.insert(node.input)
      kept.append(node)
    }
    var result = self
    result.nodes = kept.reversed()
    return result
  }

  /// With ReLU and 2x2 max pooling moved into the convolution whose result only they use.
  func fused(_ choice: ConvolutionChoice) -> PlanGraph {
    var result = self
    result.nodes = []
    for node in nodes {
      if let last = result.nodes.lastIndex(where: { $0.output == node.input }),
        useCount(of: node.input) == 1,
        let merged = result.nodes[last].merging(node, choice)
      {
        result.nodes[last] = merged
      } else {
        result.nodes.append(node)
      }
    }
    return result
  }
}

extension PlanNode {
  /// This convolution with `next` done in the same pass, nil where that cannot be.
  func merging(_ next: PlanNode, _ choice: ConvolutionChoice) -> PlanNode? {
    guard case .convolution(var filter) = operation else { return nil }
    switch next.operation {
    case .activation(.relu) where !filter.relu && !filter.pooled:
      filter.relu = true
    case .pooling(.max, let window)
    where !filter.pooled && window.window == [2, 2] && window.strides == [2, 2]
      && window.rows.outputSize == window.height / 2
      && window.columns.outputSize == window.width / 2
      && choice.canPool(filter):
      filter.pooled = true
    default:
      return nil
    }
    var merged = self
    merged.operation = .convolution(filter)
    merged.output = next.output
    merged.name += " + " + next.name
    return merged
  }
}
