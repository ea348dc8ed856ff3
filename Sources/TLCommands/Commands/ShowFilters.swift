import ArgumentParser
import Drawing
import Explain
import Training

struct ShowFilters: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "filters",
    abstract: "Show the pattern that each filter of a layer answers to most.",
    discussion: """
      Found by gradient ascent on the input, from noise: the picture is shifted at random before \
      each step, blurred a little after it, and grows from coarse to fine. A filter that answers \
      to nothing is crossed out.
      """)

  @OptionGroup var source: NetworkOptions

  @Option(help: "The layer whose filters are shown.")
  var layer: String

  @Option(help: "How many filters, from the first.")
  var count = 64

  @Option(help: "Steps of gradient ascent.")
  var steps = 40

  @Option(help: "Height and width of each pattern in pixels.")
  var size = 128

  @Option(help: "The seed of noise and shifts.")
  var seed: UInt64 = 0

  @Option(help: "The PNG FILE.", completion: .file(extensions: ["png"]))
  var output: String

  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    guard count > 0 else { throw ValidationError("--count must be 1 or more, found \(count)") }
    guard steps > 0 else { throw ValidationError("--steps must be 1 or more, found \(steps)") }
    guard (16...512).contains(size) else {
      throw ValidationError("--size must be 16 to 512, found \(size)")
    }
  }

  func run() throws {
    let console = options.console
    try OutputPlace.check(output, inputs: [source.base, source.model].compactMap { $0 })
    let opened = try source.open(console)
    let patterns = try named(opened.path) {
      try FilterPatterns(
        opened.network, layer: opened.network.pictureLayer(named: layer),
        preprocessing: opened.knownPreprocessing(),
        settings: PatternSettings(steps: steps, size: size, seed: seed))
    }
    let total = min(count, patterns.filterCount)
    if count > total { console.note("'\(layer)' has only \(total) filters") }
    let progress = Progress(title: "filters", total: total, unit: "filters", console: console)
    var cells: [PictureGrid.Cell] = []
    var dead = 0
    let atOnce = 8
    for start in stride(from: 0, to: total, by: atOnce) {
      try Interrupt.check()
      for pattern in patterns.patterns(Array(start..<min(start + atOnce, total))) {
        cells.append(pattern.isDead ? .dead : .picture(pattern.image))
        if pattern.isDead { dead += 1 }
      }
      progress.advance(to: cells.count)
    }
    progress.finish()
    let title = "filters 0 to \(total - 1) of \(patterns.filterCount)"
    let columns = min(8, total)
    let sheet = PictureSheet(
      headline: "What \(layer) of \(opened.network.name) answers to",
      grids: [
        PictureGrid(
          title: title + (dead > 0 ? ", \(dead) dead (crossed out)" : ""), cells: cells,
          shape: (size, size), columns: columns, width: 51 + columns * (size + 3))
      ])
    try PictureOutput.write(PictureOutput.image(sheet, "the sheet"), to: output)
    try console.result("wrote \(output): \(title) of '\(layer)', \(dead) dead")
  }
}
