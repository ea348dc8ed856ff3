/// The buffers of one run of a plan: values share memory where their lives do not meet.
final class PlanArena: @unchecked Sendable {
  let photos: Int
  let workers: Int
  let scratch: PlanScratch
  /// The first photo of the chunk that runs now.
  var input: UnsafePointer<Float>?
  private let inputValue: Int
  private let offsets: [Int]
  private let memory: UnsafeMutablePointer<Float>

  init(program: PlanProgram, photos: Int, workers: Int) {
    self.photos = photos
    self.workers = workers
    inputValue = program.input
    let layout = PlanLayout(program: program, photos: photos)
    offsets = layout.offsets
    let shared = PlanLayout.rounded(
      program.steps.map { $0.operation.sharedScratch(photos: photos) }.max() ?? 0)
    let perWorker = PlanLayout.rounded(program.steps.map(\.operation.workerScratch).max() ?? 0)
    let total = layout.count + shared + perWorker * workers
    memory = UnsafeMutableRawPointer.allocate(byteCount: max(total, 1) * 4, alignment: 64)
      .bindMemory(to: Float.self, capacity: max(total, 1))
    scratch = PlanScratch(
      shared: memory + layout.count, workers: memory + layout.count + shared,
      workerStride: perWorker, workerCount: workers)
  }

  deinit { memory.deallocate() }

  func pointer(to value: Int) -> UnsafeMutablePointer<Float> {
    // Nothing writes the input: no step has it as its output.
    value == inputValue ? UnsafeMutablePointer(mutating: input!) : memory + offsets[value]
  }
}

/// Where each value of a plan lies in the arena.
struct PlanLayout {
  private(set) var offsets: [Int]
  /// Floats that all values need together.
  private(set) var count = 0

  init(program: PlanProgram, photos: Int) {
    offsets = [Int](repeating: 0, count: program.counts.count)
    let lastUse = PlanLayout.lastUses(program)
    var live: [(offset: Int, size: Int, end: Int)] = []
    for (index, step) in program.steps.enumerated() {
      live.removeAll { $0.end < index }
      let size = PlanLayout.rounded(program.counts[step.output] * photos)
      let offset = PlanLayout.firstGap(size, among: live)
      offsets[step.output] = offset
      live.append((offset, size, lastUse[step.output]))
      live.sort { $0.offset < $1.offset }
      count = max(count, offset + size)
    }
  }

  /// The next multiple of a cache line.
  static func rounded(_ floats: Int) -> Int { (floats + 15) / 16 * 16 }

  private static func lastUses(_ program: PlanProgram) -> [Int] {
    var last = [Int](repeating: -1, count: program.counts.count)
    for (index, step) in program.steps.enumerated() {
      last[step.input] = index
      last[step.output] = max(last[step.output], index)
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
