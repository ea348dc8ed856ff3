internal import Foundation
internal import Layers

/// What layers a file or a network has, counted and named in words.
struct Contents {
  private enum Kind: String, CaseIterable {
    case convolution, normalization, other = "other layer", dense = "dense layer"
  }

  private var names: [Kind: [String]] = [:]
  private var last: Kind?
  private var lastWidth = 0

  init(_ layers: [(name: String, tensors: [(parameter: String?, shape: [Int])])]) {
    for (name, tensors) in layers where !tensors.isEmpty {
      let kind = Self.kind(of: tensors)
      names[kind, default: []].append(name)
      last = kind
      lastWidth = tensors.first { $0.shape.count == 2 }?.shape[1] ?? 0
    }
  }

  init(_ network: Network) {
    self.init(
      network.nodes.map { node in
        (node.name, node.layer.parameters.map { ($0.name, $0.value.shape) })
      })
  }

  private static func kind(of tensors: [(parameter: String?, shape: [Int])]) -> Kind {
    if tensors.contains(where: { $0.parameter?.hasPrefix("moving_") ?? false }) {
      return .normalization
    }
    if tensors.contains(where: { $0.shape.count == 4 }) { return .convolution }
    return tensors.contains { $0.shape.count == 2 } ? .dense : .other
  }

  /// Such as `13 convolutions named block1_conv1 ... block5_conv3, a classifier of 4 classes`.
  var sentence: String {
    let parts = Kind.allCases.compactMap { kind -> String? in
      guard let names = names[kind] else { return nil }
      let list =
        names.count <= 3
        ? names.joined(separator: ", ") : "\(names[0]) ... \(names[names.count - 1])"
      if kind == .dense, last == .dense {
        let size = lastWidth == 1 ? "one sigmoid unit" : "\(lastWidth) classes"
        return "a classifier of \(size) (\(list))"
      }
      return "\(names.count) \(kind.rawValue)\(names.count == 1 ? "" : "s") named \(list)"
    }
    return parts.isEmpty ? "no layers with tensors" : parts.joined(separator: ", ")
  }
}

extension KerasFile {
  /// What layers the file holds, such as
  /// `13 convolutions named block1_conv1 ... block5_conv3, a classifier of 4 classes (...)`.
  package var contents: String {
    // Keras stores what is trained first within a nested model: names tell the order better.
    let nested = layers.filter { !$0.scope.isEmpty }.sorted {
      $0.path.compare($1.path, options: .numeric) == .orderedAscending
    }
    let all = nested + layers.filter { $0.scope.isEmpty }
    return Contents(all.map { ($0.name, $0.tensors.map { ($0.parameter, $0.shape) }) }).sentence
  }

  /// Sentences that say what the file is, for people.
  package var summary: [String] {
    var lines = [kind + writer]
    if format == .notKeras { return lines }
    lines.append("It holds \(contents).")
    if let kernels = kernelSentence { lines.append(kernels) }
    lines += typeSentences
    let nested = Set(layers.flatMap { $0.scope.prefix(1) }).sorted()
    if !nested.isEmpty {
      lines.append("Nested models: \(nested.joined(separator: ", ")).")
    }
    if let configuration { lines += ModelFlags(configuration).sentences }
    if hasOptimizerState { lines.append("The state of an optimizer is there; it is not used.") }
    return lines
  }

  private var kind: String {
    switch format {
    case .legacyWeights: "Keras weights (legacy HDF5 layout)"
    case .fullModel: "A full Keras model (legacy HDF5 layout)"
    case .objectWeights:
      "Keras 3 weights ('.weights.h5' layout\(countsTwice ? " of TensorFlow 2.12 and 2.13" : ""))"
    case .archive: "A full Keras model (a '.keras' archive)"
    case .safetensors: "A safetensors file"
    case .unnamedLayers: "Weights from before Keras 1.1, without layer names"
    case .notKeras: "Not a Keras file."
    }
  }

  private var writer: String {
    switch format {
    case .notKeras: return ""
    case .objectWeights, .unnamedLayers, .safetensors: return "."
    default: break
    }
    let version = kerasVersion.map { "by Keras \($0)" } ?? "by Keras 1 (it names no version)"
    return ", written \(version)\(backend.map { " on \($0)" } ?? "")."
  }

  private var kernelSentence: String? {
    guard layers.contains(where: { $0.tensors.contains { $0.shape.count == 4 } }) else {
      return nil
    }
    return "Kernels are \(kernels.order.summary)\(kernels.reason.map { ": \($0)" } ?? "")."
  }

  /// What numbers there are, and in which layers nobody knows whose they are.
  private var typeSentences: [String] {
    let types = Dictionary(grouping: layers.flatMap(\.tensors), by: \.type)
    let counts = types.sorted { $0.key < $1.key }.map { "\($0.value.count) of \($0.key)" }
    var lines = counts.isEmpty ? [] : ["Tensors: \(counts.joined(separator: ", "))."]
    if isNameless { lines.append("Its layers have no names, only places.") }
    return lines
  }
}

/// What a model's configuration says of training, found by walking it.
struct ModelFlags {
  private var trainable = 0
  private var frozen = 0
  private var isChannelsFirst = false
  /// The layers that change photos at random in Keras's training.
  private var random: [String] = []
  /// The types other than float32 that layers compute in.
  private(set) var otherTypes: [String] = []

  init(_ configuration: JSONValue) { add(configuration, isTrainable: true) }

  private mutating func add(_ entry: JSONValue, isTrainable: Bool) {
    let fields = entry["config"]
    let isTrainable = isTrainable && fields?["trainable"]?.bool ?? true
    if let layers = fields?["layers"]?.array ?? fields?.array {
      for layer in layers { add(layer, isTrainable: isTrainable) }
      return
    }
    if isTrainable { trainable += 1 } else { frozen += 1 }
    let className = entry["class_name"]?.string ?? ""
    if RandomAugmentation.classNames.contains(className) {
      random.append("'\(fields?["name"]?.string ?? className)'")
    }
    if fields?["data_format"]?.string == "channels_first"
      || fields?["dim_ordering"]?.string == "th"
    {
      isChannelsFirst = true
    }
    let type = fields?["dtype"]
    if let name = type?.string ?? type?["config"]?["name"]?.string, name != "float32",
      !otherTypes.contains(name)
    {
      otherTypes.append(name)
    }
  }

  var sentences: [String] {
    var lines: [String] = []
    if frozen > 0 {
      lines.append("\(frozen) of its \(frozen + trainable) layers are marked as not trainable.")
    }
    return lines + notes
  }

  /// What is done otherwise than Keras would.
  var notes: [String] {
    var notes = otherTypes.map { "Keras computes some layers in \($0); here all are float32." }
    if isChannelsFirst {
      notes.append(
        "Keras has the channels first in this model; here it computes with channels last, and is "
          + "written so.")
    }
    if !random.isEmpty {
      notes.append(
        "The random changes of \(random.joined(separator: ", ")) are left out, in training too.")
    }
    return notes
  }
}
