import Synchronization

/// A value inside an `InferencePlan` while it is being built.
package struct PlanValue: Hashable, Sendable {
  package let index: Int
}

/// What a pooling window keeps of the pixels inside it.
package enum PoolingKind: String, Sendable {
  /// The largest value; padding never wins.
  case max
  /// The mean of the pixels inside the picture; padding is not counted, as in Keras.
  case average
}

/// A network for inference only, with weights laid out once and buffers reused.
///
/// Made by `InferencePlanBuilder`. Results are the same to the bit whatever the batch size and
/// the number of threads are, on one instruction set. Several threads may call `run` at once.
package final class InferencePlan: Sendable {
  /// One photo's shape, without the batch axis.
  package let inputShape: [Int]
  /// The shapes of the outputs for one photo, without the batch axis.
  package let outputShapes: [[Int]]
  private let program: PlanProgram
  private let arenas = Mutex<[PlanArena]>([])

  init(program: PlanProgram, inputShape: [Int], outputShapes: [[Int]]) {
    self.program = program
    self.inputShape = inputShape
    self.outputShapes = outputShapes
  }

  /// Computes the outputs of every photo.
  ///
  /// - Parameter batch: `[n] + inputShape`.
  /// - Returns: one tensor per output, `[n]` + its shape.
  package func run(_ batch: Tensor) -> [Tensor] {
    run(batch, clock: nil)
  }

  /// Runs the plan and tells what each step took; the numbers are sums over the batch.
  package func profile(_ batch: Tensor) -> [StepProfile] {
    let clock = PlanClock(stepCount: program.steps.count)
    _ = run(batch, clock: clock)
    return zip(program.steps, clock.seconds).map { step, seconds in
      let operations = 2 * step.multiplyAdds * batch.shape[0]
      return StepProfile(
        name: step.name, algorithm: step.operation.algorithm, milliseconds: seconds * 1e3,
        floatingPointOperations: operations,
        doneOperations: Int(Double(operations) * step.operation.multiplicationShare))
    }
  }

  private func run(_ batch: Tensor, clock: PlanClock?) -> [Tensor] {
    precondition(
      Array(batch.shape.dropFirst()) == inputShape && !batch.shape.isEmpty,
      "a batch must have shape [n] + \(inputShape) but has \(batch.shape)")
    let photoCount = batch.shape[0]
    var results = outputShapes.map { shape in
      [Float](repeating: 0, count: photoCount * shape.reduce(1, *))
    }
    let chunks = PlanProgram.chunks(of: photoCount, atMost: program.largestChunk)
    if let largest = chunks.first?.count {
      let arena = takeArena(photos: largest)
      batch.scalars.withUnsafeBufferPointer { input in
        for chunk in chunks {
          arena.input = input.baseAddress! + chunk.lowerBound * program.inputCount
          program.run(photos: chunk.count, in: arena, clock: clock)
          program.copyOutputs(of: chunk, from: arena, to: &results)
        }
      }
      arenas.withLock { $0.append(arena) }
    }
    return zip(outputShapes, results).map { Tensor(shape: [photoCount] + $0, scalars: $1) }
  }

  private func takeArena(photos: Int) -> PlanArena {
    let workers = Threads.count
    let kept = arenas.withLock { arenas -> PlanArena? in
      let fitting = arenas.firstIndex { $0.photos >= photos && $0.workers >= workers }
      if let fitting { return arenas.remove(at: fitting) }
      arenas.removeAll()
      return nil
    }
    return kept ?? PlanArena(program: program, photos: photos, workers: workers)
  }
}

/// What one step of a plan took for one batch.
package struct StepProfile: Sendable {
  package let name: String
  /// How the step is computed, such as `direct` or `winograd 4x4`.
  package let algorithm: String
  package let milliseconds: Double
  /// Multiplications and additions that the definition of the step needs, whatever the algorithm.
  package let floatingPointOperations: Int
  /// Those of its products that the algorithm really does.
  package let doneOperations: Int
}

/// Adds up the seconds that each step takes.
final class PlanClock {
  private(set) var seconds: [Double]

  init(stepCount: Int) { seconds = [Double](repeating: 0, count: stepCount) }

  func measure(step: Int, _ body: () -> Void) {
    let elapsed = ContinuousClock().measure(body).components
    seconds[step] += Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
  }
}
