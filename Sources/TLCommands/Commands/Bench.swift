import ArgumentParser
import Compute
import Foundation
import Training

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
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

  @Flag(help: "Print JSON instead of text.")
  var json = false

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
      allowPartial: baseOptions.allowPartial, kernelOrder: baseOptions.kernels.kernelOrder,
      mapped: true)
    console.note("base: \(base.summary)")
    for note in base.report.notes { console.note(note) }
    let plan = base.network.plan(
      outputs: [base.network.outputIndex], precision: precision.chosen(console))
    var random = SeededRandom(seed: 1)
    let photos = Tensor(
      shape: [batchSize] + plan.inputShape,
      scalars: (0..<batchSize * plan.inputShape.reduce(1, *)).map { _ in random.uniform() })
    let size = ImageSize(height: plan.inputShape[0], width: plan.inputShape[1])
    _ = plan.run(photos)
    let times = (0..<rounds).map { _ in milliseconds { _ = plan.run(photos) } }.sorted()
    let steps = profile ? steps(plan, photos) : nil
    if json {
      let report = BenchReport(
        base: base.name, imageSize: [size.height, size.width], batchSize: batchSize,
        precision: "\(precision.precision)", kernels: KernelReport.line,
        photosPerSecond: Double(batchSize) / times[rounds / 2] * 1e3,
        bestPhotosPerSecond: Double(batchSize) / times[0] * 1e3,
        millisecondsPerBatch: times[rounds / 2],
        productLimit: profile ? KernelReport.productLimit() : nil, steps: steps)
      return try console.write(JSONText.encode(report, isPretty: true) + "\n")
    }
    try console.result(
      "\(base.name), \(size) px, batches of \(batchSize), \(precision.precision); "
        + KernelReport.line)
    let median = times[rounds / 2]
    try console.result(
      "\(decimal(Double(batchSize) / median * 1e3, 1)) photos/s "
        + "(best \(decimal(Double(batchSize) / times[0] * 1e3, 1))), "
        + "\(decimal(median, 1)) ms a batch")
    if let steps { try console.result(table(steps)) }
  }

  /// What every step takes, each the best of the rounds.
  private func steps(_ plan: InferencePlan, _ photos: Tensor) -> [BenchReport.Step] {
    let profiles = (0..<rounds).map { _ in plan.profile(photos) }
    return profiles[0].indices.map { index in
      let step = profiles[0][index]
      let times = profiles.map { $0[index].milliseconds }
      return BenchReport.Step(
        name: step.name, algorithm: step.algorithm, milliseconds: times.min() ?? 0,
        operations: step.floatingPointOperations, doneOperations: step.doneOperations)
    }
  }

  /// One row per step and one for all.
  private func table(_ steps: [BenchReport.Step]) -> TextTable {
    let limit = KernelReport.productLimit()
    var table = TextTable([
      .text("step"), .text("algorithm"), .number("ms"), .number("share"), .number("GFLOP/s"),
      .number("of \(decimal(limit, 0)) GFLOP/s"),
    ])
    let total = steps.reduce(0) { $0 + $1.milliseconds }
    let all = BenchReport.Step(
      name: "all", algorithm: "", milliseconds: total,
      operations: steps.reduce(0) { $0 + $1.operations },
      doneOperations: steps.reduce(0) { $0 + $1.doneOperations })
    for step in steps + [all] {
      let share = Double(step.doneOperations) / step.milliseconds * 1e-6 / limit
      let speed = Double(step.operations) / step.milliseconds * 1e-6
      table.add([
        step.name, step.algorithm, decimal(step.milliseconds, 2),
        percent(step.milliseconds / total), step.operations == 0 ? "" : decimal(speed, 0),
        step.operations == 0 ? "" : percent(share),
      ])
    }
    return table
  }

  private func percent(_ share: Double) -> String { decimal(share * 100, 1) + " %" }

  private func milliseconds(_ body: () -> Void) -> Double {
    let elapsed = ContinuousClock().measure(body).components
    return (Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18) * 1e3
  }
}

/// What `tl bench --json` prints; times in milliseconds, work in floating-point operations.
private struct BenchReport: Encodable {
  let base: String
  let imageSize: [Int]
  let batchSize: Int
  let precision: String
  let kernels: String
  let photosPerSecond: Double
  let bestPhotosPerSecond: Double
  let millisecondsPerBatch: Double
  /// What products reach at most here, in GFLOP/s; only with --profile.
  let productLimit: Double?
  let steps: [Step]?

  struct Step: Encodable {
    let name: String
    let algorithm: String
    let milliseconds: Double
    /// By the definition of the layer.
    let operations: Int
    /// Those really done: Winograd does fewer.
    let doneOperations: Int

    enum CodingKeys: String, CodingKey {
      case name, algorithm, milliseconds, operations
      case doneOperations = "done_operations"
    }
  }

  enum CodingKeys: String, CodingKey {
    case base, precision, kernels, steps
    case imageSize = "image_size"
    case batchSize = "batch_size"
    case photosPerSecond = "photos_per_second"
    case bestPhotosPerSecond = "best_photos_per_second"
    case millisecondsPerBatch = "milliseconds_per_batch"
    case productLimit = "product_limit"
  }
}
