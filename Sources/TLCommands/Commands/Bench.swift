import ArgumentParser
import Compute
import Foundation
import Training

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time a base on made-up photos, and show where its time goes.",
    discussion: """
      The base runs as the frozen part of every command does. Photos a second are the median of
      the rounds. With --profile a table tells of each step how it is computed, its time, its
      speed in GFLOP/s by the definition of the layer, and the share of this machine's limit that
      its products reach: Winograd does fewer of them than the definition asks for. The limit is
      what the same inner loop reaches on numbers that never leave the nearest cache.
      """)

  @OptionGroup var baseOptions: BaseOptions

  @Option(help: "The base's input size: 150, or 150x200 (height first); default: its own.")
  var imageSize: ImageSize?

  @Option(help: "Photos that go through the base together.")
  var batchSize = 20

  @Option(help: "How often it is timed.")
  var rounds = 10

  @OptionGroup var precision: PrecisionOptions

  @Flag(help: "Show a line for each step.")
  var profile = false

  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    guard (1...4096).contains(batchSize) else {
      throw ValidationError("--batch-size must be 1 to 4096 but is \(batchSize)")
    }
    guard (1...1000).contains(rounds) else {
      throw ValidationError("--rounds must be 1 to 1000 but is \(rounds)")
    }
  }

  func run() throws {
    let console = options.console
    let base = try BaseLoader.load(
      baseFile(baseOptions.base, console), height: imageSize?.height, width: imageSize?.width,
      allowPartial: baseOptions.allowPartial)
    console.note("base: \(base.summary)")
    let plan = base.network.plan(
      outputs: [base.network.outputIndex], precision: precision.chosen(console))
    var random = SeededRandom(seed: 1)
    let photos = Tensor(
      shape: [batchSize] + plan.inputShape,
      scalars: (0..<batchSize * plan.inputShape.reduce(1, *)).map { _ in random.uniform() })
    let size = ImageSize(height: plan.inputShape[0], width: plan.inputShape[1])
    _ = plan.run(photos)
    try console.result(
      "\(base.name), \(size) px, batches of \(batchSize), \(precision.precision); "
        + KernelReport.line)
    let times = (0..<rounds).map { _ in milliseconds { _ = plan.run(photos) } }.sorted()
    let median = times[rounds / 2]
    try console.result(
      "\(decimal(Double(batchSize) / median * 1e3, 1)) photos/s "
        + "(best \(decimal(Double(batchSize) / times[0] * 1e3, 1))), "
        + "\(decimal(median, 1)) ms a batch")
    if profile { try console.result(table(plan, photos)) }
  }

  /// One row per step, each the best of the rounds.
  private func table(_ plan: InferencePlan, _ photos: Tensor) -> TextTable {
    let limit = KernelReport.productLimit()
    var table = TextTable([
      .text("step"), .text("algorithm"), .number("ms"), .number("share"), .number("GFLOP/s"),
      .number("of \(decimal(limit, 0)) GFLOP/s"),
    ])
    let profiles = (0..<rounds).map { _ in plan.profile(photos) }
    let best = profiles[0].indices.map { step in profiles.map { $0[step].milliseconds }.min()! }
    let total = best.reduce(0, +)
    func add(_ name: String, _ algorithm: String, _ time: Double, _ work: Int, _ done: Int) {
      let share = Double(done) / time * 1e-6 / limit
      table.add([
        name, algorithm, decimal(time, 2), percent(time / total),
        work == 0 ? "" : decimal(Double(work) / time * 1e-6, 0), work == 0 ? "" : percent(share),
      ])
    }
    for (step, time) in zip(profiles[0], best) {
      add(step.name, step.algorithm, time, step.floatingPointOperations, step.doneOperations)
    }
    add(
      "all", "", total, profiles[0].map(\.floatingPointOperations).reduce(0, +),
      profiles[0].map(\.doneOperations).reduce(0, +))
    return table
  }

  private func percent(_ share: Double) -> String { decimal(share * 100, 1) + " %" }

  private func milliseconds(_ body: () -> Void) -> Double {
    let elapsed = ContinuousClock().measure(body).components
    return (Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18) * 1e3
  }
}
