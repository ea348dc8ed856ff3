internal import HDF5
internal import Layers

/// What layers a file or a network has, counted and named in words.
struct Contents {
  private var convolutions: [String] = []
  private var normalizations: [String] = []
  private var dense: [String] = []
  private var others: [String] = []
  private var classes: Int?

  init(_ layers: [(name: String, tensors: [(parameter: String?, shape: [Int])])]) {
    for (name, tensors) in layers where !tensors.isEmpty {
      let shapes = tensors.map(\.shape)
      if tensors.contains(where: { $0.parameter?.hasPrefix("moving_") ?? false }) {
        normalizations.append(name)
      } else if shapes.contains(where: { $0.count == 4 }) {
        convolutions.append(name)
      } else if let kernel = shapes.first(where: { $0.count == 2 }) {
        dense.append(name)
        classes = kernel[1]
      } else {
        others.append(name)
      }
    }
  }

  init(_ network: Network) {
    self.init(
      network.nodes.map { node in
        (node.name, node.layer.parameters.map { ($0.name, $0.value.shape) })
      })
  }

  /// Such as `13 convolutions named block1_conv1 ... block5_conv3, a classifier of 4 classes`.
  var sentence: String {
    var parts = [
      Self.counted(convolutions, "convolution"), Self.counted(normalizations, "normalization"),
      Self.counted(others, "other layer"),
    ].compactMap { $0 }
    if let classes {
      let size = classes == 1 ? "one sigmoid unit" : "\(classes) classes"
      parts.append("a classifier of \(size) (\(Self.abridged(dense)))")
    }
    return parts.isEmpty ? "no layers with tensors" : parts.joined(separator: ", ")
  }

  private static func counted(_ names: [String], _ what: String) -> String? {
    if names.isEmpty { return nil }
    return "\(names.count) \(what)\(names.count == 1 ? "" : "s") named \(abridged(names))"
  }

  private static func abridged(_ names: [String]) -> String {
    names.count <= 3
      ? names.joined(separator: ", ") : "\(names[0]) ... \(names[names.count - 1])"
  }
}

extension KerasFile {
  /// What layers the file holds, such as
  /// `13 convolutions named block1_conv1 ... block5_conv3, a classifier of 4 classes (...)`.
  package var contents: String {
    Contents(layers.map { ($0.name, $0.tensors.map { ($0.parameter, $0.shape) }) }).sentence
  }

  /// Sentences that say what the file is, for people.
  package var summary: [String] {
    var lines = [kind + writer]
    if format == .notKeras { return lines }
    if let kernels = suspectedTheano { lines.append(kernels) }
    lines.append("It holds \(contents).")
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
    case .objectWeights: "Keras 3 weights ('.weights.h5' layout)"
    case .unnamedLayers: "Weights from before Keras 1.1, without layer names"
    case .notKeras: "Not a Keras file."
    }
  }

  private var writer: String {
    switch format {
    case .notKeras: return ""
    case .objectWeights, .unnamedLayers: return "."
    default: break
    }
    let version = kerasVersion.map { "by Keras \($0)" } ?? "by Keras 1 (it names no version)"
    return ", written \(version)\(backend.map { " on \($0)" } ?? "")."
  }

  private var suspectedTheano: String? {
    if backend == "theano" {
      return "Theano wrote it: kernels of convolutions are turned by 180 degrees when read."
    }
    let name = path.split(separator: "/").last.map { String($0) } ?? path
    guard name.contains("_th_") else { return nil }
    return "Its name says Theano order (th): kernels are [out, in, height, width] or turned."
  }
}

/// What a model's configuration says of training, found by walking it.
struct ModelFlags {
  private var trainable = 0
  private var frozen = 0
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
    otherTypes.map { "Keras computes some layers in \($0); here all are float32." }
  }
}
