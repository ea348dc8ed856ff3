internal import HDF5
package import Layers

/// With what a model is compiled, so that Keras can go on training it.
package struct Compilation: Sendable, Equatable {
  /// Keras's class name, such as `RMSprop`.
  package var optimizer: String
  package var learningRate: Double
  /// Such as `binary_crossentropy`.
  package var loss: String

  package init(optimizer: String, learningRate: Double, loss: String) {
    self.optimizer = optimizer
    self.learningRate = learningRate
    self.loss = loss
  }

  fileprivate var configuration: JSONValue {
    [
      "loss": .string(loss), "metrics": ["accuracy"], "weighted_metrics": .null,
      "loss_weights": .null,
      "optimizer_config": [
        "class_name": .string(optimizer),
        "config": ["learning_rate": .number(learningRate)],
      ],
    ]
  }
}

extension KerasModel {
  /// Writes a full model that Keras 2 and 3 load: configuration, tensors and extras.
  ///
  /// Nodes with a scope become nested models. The file is written beside `path` and then renamed;
  /// on any error nothing is left behind and a file that was at `path` stays.
  package static func write(
    _ network: Network, to path: String, extras: ModelExtras = ModelExtras(),
    compilation: Compilation? = nil
  ) throws {
    let tree = try ModelTree(network)
    try AtomicFile.write(path) { temporary in
      try create(temporary) { root in
        let attributes = root.attributes
        try attributes.set("model_config", string: try JSONText.text(tree.configuration))
        if let compilation {
          try attributes.set(
            "training_config", string: try JSONText.text(compilation.configuration))
        }
        try extras.write(to: attributes)
        try KerasSpelling.write(to: attributes)
        try LegacyWriter(group: try root.createGroup("model_weights")).write(tree)
      }
    }
  }

  /// Writes the tensors alone, in the spelling of Keras 2.
  ///
  /// - Parameter isHalf: whether numbers are rounded to float16, of which Keras, and
  ///   `WeightLoader`, make float32 again; the file takes half the room.
  package static func writeWeights(
    _ network: Network, to path: String, isHalf: Bool = false
  ) throws {
    let tree = try ModelTree(network)
    try AtomicFile.write(path) { temporary in
      try create(temporary) {
        try LegacyWriter(group: $0, type: isHalf ? .float16 : .float32).write(tree)
      }
    }
  }

  private static func create(_ path: String, _ body: (HDF5Group) throws -> Void) throws {
    let file = try HDF5File.create(path)
    do {
      try body(try file.root)
    } catch {
      try? file.close()
      throw error
    }
    try file.close()
  }
}

extension ModelTree {
  /// The model in Keras's configuration: a Sequential where a chain allows it.
  var configuration: JSONValue {
    guard isChain else { return functional }
    let layers = [input] + parts.map(Self.configuration)
    return Self.entry("Sequential", ["name": .string(name), "layers": .array(layers)])
  }

  /// The same as a functional model, which nested ones always are.
  private var functional: JSONValue {
    let layers =
      [Self.placed(input, name: inputName, inputs: [])]
      + parts.map { Self.placed(Self.configuration(of: $0), name: $0.name, inputs: $0.inputs) }
    // Flat lists of ends: with a list of lists Keras 3 would make the model's output a list.
    return Self.entry(
      "Functional",
      [
        "name": .string(name), "trainable": true, "layers": .array(layers),
        "input_layers": [.string(inputName), 0, 0],
        "output_layers": [.string(outputName), 0, 0],
      ])
  }

  private var input: JSONValue {
    Self.entry("InputLayer", InputLayer(name: inputName, shape: inputShape).configuration)
  }

  private static func configuration(of part: Part) -> JSONValue {
    switch part.content {
    case .model(let tree): return tree.functional
    case .layer(let node):
      var fields = node.layer.configuration
      fields["trainable"] = .bool(node.isTrainable)
      fields["dtype"] = "float32"
      return entry(node.layer.className, fields)
    }
  }

  private static func entry(_ className: String, _ fields: [String: JSONValue]) -> JSONValue {
    ["class_name": .string(className), "config": .object(fields)]
  }

  /// An entry with its place in a functional model, in the form of Keras 2, which 3 reads too.
  private static func placed(_ entry: JSONValue, name: String, inputs: [String]) -> JSONValue {
    var fields = entry.object ?? [:]
    fields["name"] = .string(name)
    let references = inputs.map { input -> JSONValue in [.string(input), 0, 0, [:]] }
    fields["inbound_nodes"] = inputs.isEmpty ? [] : [.array(references)]
    return .object(fields)
  }
}

/// What a file says of its writer.
enum KerasSpelling {
  static func write(to attributes: HDF5Attributes) throws {
    // The layout and the configuration are those of this version.
    try attributes.set("keras_version", string: "2.15.0")
    try attributes.set("backend", string: "tensorflow")
  }
}
