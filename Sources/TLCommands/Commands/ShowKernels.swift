import ArgumentParser
import Drawing
import Explain
import Training

struct ShowKernels: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernels",
    abstract: "Show the first layer's kernels as pictures.",
    discussion: """
      Grey stands for 0, and the largest weight of each kernel for full or no light of its colour.
      """)

  @OptionGroup var source: NetworkOptions

  @Option(help: "The layer; default: the first convolution.")
  var layer: String?

  @Option(help: "The PNG FILE.", completion: .file(extensions: ["png"]))
  var output: String

  @OptionGroup var options: ConsoleOptions

  func run() throws {
    let console = options.console
    try OutputPlace.check(output, inputs: [source.base, source.model].compactMap { $0 })
    let opened = try source.open(console)
    if opened.preprocessing == nil {
      console.note("the order of colours is not known: red is taken to be first (--preprocess)")
    }
    let kernels = try named(opened.path) {
      try KernelSheet(opened.network, layer: layer, preprocessing: opened.preprocessing)
    }
    let sheet = PictureSheet(
      headline: "Kernels of \(opened.network.name)", grids: [kernels.grid])
    try PictureOutput.write(PictureOutput.image(sheet, "the sheet"), to: output)
    try console.result("wrote \(output): \(kernels.grid.cells.count) kernels of '\(kernels.layer)'")
  }
}
