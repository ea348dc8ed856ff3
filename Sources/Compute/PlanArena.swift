/// The buffers of one run of a plan: values share memory where their lives do not meet.
final class PlanArena: @unchecked Sendable {
  let photos: Int
  let workers: Int
  /// How many photos the first segment takes side by side, see `PlanSegment.lanes`.
  let lanes: Int
  let scratch: PlanScratch
  /// What each lane has to itself.
  let laneScratch: [PlanScratch]
  /// The first photo of the chunk that runs now.
  var input: UnsafePointer<Float>?
  private let inputValue: Int
  private let layout: PlanLayout
  private let buffer: PackedBuffer

  init(program: PlanProgram, photos: Int, workers: Int) {
    self.photos = photos
    self.workers = workers
    inputValue = program.input
    let first = program.segments.first
    lanes = first?.lanes(photos: photos, workers: workers) ?? 1
    layout = PlanLayout(program: program, photos: photos, lanes: lanes)
    func shared(_ steps: ArraySlice<PlanProgram.Step>) -> Int {
      PlanLayout.rounded(steps.map(\.operation.sharedScratch).max() ?? 0)
    }
    let all = shared(program.steps[...])
    let one = lanes > 1 ? shared(program.steps[first?.steps ?? 0..<0]) : 0
    let perWorker = PlanLayout.rounded(program.steps.map(\.operation.workerScratch).max() ?? 0)
    let values = layout.count + lanes * layout.laneCount
    buffer = PackedBuffer(count: values + all + lanes * one + perWorker * workers)
    let own = buffer.floats + values + all
    let ofWorkers = own + lanes * one
    scratch = PlanScratch(
      shared: buffer.floats + values, workers: ofWorkers, workerStride: perWorker,
      workerCount: workers)
    laneScratch = (0..<(lanes > 1 ? lanes : 0)).map { lane in
      PlanScratch(
        shared: own + lane * one, workers: ofWorkers + lane * perWorker, workerStride: 0,
        workerCount: 1)
    }
  }

  /// Where `value` of photo `photo` of the chunk lies while its segment handles that photo.
  func pointer(to value: Int, photo: Int, lane: Int) -> UnsafeMutablePointer<Float> {
    // Nothing writes the input: no step has it as its output.
    let base =
      value == inputValue
      ? UnsafeMutablePointer(mutating: input!)
      : buffer.floats + layout.offset(of: value, lane: lane)
    return base + photo * layout.photoStrides[value]
  }
}

/// Where each value of a plan lies in the arena.
struct PlanLayout {
  private var offsets: [Int]
  /// Whether a value lies where each lane has its own.
  private var isInLane: [Bool]
  /// Floats between two photos of the chunk: 0 where a segment's parts reuse the same memory.
  private(set) var photoStrides: [Int]
  private var common = Space()
  private var lane = Space()

  /// Floats that all values need together, but for those of lanes.
  var count: Int { common.count }
  /// Floats that each lane needs, its memory after all that is common.
  var laneCount: Int { lane.count }

  /// - Parameter lanes: how many photos the first segment takes side by side.
  init(program: PlanProgram, photos: Int, lanes: Int) {
    offsets = [Int](repeating: 0, count: program.counts.count)
    isInLane = [Bool](repeating: false, count: program.counts.count)
    photoStrides = program.counts
    let lastUse = PlanLayout.lastUses(program)
    for segment in program.segments {
      common.free(before: segment.steps.lowerBound)
      let outputs = segment.steps.map { program.steps[$0].output }
      // What outlives the segment holds all photos, and no part of the chunk may write over what
      // an earlier part left there.
      for value in outputs where lastUse[value] >= segment.steps.upperBound {
        offsets[value] = common.place(program.counts[value] * photos, until: lastUse[value])
      }
      let hasLanes = lanes > 1 && segment.steps.lowerBound == 0
      var space = hasLanes ? lane : common
      for (index, value) in zip(segment.steps, outputs)
      where lastUse[value] < segment.steps.upperBound {
        space.free(before: index)
        photoStrides[value] = 0
        isInLane[value] = hasLanes
        if let old = program.replaced(at: index), lastUse[old] == index, photoStrides[old] == 0,
          space.keep(offsets[old], until: lastUse[value])
        {
          offsets[value] = offsets[old]
        } else {
          let part = hasLanes ? 1 : min(photos, segment.photos)
          offsets[value] = space.place(program.counts[value] * part, until: lastUse[value])
        }
      }
      if hasLanes { lane = space } else { common = space }
    }
  }

  func offset(of value: Int, lane: Int) -> Int {
    isInLane[value] ? common.count + lane * laneCount + offsets[value] : offsets[value]
  }

  /// Memory that values take for as long as they live.
  private struct Space {
    private(set) var count = 0
    private var live: [(offset: Int, size: Int, end: Int)] = []

    mutating func place(_ floats: Int, until end: Int) -> Int {
      let size = PlanLayout.rounded(floats)
      var offset = 0
      for block in live {
        if offset + size <= block.offset { break }
        offset = max(offset, block.offset + block.size)
      }
      live.append((offset, size, end))
      live.sort { $0.offset < $1.offset }
      count = max(count, offset + size)
      return offset
    }

    /// Gives back what was last used before step `index`.
    mutating func free(before index: Int) { live.removeAll { $0.end < index } }

    /// Gives the place of a value to another one; whether it is there.
    mutating func keep(_ offset: Int, until end: Int) -> Bool {
      guard let held = live.firstIndex(where: { $0.offset == offset }) else { return false }
      live[held].end = end
      return true
    }
  }

  /// The next multiple of a cache line.
  static func rounded(_ floats: Int) -> Int { (floats + 15) / 16 * 16 }

  /// The step after which each value's memory may be used again.
  private static func lastUses(_ program: PlanProgram) -> [Int] {
    var last = [Int](repeating: -1, count: program.counts.count)
    for (index, step) in program.steps.enumerated() {
      for input in step.inputs { last[input] = index }
      last[step.output] = index
    }
    for value in program.outputs { last[value] = program.steps.count }
    return last
  }
}
