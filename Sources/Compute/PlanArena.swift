/// The buffers of one run of a plan: values share memory where their lives do not meet.
final class PlanArena: @unchecked Sendable {
  let photos: Int
  let workers: Int
  let scratch: PlanScratch
  /// The first photo of the chunk that runs now.
  var input: UnsafePointer<Float>?
  private let inputValue: Int
  private let offsets: [Int]
  private let photoStrides: [Int]
  private let buffer: PackedBuffer

  init(program: PlanProgram, photos: Int, workers: Int) {
    self.photos = photos
    self.workers = workers
    inputValue = program.input
    let layout = PlanLayout(program: program, photos: photos)
    offsets = layout.offsets
    photoStrides = layout.photoStrides
    let shared = PlanLayout.rounded(program.steps.map(\.operation.sharedScratch).max() ?? 0)
    let perWorker = PlanLayout.rounded(program.steps.map(\.operation.workerScratch).max() ?? 0)
    buffer = PackedBuffer(count: layout.count + shared + perWorker * workers)
    scratch = PlanScratch(
      shared: buffer.floats + layout.count, workers: buffer.floats + layout.count + shared,
      workerStride: perWorker, workerCount: workers)
  }

  /// Where `value` of photo `photo` of the chunk lies while its segment handles that photo.
  func pointer(to value: Int, photo: Int) -> UnsafeMutablePointer<Float> {
    // Nothing writes the input: no step has it as its output.
    let base =
      value == inputValue ? UnsafeMutablePointer(mutating: input!) : buffer.floats + offsets[value]
    return base + photo * photoStrides[value]
  }
}

/// Where each value of a plan lies in the arena.
struct PlanLayout {
  private(set) var offsets: [Int]
  /// Floats between two photos of the chunk: 0 where a segment's parts reuse the same memory.
  private(set) var photoStrides: [Int]
  /// Floats that all values need together.
  private(set) var count = 0

  init(program: PlanProgram, photos: Int) {
    offsets = [Int](repeating: 0, count: program.counts.count)
    photoStrides = program.counts
    let lastUse = PlanLayout.lastUses(program)
    var live: [(offset: Int, size: Int, end: Int)] = []
    func place(_ value: Int, photos: Int) {
      let size = PlanLayout.rounded(program.counts[value] * photos)
      offsets[value] = PlanLayout.firstGap(size, among: live)
      live.append((offsets[value], size, lastUse[value]))
      live.sort { $0.offset < $1.offset }
      count = max(count, offsets[value] + size)
    }
    for segment in program.segments {
      live.removeAll { $0.end < segment.steps.lowerBound }
      let outputs = segment.steps.map { program.steps[$0].output }
      // What outlives the segment holds all photos, and no part of the chunk may write over what
      // an earlier part left there.
      for value in outputs where lastUse[value] >= segment.steps.upperBound {
        place(value, photos: photos)
      }
      for (index, value) in zip(segment.steps, outputs)
      where lastUse[value] < segment.steps.upperBound {
        live.removeAll { $0.end < index }
        photoStrides[value] = 0
        if let old = program.replaced(at: index), lastUse[old] == index, photoStrides[old] == 0,
          let held = live.firstIndex(where: { $0.offset == offsets[old] })
        {
          offsets[value] = offsets[old]
          live[held].end = lastUse[value]
        } else {
          place(value, photos: min(photos, segment.photos))
        }
      }
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

  private static func firstGap(
    _ size: Int, among live: [(offset: Int, size: Int, end: Int)]
  ) -> Int {
    var offset = 0
    for block in live {
      if offset + size <= block.offset { break }
      offset = max(offset, block.offset + block.size)
    }
    return offset
  }
}
