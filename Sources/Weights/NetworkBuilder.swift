internal import Layers

/// Builds a `Network`, its parameters zero or placeholders, from what `model_config` says.
struct NetworkBuilder {
  private let path: String
  private let kerasVersion: Int
  private let order: ChannelOrder
  private var network: Network
  /// How often each of the models around the present layer was called before.
  private var calls: [Int] = []
  /// While a layer or model is used again: the nodes of its first use that are not yet repeated.
  private var repeated: [Int]?

  /// - Parameters:
  ///   - kerasVersion: as the file says; none means the first.
  ///   - inputShape: one picture's shape, in place of the model's own; needed where that leaves
  ///     lengths open.
  static func network(
    _ configuration: JSONValue, path: String, kerasVersion: String?, inputShape: [Int]?
  ) throws -> Network {
    let root = try ModelEntry(configuration, path: path)
    guard root.layers != nil else {
      throw WeightsError.unsupportedModel("a \(root.className)", path: path)
    }
    let order = ChannelOrder(configuration)
    func network(_ inputName: String, _ shape: [Int]) throws -> Network {
      var builder = NetworkBuilder(
        path: path,
        kerasVersion: kerasVersion?.split(separator: ".").first.flatMap { Int($0) } ?? 1,
        order: order, network: Network(name: root.name, inputShape: shape, inputName: inputName))
      let output = try builder.add(model: root, scope: [], input: 0, isTrainable: true)
      let network = builder.network
      return output == network.outputIndex ? network : network.ending(at: output)
    }
    guard let input = try root.declaredInput() else {
      guard let inputShape else {
        throw WeightsError.inputShapeNeeded(path: path, found: "of '\(root.name)'")
      }
      return try network(root.name + "_input", inputShape)
    }
    return try network(
      input.name,
      shape(declared: order.channelsLast(input.shape), given: inputShape, path: path))
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
    try requireKnown(entries, scope)
    if model.isSequential {
      return try entries.reduce(input) { last, entry in
        try add(entry, call: 0, scope: scope, inputs: [last], isTrainable: isTrainable)
      }
    }
    var values = [ModelTree.Source(name: try model.onlyEnd("input_layers", "inputs").name): input]
    let output = try model.onlyEnd("output_layers", "outputs")
    var waiting = entries.filter { values[.init(name: $0.name)] == nil }.flatMap { entry in
      entry.uses.indices.map { (entry: entry, call: $0) }
    }
    let shifts = try shifts(entries, output)
    /// The nodes of each entry's first call.
    var first: [String: [Int]] = [:]
    while !waiting.isEmpty {
      let before = waiting.count
      // Keras lists layers so that sources come first, but does not promise it.
      waiting = try waiting.filter { entry, call in
        let sources = try entry.sources(call: call).map { $0.shifted(by: shifts) }
        let inputs = sources.compactMap { values[$0] }
        if inputs.count < sources.count || (call > 0 && first[entry.name] == nil) { return true }
        let start = network.nodes.count
        let outer = repeated
        if call > 0, outer == nil { repeated = first[entry.name] }
        values[.init(name: entry.name, call: call)] = try add(
          entry, call: call, scope: scope, inputs: inputs, isTrainable: isTrainable)
        if call > 0, outer == nil { repeated = nil }
        if call == 0 { first[entry.name] = Array(start..<network.nodes.count) }
        return false
      }
      guard waiting.count < before else {
        throw WeightsError.badConfiguration(
          "the sources of layer '\(waiting[0].entry.name)' are not in '\(model.name)'",
          path: path)
      }
    }
    guard let result = values[output.shifted(by: shifts)] else {
      throw WeightsError.badConfiguration("its output '\(output.name)' is no layer", path: path)
    }
    return result
  }

  /// By how much the numbers of calls are too high: Keras 2 counts a nested model's own making.
  private func shifts(
    _ entries: [ModelEntry], _ output: ModelTree.Source
  ) throws -> [String: Int] {
    var highest = [output.name: output.call]
    for entry in entries {
      for source in try entry.uses.indices.flatMap({ try entry.sources(call: $0) }) {
        highest[source.name] = max(highest[source.name, default: 0], source.call)
      }
    }
    var shifts: [String: Int] = [:]
    for entry in entries {
      shifts[entry.name] = max(highest[entry.name, default: 0] - max(entry.uses.count - 1, 0), 0)
    }
    return shifts
  }

  /// Names the first layer of an unknown class before anything else can be wrong with it.
  private func requireKnown(_ entries: [ModelEntry], _ scope: [String]) throws {
    for entry in entries where entry.layers == nil {
      let className = entry.current().className
      guard LayerRegistry.isKnown(className) else {
        throw LayerError.unknownClass(
          className, layer: (scope + [entry.name]).joined(separator: "/"))
      }
    }
  }

  private mutating func add(
    _ entry: ModelEntry, call: Int, scope: [String], inputs: [Int], isTrainable: Bool
  ) throws -> Int {
    calls.append(call)
    defer { calls.removeLast() }
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
    let shapes = inputs.map { network.nodes[$0].shape }
    let isFrozen = !(isTrainable && entry.isTrainable)
    switch order.translation(className: className, fields: fields, inputs: shapes) {
    case .same(let fields):
      return try add(className, fields, after: inputs, scope, isFrozen: isFrozen)
    case .surrounded:
      var turned: [Int] = []
      for (position, input) in inputs.enumerated() {
        let name = ChannelOrder.turningName(entry.name, input: position)
        turned.append(
          network.nodes[input].shape.count == 3
            ? try turn(input, [3, 1, 2], name, scope) : input)
      }
      let result = try add(className, fields, after: turned, scope, isFrozen: isFrozen)
      return network.nodes[result].shape.count == 3
        ? try turn(result, [2, 3, 1], "\(entry.name)_channels_last", scope) : result
    }
  }

  /// Adds a layer that puts axes into another order.
  private mutating func turn(
    _ input: Int, _ axes: [JSONValue], _ name: String, _ scope: [String]
  ) throws -> Int {
    try add(
      "Permute", ["name": .string(name), "dims": .array(axes)], after: [input], scope,
      isFrozen: false)
  }

  private mutating func add(
    _ className: String, _ fields: [String: JSONValue], after inputs: [Int], _ scope: [String],
    isFrozen: Bool
  ) throws -> Int {
    do {
      var sharedWith: Int?
      if repeated?.isEmpty == false { sharedWith = repeated?.removeFirst() }
      let layer =
        try sharedWith.map { network.nodes[$0].layer }
        ?? LayerRegistry.layer(
          className: className,
          configuration: try Configuration(fields, kerasVersion: kerasVersion),
          inputShapes: inputs.map { network.nodes[$0].shape })
      let index = try network.add(
        layer, after: inputs, scope: scope, calls: calls, sharedWith: sharedWith)
      network.setTrainable(at: index, !isFrozen)
      return index
    } catch let error as LayerError {
      throw error.placed(in: scope)
    }
  }
}

extension ModelTree.Source {
  fileprivate func shifted(by shifts: [String: Int]) -> ModelTree.Source {
    ModelTree.Source(name: name, call: max(call - (shifts[name] ?? 0), 0))
  }
}
