import ArgumentParser
import Drawing
import Explain
import Images
import Layers
import Training

struct ShowActivations: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "activations",
    abstract: "Show what layers make of a photo, channel by channel.",
    discussion: """
      Each channel is brought to one mean and contrast, as in the book; one that is the same \
      number everywhere is dead for this photo and crossed out. Without --layer the last layer of \
      each block is shown.
      """)

  enum Every: String, ExpressibleByArgument, CaseIterable {
    case block
  }

  @Argument(help: "The photo.", completion: .file())
  var photo: String

  @OptionGroup var source: NetworkOptions

  @Option(help: "Layers to show: names, blocks (block5), globs, a,b.")
  var layer: String?

  @Option(help: "Show the last layer of every block, before its pooling.")
  var every: Every?

  @Option(help: "Show only so many channels of each layer, from the first.")
  var channels: Int?

  @Option(help: "The PNG FILE with all layers.", completion: .file(extensions: ["png"]))
  var output: String?

  @Option(
    help: "An HTML FILE with all layers, from edges to concepts.",
    completion: .file(extensions: ["html"]))
  var html: String?

  @OptionGroup var format: JSONOption
  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    guard output != nil || html != nil else {
      throw ValidationError("give --output (a PNG file), --html (a page) or both")
    }
    guard layer == nil || every == nil else {
      throw ValidationError("give either --layer or --every")
    }
    guard channels ?? 1 > 0 else {
      throw ValidationError("--channels must be 1 or more, found \(channels ?? 1)")
    }
  }

  func run() throws {
    let console = options.console
    let inputs = [photo, source.base, source.model].compactMap { $0 }
    for path in [output, html].compactMap({ $0 }) { try OutputPlace.check(path, inputs: inputs) }
    let opened = try source.open(console)
    let loader = try opened.loader()
    let network = opened.network
    let nodes = try named(opened.path) {
      try layer.map { try network.pictureLayers($0) } ?? network.blocks
    }
    let loaded = try loadedPhoto(photo, loader)
    console.note("photo: \(loader.summary)")
    let found = LayerActivations.of(network, nodes: nodes, photo: loader.tensor(of: [loaded]))
    if let output {
      let sheet = PictureSheet(
        headline: "\(photo) in \(network.name)", grids: found.map { $0.grid(limit: channels) })
      try PictureOutput.write(PictureOutput.image(sheet, "the sheet"), to: output)
    }
    if let html {
      try PictureOutput.write(
        page(found, network, try loader.original(Photo(path: photo, relativePath: photo)), loaded),
        to: html)
    }
    try report(found)
  }

  private func report(_ found: [LayerActivations]) throws {
    let rows = found.map {
      Row(layer: $0.layer, output: [$0.height, $0.width, $0.channels], dead: $0.dead)
    }
    let console = options.console
    try format.print(rows, on: console) {
      var table = TextTable([.text("layer"), .text("output"), .number("dead channels")])
      for row in rows { table.add([row.layer, "\(row.output)", "\(row.dead.count)"]) }
      try console.result(table)
      for path in [output, html].compactMap({ $0 }) { try console.result("wrote \(path)") }
    }
  }

  /// What is printed of a layer: its output's shape and its dead channels.
  private struct Row: Encodable {
    let layer: String
    let output, dead: [Int]
  }

  private func page(
    _ found: [LayerActivations], _ network: Network, _ original: RGBImage, _ loaded: LoadedPhoto
  ) throws -> HTMLPage {
    var page = HTMLPage(title: "What \(network.name) sees in \(photo)")
    page.paragraph(
      """
      Layers near the photo answer to edges, colours and textures and keep almost all of it; \
      deeper ones answer to parts and whole things, show ever less of what the photo looks like \
      and ever more of what is in it, and more of their channels stay dark.
      """)
    try page.picture(original, caption: "The photo, \(original.height) × \(original.width)")
    try page.picture(
      loaded.image,
      caption: "What the network gets, \(loaded.image.height) × \(loaded.image.width)")
    var rows = [["layer", "height × width", "channels", "dead here"]]
    for layer in found {
      rows.append([
        layer.layer, "\(layer.height) × \(layer.width)", "\(layer.channels)",
        "\(layer.dead.count)",
      ])
    }
    page.table(rows)
    for layer in found {
      page.heading(layer.layer)
      let grid = layer.grid(limit: channels)
      let image = try PictureOutput.image(
        PictureSheet(headline: "", grids: [grid]), "the sheet of '\(layer.layer)'")
      try page.picture(image, caption: grid.title, leastWidth: 720)
    }
    return page
  }
}

/// Loads the one photo that a command works on; its error names it.
func loadedPhoto(_ path: String, _ loader: PhotoLoader) throws -> LoadedPhoto {
  do throws(ImagesError) {
    return try loader.load(Photo(path: path, relativePath: path))
  } catch {
    throw TrainingError.badPhoto(path, reason: error.description)
  }
}
