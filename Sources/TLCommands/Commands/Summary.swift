import ArgumentParser
import Layers
import Training
import Weights

struct Summary: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the layers of a base or model, and which of them training would change.")

  @Option(help: "A Keras weights FILE, or a base's name: mini, vgg16, ...", completion: .baseFile)
  var base: String?

  @Option(help: "A model FILE.", completion: .file(extensions: ["h5"]))
  var model: String?

  @Option(help: "Layers to train: names, blocks (block5), globs, a,b; all; none.")
  var unfreeze: String?

  @Option(help: "The base's input size: 150, or 150x200 (height first).")
  var imageSize: ImageSize?

  @Flag(help: "Accept a base file that lacks some of its tensors.")
  var allowPartial = false

  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    guard (base == nil) != (model == nil) else {
      throw ValidationError("give either --base or --model")
    }
    if let unfreeze { _ = try layerSelection(unfreeze) }
  }

  func run() throws {
    var network = try opened()
    if let unfreeze {
      let chosen = try named(base ?? model ?? "") {
        try layerSelection(unfreeze).nodes(in: network)
      }
      network.setTrainable(chosen.union(network.headStart..<network.nodes.count))
    }
    try options.console.result("network '\(network.name)', input \(network.inputShape)")
    try options.console.result(table(network))
    for line in totals(network) { try options.console.result(line) }
  }

  private func opened() throws -> Network {
    if let model {
      let size = imageSize.map { [$0.height, $0.width, 3] }
      return try KerasModel.read(model, inputShape: size).network
    }
    return try BaseLoader.load(
      baseFile(base, options.console), height: imageSize?.height, width: imageSize?.width,
      allowPartial: allowPartial
    ).network
  }

  private func table(_ network: Network) -> TextTable {
    var table = TextTable([
      .text("layer"), .text("class"), .text("output"), .number("parameters"), .text("state"),
    ])
    for node in network.nodes {
      let state = node.hasParameters ? (node.isTrainable ? "trainable" : "frozen") : ""
      let name = (node.scope + [node.name]).joined(separator: "/")
      table.add([
        name, node.layer.className, "\(node.shape)", grouped(node.layer.parameterCount), state,
      ])
    }
    return table
  }

  private func totals(_ network: Network) -> [String] {
    let trainable = network.nodes.filter(\.isTrainable).reduce(0) { $0 + $1.layer.parameterCount }
    let total = network.parameterCount
    var lines = [
      "total parameters: \(grouped(total)) (\(megabytes(total)) MB)",
      "trainable: \(grouped(trainable)) (\(megabytes(trainable)) MB)",
      "frozen: \(grouped(total - trainable)) (\(megabytes(total - trainable)) MB)",
    ]
    if let cut = try? FreezeCut(network), trainable < total {
      lines.append("frozen prefix: up to '\(network.nodes[cut.boundary].name)'")
    }
    return lines
  }

  private func megabytes(_ parameters: Int) -> String {
    decimal(Double(parameters) * 4 / 1_048_576, 2)
  }
}

/// A whole number with its thousands set apart, as Keras prints it.
func grouped(_ number: Int) -> String {
  var groups: [Substring] = []
  var digits = Substring("\(number)")
  while digits.count > 3 {
    groups.insert(digits.suffix(3), at: 0)
    digits = digits.dropLast(3)
  }
  return ([digits] + groups).joined(separator: ",")
}
