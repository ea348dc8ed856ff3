internal import Layers

/// Builds a `Network`, its parameters zero, from what `model_config` says.
struct NetworkBuilder {
  private let path: String
  private var network: Network

  /// - Parameter inputShape: one picture's shape, in place of the model's own; needed where that
  ///   leaves lengths open.
  static func network(
    _ configuration: JSONValue, path: String, inputShape: [Int]?
  ) throws -> Network {
    let root = try ModelEntry(configuration, path: path)
    guard root.layers != nil else {
      throw WeightsError.unsupportedModel("a \(root.className)", path: path)
    }
    guard let input = try root.declaredInput() else {
      guard let inputShape else {
        throw WeightsError.inputShapeNeeded(path: path, found: "of '\(root.name)'")
      }
      return try network(root, inputName: root.name + "_input", inputShape)
    }
    return try network(
      root, inputName: input.name, shape(declared: input.shape, given: inputShape, path: path))
  }

  private static func network(
    _ root: ModelEntry, inputName: String, _ shape: [Int]
  ) throws -> Network {
    var builder = NetworkBuilder(
      path: root.path,
      network: Network(name: root.name, inputShape: shape, inputName: inputName))
    let output = try builder.add(model: root, scope: [], input: 0, isTrainable: true)
    let network = builder.network
    return output == network.outputIndex ? network : network.ending(at: output)
  }

  private static func shape(
    declared: [Int?], given: [Int]?, path: String
  ) throws(WeightsError) -> [Int] {
    let text = "[" + declared.map { $0.map { "\($0)" } ?? "any" }.joined(separator: ", ") + "]"
    guard let given else {
      let fixed = declared.compactMap { $0 }
      guard fixed.count == declared.count else {
        throw .inputShapeNeeded(path: path, found: text)
      }
      guard fixed.allSatisfy({ $0 > 0 }) else {
        throw .badConfiguration("its input \(text) is empty", path: path)
      }
      return fixed
    }
    // Height and width may be other than the model's; the number of axes and the channels not.
    let fits = given.count == declared.count && (declared.last ?? nil) ?? given.last == given.last
    guard fits, given.allSatisfy({ $0 > 0 }) else {
      throw .wrongInputShape(path: path, expected: text, found: given)
    }
    return given
  }

  /// Adds a model's layers after node `input` and returns the node of its output.
  private mutating func add(
    model: ModelEntry, scope: [String], input: Int, isTrainable: Bool
  ) throws -> Int {
    let isTrainable = isTrainable && model.isTrainable
    let entries = try model.entries()
    if model.isSequential {
      return try entries.reduce(input) { last, entry in
        try add(entry, scope: scope, inputs: [last], isTrainable: isTrainable)
      }
    }
    var values = [try model.onlyEnd("input_layers", "inputs"): input]
    let output = try model.onlyEnd("output_layers", "outputs")
    var waiting = entries.filter { values[$0.name] == nil }
    while !waiting.isEmpty {
      let before = waiting.count
      // Keras lists layers so that sources come first, but does not promise it.
      waiting = try waiting.filter { entry in
        let sources = try entry.sources()
        let inputs = sources.compactMap { values[$0] }
        if inputs.count < sources.count { return true }
        values[entry.name] = try add(
          entry, scope: scope, inputs: inputs, isTrainable: isTrainable)
        return false
      }
      guard waiting.count < before else {
        throw WeightsError.badConfiguration(
          "the sources of layer '\(waiting[0].name)' are not in '\(model.name)'", path: path)
      }
    }
    guard let result = values[output] else {
      throw WeightsError.badConfiguration("its output '\(output)' is no layer", path: path)
    }
    return result
  }

  private mutating func add(
    _ entry: ModelEntry, scope: [String], inputs: [Int], isTrainable: Bool
  ) throws -> Int {
    if entry.layers != nil {
      guard inputs.count == 1 else {
        throw WeightsError.unsupportedModel("\(inputs.count) inputs of '\(entry.name)'", path: path)
      }
      return try add(
        model: entry, scope: scope + [entry.name], input: inputs[0], isTrainable: isTrainable)
    }
    // An InputLayer within a model only names what comes in.
    if entry.className == "InputLayer" { return inputs[0] }
    let (className, fields) = entry.current()
    let layer = try LayerRegistry.layer(
      className: className, configuration: try Configuration(fields),
      inputShapes: inputs.map { network.nodes[$0].shape })
    let index = try network.add(layer, after: inputs, scope: scope)
    network.setTrainable(at: index, isTrainable && entry.isTrainable)
    return index
  }
}
