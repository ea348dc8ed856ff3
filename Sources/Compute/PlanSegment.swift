/// Consecutive steps that take some photos of a chunk through all of them before the next ones.
///
/// Early layers make far more numbers per photo than a cache holds, so few photos go through them
/// at a time; late layers read many weights per photo, so many photos share one reading. Only the
/// first segment of a plan takes a chunk in several parts, so it alone comes back to its first
/// step.
struct PlanSegment: Sendable, Equatable {
  let steps: Range<Int>
  /// Photos at a time, at most.
  let photos: Int
  /// Bytes of a photo that one step takes and makes, at most; 0 where they do not matter.
  let photoBytes: Int

  /// Photos that the last segment takes at a time.
  static let largestChunk = 32
  /// Bytes per photo from which on a value counts as large.
  private static let largeValue = 1 << 20
  /// What a step's transformed kernels may take, in sizes of its large value, before it is better to
  /// give them many photos: 4 % of VGG16's time at 224 pixels.
  private static let kernelsPerValue = 10
  /// Bytes that inputs and outputs of a step may take together where values are large.
  private static let largeStep = 16 << 20
  /// What they take at least if each worker has a photo of its own: smaller ones go faster several
  /// at a time.
  private static let leastLane = 2 << 20
  /// What those of all workers may take then: they must fit the last cache.
  private static let largeLanes = 24 << 20
  /// Photos for each worker from which on it gets its own.
  private static let lanePhotos = 4

  /// Cuts after the last step whose result is large, and not its kernels much larger still.
  ///
  /// - Parameter counts: floats per photo of each value.
  static func split(steps: [PlanProgram.Step], counts: [Int]) -> [PlanSegment] {
    let size = MemoryLayout<Float>.stride
    let last = steps.lastIndex { step in
      counts[step.output] * size > largeValue
        && step.operation.transformedCount < kernelsPerValue * counts[step.output]
    }
    let cut = last.map { $0 + 1 } ?? 0
    // The step after the cut makes the large value small: it belongs to the first segment.
    let end = cut == 0 ? 0 : min(cut + 1, steps.count)
    let largest =
      steps[..<end].map { step in
        (step.inputs + [step.output]).reduce(0) { $0 + counts[$1] } * size
      }.max() ?? 1
    let first = PlanSegment(
      steps: 0..<end, photos: max(1, min(largeStep / max(largest, 1), largestChunk)),
      photoBytes: largest)
    let second = PlanSegment(steps: end..<steps.count, photos: largestChunk, photoBytes: 0)
    return [first, second].filter { !$0.steps.isEmpty }
  }

  /// How many photos go through the steps side by side, each on a thread of its own: 1 where the
  /// threads rather share one, as they do for few photos.
  ///
  /// It saves waiting for each other after every step, 1 to 3 % of VGG16's time at 224 pixels on
  /// two cores.
  func lanes(photos: Int, workers: Int) -> Int {
    photos >= workers * PlanSegment.lanePhotos
      && photoBytes >= PlanSegment.leastLane
      && photoBytes * workers <= PlanSegment.largeLanes ? workers : 1
  }
}
