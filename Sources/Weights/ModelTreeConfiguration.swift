internal import Layers

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
      [Self.placed(input, name: inputName, calls: [])]
      + parts.map { Self.placed(Self.configuration(of: $0), name: $0.name, calls: $0.calls) }
    // Flat lists of ends: with a list of lists Keras 3 would make the model's output a list.
    return Self.entry(
      "Functional",
      [
        "name": .string(name), "trainable": true, "layers": .array(layers),
        "input_layers": [.string(inputName), 0, 0],
        "output_layers": [.string(output.name), .integer(output.call), 0],
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
      // A field of Keras 3 that Keras 2 refuses, where it says nothing new.
      if node.layer is RandomAugmentation, fields["data_format"] == "channels_last" {
        fields["data_format"] = nil
      }
      // Keras 3's SpatialDropout2D, alone of all, does not take the flag.
      if !(node.layer is SpatialDropout2D) { fields["trainable"] = .bool(node.isTrainable) }
      fields["dtype"] = "float32"
      return entry(node.layer.className, fields)
    }
  }

  private static func entry(_ className: String, _ fields: [String: JSONValue]) -> JSONValue {
    ["class_name": .string(className), "config": .object(fields)]
  }

  /// An entry with its place in a functional model, in the form of Keras 2, which 3 reads too.
  private static func placed(
    _ entry: JSONValue, name: String, calls: [[Source]]
  ) -> JSONValue {
    var fields = entry.object ?? [:]
    fields["name"] = .string(name)
    fields["inbound_nodes"] = .array(
      calls.map { inputs in
        .array(inputs.map { [.string($0.name), .integer($0.call), 0, [:]] })
      })
    return .object(fields)
  }
}

extension ModelTree {
  /// The configuration as `.keras` archives have it, where every class comes with its module.
  var archiveConfiguration: JSONValue { Self.withModules(configuration) }

  private static func withModules(_ entry: JSONValue) -> JSONValue {
    guard var fields = entry.object, let className = entry["class_name"]?.string,
      var config = entry["config"]?.object
    else { return entry }
    let layers = config["layers"]?.array
    if let layers { config["layers"] = .array(layers.map(withModules)) }
    fields["config"] = .object(config)
    // `Functional` lies elsewhere in Keras 2 and 3 and has no public name; `Model` makes it in both.
    fields["class_name"] = className == "Functional" ? "Model" : .string(className)
    fields["module"] = layers == nil ? "keras.layers" : "keras"
    fields["registered_name"] = .null
    return .object(fields)
  }
}
