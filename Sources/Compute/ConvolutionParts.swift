/// A convolution with groups of channels or a dilated window, as plain convolutions of its parts.
///
/// A group of channels is a picture of its own. A window with `d` pixels from tap to tap sees only
/// every `d`-th row and column, so that the picture falls into `d * d` smaller ones whose windows
/// are not dilated.
struct ConvolutionParts: Sendable {
  /// Of the whole convolution, for the input `[h, w, c]`.
  let window: PlanWindow
  let groups: Int
  /// Kernel `[kh, kw, c / groups, outputs]`.
  let outputs: Int

  var phases: Int { window.dilation[0] * window.dilation[1] }
  private var inputChannels: Int { window.channels / groups }
  private var outputChannels: Int { outputs / groups }
  /// Rows and columns of outputs of one part.
  private var partOutput: [Int] {
    [
      (window.rows.outputSize + window.dilation[0] - 1) / window.dilation[0],
      (window.columns.outputSize + window.dilation[1] - 1) / window.dilation[1],
    ]
  }
  /// The picture `[h, w, c]` that one part sees, with all padding.
  var part: [Int] {
    (0..<2).map { (partOutput[$0] - 1) * window.strides[$0] + window.window[$0] }
      + [inputChannels]
  }
  /// What one part gives, `[h, w, o]`.
  var result: [Int] { partOutput + [outputChannels] }
  var partCount: Int { phases * part.reduce(1, *) }
  var resultCount: Int { phases * result.reduce(1, *) }

  /// Calls `body` for each run of pixels' channels of a group: where they are in a picture of the
  /// input, nil outside of it, and where among the parts.
  private func forEachInput(_ group: Int, _ body: (_ picture: Int?, _ part: Int) -> Void) {
    let (height, width, channels) = (part[0], part[1], inputChannels)
    for phase in 0..<phases {
      let (top, left) = (phase / window.dilation[1], phase % window.dilation[1])
      for i in 0..<height {
        let row = top - window.rows.paddingBefore + window.dilation[0] * i
        for j in 0..<width {
          let column = left - window.columns.paddingBefore + window.dilation[1] * j
          let isInside = row >= 0 && row < window.height && column >= 0 && column < window.width
          body(
            isInside
              ? (row * window.width + column) * window.channels + group * channels : nil,
            ((phase * height + i) * width + j) * channels)
        }
      }
    }
  }

  /// The same for outputs.
  private func forEachOutput(_ group: Int, _ body: (_ picture: Int?, _ part: Int) -> Void) {
    let (height, width, channels) = (result[0], result[1], outputChannels)
    for phase in 0..<phases {
      let (top, left) = (phase / window.dilation[1], phase % window.dilation[1])
      for i in 0..<height {
        let row = top + window.dilation[0] * i
        for j in 0..<width {
          let column = left + window.dilation[1] * j
          let isInside = row < window.rows.outputSize && column < window.columns.outputSize
          body(
            isInside
              ? (row * window.columns.outputSize + column) * outputs + group * channels : nil,
            ((phase * height + i) * width + j) * channels)
        }
      }
    }
  }

  /// Copies what a group sees of a picture, zeros outside of it.
  func takeInput(
    _ group: Int, _ picture: UnsafePointer<Float>, to parts: UnsafeMutablePointer<Float>
  ) {
    forEachInput(group) { Self.take(picture, $0, to: parts + $1, inputChannels) }
  }

  func takeOutput(
    _ group: Int, _ picture: UnsafePointer<Float>, to parts: UnsafeMutablePointer<Float>
  ) {
    forEachOutput(group) { Self.take(picture, $0, to: parts + $1, outputChannels) }
  }

  func putInput(
    _ group: Int, _ parts: UnsafePointer<Float>, to picture: UnsafeMutablePointer<Float>
  ) {
    forEachInput(group) { place, part in
      if let place { (picture + place).update(from: parts + part, count: inputChannels) }
    }
  }

  func putOutput(
    _ group: Int, _ parts: UnsafePointer<Float>, to picture: UnsafeMutablePointer<Float>
  ) {
    forEachOutput(group) { place, part in
      if let place { (picture + place).update(from: parts + part, count: outputChannels) }
    }
  }

  private static func take(
    _ picture: UnsafePointer<Float>, _ place: Int?, to part: UnsafeMutablePointer<Float>,
    _ count: Int
  ) {
    if let place {
      part.update(from: picture + place, count: count)
    } else {
      part.update(repeating: 0, count: count)
    }
  }
}

/// A convolution with groups or dilation, a photo and a group at a time.
struct PlanParts: UnaryPlanOperation {
  private let parts: ConvolutionParts
  /// One for each group.
  private let inner: [any PlanOperation]

  var algorithm: String { "parts of " + inner[0].algorithm }

  init(
    parts: ConvolutionParts, kernel: Tensor, bias: [Float]?, choice: ConvolutionChoice,
    kernels: KernelTable
  ) {
    self.parts = parts
    let width = parts.result[2]
    inner = split(kernel, widths: [Int](repeating: width, count: parts.groups)).enumerated().map {
      group, kernel in
      let window = PlanWindow(
        input: parts.part, window: (parts.window.window[0], parts.window.window[1]),
        strides: (parts.window.strides[0], parts.window.strides[1]), padding: .valid)
      let filter = PlanFilter(
        window: window, kernel: kernel,
        bias: bias.map { Array($0[group * width..<(group + 1) * width]) })
      return choice.operation(
        filter, precision: .f32, storage: OperationStorage(), kernels: kernels)
    }
  }

  var workerScratch: Int { inner[0].workerScratch }
  var sharedScratch: Int {
    PlanLayout.rounded(inner[0].sharedScratch) + PlanLayout.rounded(parts.partCount)
      + parts.resultCount
  }

  func run(
    photos: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    let source = scratch.shared + PlanLayout.rounded(inner[0].sharedScratch)
    let result = source + PlanLayout.rounded(parts.partCount)
    let outputCount =
      parts.window.outputPixels * parts.outputs
    for photo in 0..<photos {
      for (group, operation) in inner.enumerated() {
        parts.takeInput(group, input + photo * parts.window.inputCount, to: source)
        operation.run(
          photos: parts.phases, inputs: [UnsafePointer(source)], output: result,
          scratch: scratch)
        parts.putOutput(group, UnsafePointer(result), to: output + photo * outputCount)
      }
    }
  }
}

/// The convolution of `x` with groups of channels and a dilated window, as Keras's Conv2D.
///
/// - Parameter kernel: `[kh, kw, c / groups, o]`.
package func convolution(
  _ x: Tensor, kernel: Tensor, bias: [Float]?, strides: (Int, Int), dilation: (Int, Int),
  groups: Int, padding: Padding, kernels: KernelTable = .current
) -> Tensor {
  let call = TrainedParts(
    x: x.shape, kernel: kernel.shape, strides: strides, dilation: dilation, groups: groups,
    padding: padding)
  let (width, parts) = (kernel.shape[3] / groups, call.parts)
  let weights = split(kernel, widths: [Int](repeating: width, count: groups))
  return Tensor(shape: call.outputShape) { y in
    for group in 0..<groups {
      let result = convolution(
        call.input(x, group), kernel: weights[group],
        bias: bias.map { Array($0[group * width..<(group + 1) * width]) }, strides: strides,
        padding: .valid, kernels: kernels)
      call.forEachPhoto(result, parts.resultCount) { photo, part in
        parts.putOutput(
          group, part, to: y + photo * parts.window.outputPixels * parts.outputs)
      }
    }
  }
}

/// The gradients of `convolution` with groups and dilation for the gradient `dy` of its result.
package func convolutionGradients(
  _ dy: Tensor, x: Tensor, kernel: Tensor, strides: (Int, Int), dilation: (Int, Int),
  groups: Int, padding: Padding, wantsInput: Bool, wantsParameters: Bool,
  kernels: KernelTable = .current
) -> (input: Tensor?, kernel: ParameterGradient?, bias: Tensor?) {
  let call = TrainedParts(
    x: x.shape, kernel: kernel.shape, strides: strides, dilation: dilation, groups: groups,
    padding: padding)
  let (width, parts) = (kernel.shape[3] / groups, call.parts)
  let weights = split(kernel, widths: [Int](repeating: width, count: groups))
  let results = weights.indices.map { group in
    convolutionGradients(
      call.output(dy, group), x: call.input(x, group), kernel: weights[group],
      strides: strides, padding: .valid, wantsInput: wantsInput,
      wantsParameters: wantsParameters, kernels: kernels)
  }
  var input: Tensor?
  if wantsInput {
    input = Tensor(shape: x.shape) { dx in
      // Rows and columns that no window sees stay zero.
      dx.update(repeating: 0, count: x.count)
      for (group, result) in results.enumerated() {
        guard let own = result.input else { continue }
        call.forEachPhoto(own, parts.partCount) { photo, part in
          parts.putInput(group, part, to: dx + photo * parts.window.inputCount)
        }
      }
    }
  }
  guard wantsParameters else { return (input, nil, nil) }
  let kernelGradients = zip(weights, results).map { weight, result in
    Tensor(shape: weight.shape, scalars: result.kernel?.scalars ?? [])
  }
  return (input, .stored(concatenated(kernelGradients)), sumOverRows(dy, width: kernel.shape[3]))
}

/// The parts of a batch.
private struct TrainedParts {
  let photos: Int
  let parts: ConvolutionParts

  init(
    x: [Int], kernel: [Int], strides: (Int, Int), dilation: (Int, Int), groups: Int,
    padding: Padding
  ) {
    precondition(
      x.count == 4 && kernel.count == 4 && groups > 0 && kernel[2] * groups == x[3]
        && kernel[3] % groups == 0,
      "a kernel \(kernel) of \(groups) groups does not fit an input \(x)")
    photos = x[0]
    parts = ConvolutionParts(
      window: PlanWindow(
        input: Array(x.dropFirst()), window: (kernel[0], kernel[1]), strides: strides,
        dilation: dilation, padding: padding),
      groups: groups, outputs: kernel[3])
  }

  var outputShape: [Int] {
    [photos, parts.window.rows.outputSize, parts.window.columns.outputSize, parts.outputs]
  }

  func input(_ x: Tensor, _ group: Int) -> Tensor {
    taken(x, parts.part, parts.window.inputCount) { parts.takeInput(group, $0, to: $1) }
  }

  func output(_ dy: Tensor, _ group: Int) -> Tensor {
    taken(dy, parts.result, parts.window.outputPixels * parts.outputs) {
      parts.takeOutput(group, $0, to: $1)
    }
  }

  private func taken(
    _ x: Tensor, _ part: [Int], _ pictureCount: Int,
    _ take: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) -> Tensor {
    let count = parts.phases * part.reduce(1, *)
    return Tensor(shape: [photos * parts.phases] + part) { y in
      forEachPhoto(x, pictureCount) { photo, picture in take(picture, y + photo * count) }
    }
  }

  func forEachPhoto(_ x: Tensor, _ count: Int, _ body: (Int, UnsafePointer<Float>) -> Void) {
    x.scalars.withUnsafeBufferPointer { x in
      guard let x = x.baseAddress else { return }
      for photo in 0..<photos { body(photo, x + photo * count) }
    }
  }
}
