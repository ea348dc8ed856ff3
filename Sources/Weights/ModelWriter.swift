internal import Compute
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
    compilation: Compilation? = nil, type: NumberType = .float32
  ) throws {
    try type.check(network)
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
        try KerasSpelling.write(tree, to: attributes)
        try LegacyWriter(group: try root.createGroup("model_weights"), type: type.hdf5)
          .write(tree)
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

  /// Writes Keras's `.weights.h5`, which Keras loads into the same network; the name must end so.
  ///
  /// Configuration and extras ride along where Keras does not look.
  package static func writeObjectWeights(
    _ network: Network, to path: String, extras: ModelExtras = ModelExtras(),
    type: NumberType = .float32
  ) throws {
    try type.check(network)
    let tree = try ModelTree(network)
    try AtomicFile.write(path) { temporary in
      try create(temporary) { root in
        try KerasSpelling.write(tree, to: root.attributes)
        try root.attributes.set(
          ModelExtras.configurationName, string: try JSONText.text(tree.configuration))
        try extras.write(to: root.attributes)
        try ObjectWriter(root: root, type: type.hdf5).write(tree)
      }
    }
  }

  /// Makes a new HDF5 file.
  static func create(_ path: String, _ body: (HDF5Group) throws -> Void) throws {
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

/// What a file says of its writer.
enum KerasSpelling {
  /// Layout and configuration are those of Keras 2.15, which 3 reads too; unless a function's name
  /// means something else there.
  static func version(of tree: ModelTree) -> String {
    let isKeras3 = tree.layers.contains { _, node in
      node.layer.function == .hardSigmoid(slope: 1 / 6)
    }
    return isKeras3 ? "3.0.0" : "2.15.0"
  }

  static func write(_ tree: ModelTree, to attributes: HDF5Attributes) throws {
    try attributes.set("keras_version", string: version(of: tree))
    try attributes.set("backend", string: "tensorflow")
  }
}
