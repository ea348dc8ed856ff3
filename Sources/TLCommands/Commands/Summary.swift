import ArgumentParser
import Layers
import Training
import Weights

struct Summary: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "summary",
    abstract: "Show the layers of a base or model, and which of them training would change.",
    discussion: """
      --unfreeze and --freeze mean what they do in `tl fine-tune`: a layer's name, a block or \
      prefix, a glob, from:NAME, last:N, head, all, none; several with commas. Without them each \
      layer is shown as it is in the file.
      """)

  @Option(
    help: "A Keras weights FILE, or a base's name: mini (default), vgg16, ...",
    completion: .baseFile)
  var base: String?

  @Option(help: "A model FILE.", completion: .modelFile)
  var model: String?

  @OptionGroup var freezing: FreezingOptions

  @Option(help: "The base's input size: 150, or 150x200 (height first).")
  var imageSize: ImageSize?

  @Flag(help: "Accept a base file that lacks some of its tensors.")
  var allowPartial = false

  @OptionGroup var kernels: KernelOptions

  @Flag(help: "Print JSON instead of a table.")
  var json = false

  @OptionGroup var options: ConsoleOptions

  func validate() throws {
    guard base == nil || model == nil else {
      throw ValidationError("give either --base or --model")
    }
  }

  func run() throws {
    let console = options.console
    var network = try opened(console)
    if freezing.isGiven {
      let chosen = try named(base ?? model ?? "mini") { try freezing.layers().nodes(in: network) }
      network.setTrainable(chosen)
    }
    if json {
      let report = SummaryReport(network)
      return try console.write(JSONText.encode(report, isPretty: true) + "\n")
    }
    try console.result("network '\(network.name)', input \(network.inputShape)")
    try console.result(table(network))
    for line in totals(network) { try console.result(line) }
  }

  private func opened(_ console: Console) throws -> Network {
    guard let model else {
      let loaded = try BaseLoader.load(
        baseFile(base, console), height: imageSize?.height, width: imageSize?.width,
        allowPartial: allowPartial, kernelOrder: kernels.kernelOrder)
      for note in loaded.report.notes { console.note(note) }
      return loaded.network
    }
    let stored = try KerasModel.read(
      model, inputShape: imageSize.map { [$0.height, $0.width, 3] })
    for note in stored.report.notes { console.note(note) }
    var network = stored.network
    if let head = stored.extras.head.flatMap({ network.index(named: $0) }), head > 0 {
      network.declareHead(from: head)
    }
    return network
  }

  private func table(_ network: Network) -> TextTable {
    var table = TextTable([
      .text("layer"), .text("class"), .text("output"), .number("parameters"), .text("state"),
    ])
    for node in network.nodes {
      let state =
        !node.hasParameters ? "" : node.trainableCount > 0 ? "trainable" : "frozen"
      let name = (node.scope + [node.name]).joined(separator: "/")
      table.add([
        name, node.layer.className, "\(node.shape)", grouped(node.layer.parameterCount), state,
      ])
    }
    return table
  }

  private func totals(_ network: Network) -> [String] {
    let (trainable, total) = (network.trainableCount, network.parameterCount)
    let statistics = network.nodes.filter(\.isTrainable).reduce(0) {
      $0 + $1.layer.parameterCount - $1.trainableCount
    }
    var lines = [
      "total parameters: \(grouped(total)) (\(megabytes(total)) MB)",
      "trainable parameters: \(grouped(trainable)) (\(megabytes(trainable)) MB)",
      "non-trainable parameters: \(grouped(total - trainable)) "
        + "(\(megabytes(total - trainable)) MB)",
    ]
    if statistics > 0 {
      lines.append("of those, \(grouped(statistics)) are statistics of trainable normalisations")
    }
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

/// What `tl summary --json` prints.
private struct SummaryReport: Encodable {
  struct Layer: Encodable {
    let name: String
    let className: String
    let output: [Int]
    let parameters: Int
    let trainable: Int

    enum CodingKeys: String, CodingKey {
      case name, output, parameters, trainable
      case className = "class_name"
    }
  }

  let name: String
  let input: [Int]
  let layers: [Layer]
  let parameters: Int
  let trainable: Int
  /// The last layer of the frozen prefix; nil where all is trainable.
  let frozenUpTo: String?

  enum CodingKeys: String, CodingKey {
    case name, input, layers, parameters, trainable
    case frozenUpTo = "frozen_up_to"
  }

  init(_ network: Network) {
    (name, input) = (network.name, network.inputShape)
    layers = network.nodes.map { node in
      Layer(
        name: (node.scope + [node.name]).joined(separator: "/"), className: node.layer.className,
        output: node.shape, parameters: node.layer.parameterCount,
        trainable: node.trainableCount)
    }
    (parameters, trainable) = (network.parameterCount, network.trainableCount)
    let cut = trainable < parameters ? try? FreezeCut(network) : nil
    frozenUpTo = cut.map { network.nodes[$0.boundary].name }
  }
}
