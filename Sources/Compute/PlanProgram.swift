/// One operation of a plan with all that it needs prepared.
protocol PlanOperation: Sendable {
  /// How it is computed, for profiles.
  var algorithm: String { get }

  /// Multiplications that it does for each one of the definition's.
  var multiplicationShare: Double { get }

  /// The input that the output may lie in the place of: each of its numbers is read before the
  /// output's number is written there, and by no one else.
  var replacedInput: Int? { get }

  /// Floats of the kernels that it transforms to multiply by; 0 where it takes them as they are.
  var transformedCount: Int { get }

  /// Scratch floats that each worker needs.
  var workerScratch: Int { get }

  /// Scratch floats that all workers share.
  var sharedScratch: Int { get }

  /// Computes `photos` photos that lie one after the other in each of the inputs.
  func run(
    photos: Int, inputs: [UnsafePointer<Float>], output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch)
}

/// An operation on one value.
protocol UnaryPlanOperation: PlanOperation {
  func run(
    photos: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch)
}

extension UnaryPlanOperation {
  func run(
    photos: Int, inputs: [UnsafePointer<Float>], output: UnsafeMutablePointer<Float>,
    scratch: PlanScratch
  ) {
    run(photos: photos, input: inputs[0], output: output, scratch: scratch)
  }
}

extension PlanOperation {
  var multiplicationShare: Double { 1 }
  var replacedInput: Int? { nil }
  var transformedCount: Int { 0 }
  var workerScratch: Int { 0 }
  var sharedScratch: Int { 0 }
}

/// Memory that an operation may use while it runs.
struct PlanScratch: @unchecked Sendable {
  let shared: UnsafeMutablePointer<Float>
  let workers: UnsafeMutablePointer<Float>
  let workerStride: Int
  let workerCount: Int

  func worker(_ index: Int) -> UnsafeMutablePointer<Float> { workers + index * workerStride }
}

/// The steps of a plan in order, and where each value lies.
struct PlanProgram: Sendable {
  struct Step: Sendable {
    let name: String
    let operation: any PlanOperation
    let multiplyAdds: Int
    let inputs: [Int]
    let output: Int
  }

  let steps: [Step]
  let input: Int
  let inputCount: Int
  /// The value of each output, reshapes resolved.
  let outputs: [Int]
  /// Floats' places per photo of each value.
  let counts: [Int]
  let segments: [PlanSegment]
  /// Photos that go through the plan together, so that memory does not grow with the batch.
  let largestChunk = PlanSegment.largestChunk

  /// - Parameter photos: how many there will be, if that is known.
  init(
    graph: PlanGraph, kernels: KernelTable, choice: ConvolutionChoice, precision: Precision,
    photos: Int?
  ) {
    var source = Array(graph.shapes.indices)
    let stored = graph.storage(precision)
    var steps: [Step] = []
    for node in graph.nodes {
      let (operation, work) = node.prepared(
        shapes: graph.shapes, storage: stored, kernels: kernels, choice: choice,
        precision: precision, photos: photos)
      if let operation {
        steps.append(
          Step(
            name: node.name, operation: operation, multiplyAdds: work,
            inputs: node.inputs.map { source[$0] }, output: node.output))
      } else {
        source[node.output] = source[node.inputs[0]]
      }
    }
    self.steps = steps
    input = graph.input
    outputs = graph.outputs.map { source[$0] }
    counts = zip(stored, graph.shapes).map { $0.slots($1.reduce(1, *)) }
    inputCount = counts[graph.input]
    segments = PlanSegment.split(steps: steps, counts: counts)
  }

  /// The value in whose place the output of step `index` may lie, if no later step wants it.
  func replaced(at index: Int) -> Int? {
    let step = steps[index]
    guard let value = step.operation.replacedInput.map({ step.inputs[$0] }), value != input,
      step.inputs.count(where: { $0 == value }) == 1, counts[value] == counts[step.output]
    else { return nil }
    return value
  }

  /// Splits `0..<count` into ranges of nearly equal size, the largest first.
  static func chunks(of count: Int, atMost limit: Int) -> [Range<Int>] {
    chunks(of: 0..<count, atMost: limit)
  }

  /// Splits `range` into ranges of nearly equal size, the largest first.
  static func chunks(of range: Range<Int>, atMost limit: Int) -> [Range<Int>] {
    let (start, count) = (range.lowerBound, range.count)
    let parts = (count + limit - 1) / limit
    return (0..<parts).map { part in
      start + (part * count + parts - 1) / parts..<start + ((part + 1) * count + parts - 1) / parts
    }
  }

  func run(photos: Int, in arena: PlanArena, clock: PlanClock?) {
    for segment in segments {
      let isFirst = segment.steps.lowerBound == 0
      var rest = 0..<photos
      if isFirst, arena.lanes > 1, clock == nil {
        rest = photos / arena.lanes * arena.lanes..<photos
        parallelItems(rest.lowerBound, workers: arena.lanes) { lane, photo in
          for index in segment.steps {
            run(step: index, photos: photo..<photo + 1, in: arena, lane: lane)
          }
        }
      }
      let most = isFirst && arena.lanes > 1 ? 1 : segment.photos
      for part in PlanProgram.chunks(of: rest, atMost: most) {
        for index in segment.steps {
          if let clock {
            clock.measure(step: index) { run(step: index, photos: part, in: arena) }
          } else {
            run(step: index, photos: part, in: arena)
          }
        }
      }
    }
  }

  /// - Parameter lane: whose memory to use, alone; nil for all workers together.
  private func run(
    step index: Int, photos: Range<Int>, in arena: PlanArena, lane: Int? = nil
  ) {
    let step = steps[index]
    func place(of value: Int) -> UnsafeMutablePointer<Float> {
      arena.pointer(to: value, photo: photos.lowerBound, lane: lane ?? 0)
    }
    step.operation.run(
      photos: photos.count, inputs: step.inputs.map { UnsafePointer(place(of: $0)) },
      output: place(of: step.output), scratch: lane.map { arena.laneScratch[$0] } ?? arena.scratch)
  }

  func copyOutputs(of chunk: Range<Int>, from arena: PlanArena, to results: inout [[Float]]) {
    for (index, value) in outputs.enumerated() {
      let count = counts[value]
      results[index].withUnsafeMutableBufferPointer { result in
        guard let base = result.baseAddress else { return }
        (base + chunk.lowerBound * count)
          .update(from: arena.pointer(to: value, photo: 0, lane: 0), count: chunk.count * count)
      }
    }
  }
}

extension PlanNode {
  /// The operation ready to run and its multiply-adds per photo; nil where nothing is to be done.
  func prepared(
    shapes: [[Int]], storage: [Precision], kernels: KernelTable, choice: ConvolutionChoice,
    precision: Precision, photos: Int?
  ) -> (operation: (any PlanOperation)?, multiplyAdds: Int) {
    let shape = shapes[inputs[0]]
    let count = shape.reduce(1, *)
    return switch operation {
    case .convolution(let filter):
      (
        choice.operation(
          filter, precision: precision,
          storage: OperationStorage(
            input: storage[inputs[0]], addend: storage[inputs[inputs.count - 1]],
            output: storage[output]),
          kernels: kernels, photos: photos),
        filter.multiplyAdds
      )
    case .chain(let first, let second):
      (
        ConvolutionChain(
          first, second, precision: precision,
          storage: OperationStorage(input: storage[inputs[0]], output: storage[output]),
          kernels: kernels), first.multiplyAdds + second.multiplyAdds
      )
    case .depthwise(let filter):
      (PlanDepthwise(filter: filter, kernels: kernels.functions), filter.multiplyAdds)
    case .parts(let parts, let kernel, let bias):
      (
        PlanParts(parts: parts, kernel: kernel, bias: bias, choice: choice, kernels: kernels),
        parts.window.outputPixels * kernel.count
      )
    case .transposed(let kernel, let bias, let strides, let padding, let outputPadding):
      (
        PlanTransposed(
          input: shape, kernel: kernel.inOwnMemory, bias: bias, strides: strides, padding: padding,
          outputPadding: outputPadding, kernels: kernels), shape[0] * shape[1] * kernel.count
      )
    case .merge(let kind):
      (PlanMerge(kind: kind, count: count, period: shapes[inputs[1]].reduce(1, *)), 0)
    case .gather(let gather):
      (PlanGather(gather: gather), 0)
    case .bilinear(let bilinear):
      (PlanBilinear(bilinear: bilinear), 0)
    case .rowNormalization(let normalization):
      (
        PlanRowNormalization(
          normalization: normalization, rows: count / max(normalization.scale.count, 1)), 0
      )
    case .pooling(let kind, let window, let zeros):
      (
        PlanPooling(
          kind: kind, window: window, countsZeros: zeros, kernels: kernels.functions), 0
      )
    case .activation(let function):
      (PlanActivation(function: function, rowLength: shape.last ?? 1, count: count), 0)
    case .slopes(let slopes):
      (PlanSlopes(slopes: slopes), 0)
    case .scaling(let scaling):
      (PlanScaling(scaling: scaling, count: count), 0)
    case .border(let border):
      (PlanPadding(input: shape, border: border), 0)
    case .sum(let ceiling):
      (PlanSum(ceiling: ceiling, count: count), 0)
    case .concatenation(let rows):
      (
        PlanConcatenation(
          widths: inputs.map { shapes[$0].reduce(1, *) / max(rows, 1) }, rows: rows), 0
      )
    case .repetition(let times):
      (PlanRepetition(times: times, count: count), 0)
    case .responseNormalization(let window):
      (
        PlanResponseNormalization(
          window: window, width: shape.last ?? 1, rows: shape.dropLast().reduce(1, *)), 0
      )
    case .reshape:
      (nil, 0)
    }
  }
}
