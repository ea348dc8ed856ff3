internal import Layers

/// An entry of a Keras model's configuration: a layer or a nested model.
struct ModelEntry {
  let className: String
  let name: String
  /// What `get_config` gave; empty for Keras 1's Sequential, which is a bare list.
  let fields: [String: JSONValue]
  /// The layers of a model, nil for a layer.
  let layers: [JSONValue]?
  /// How the entry is used in a functional model, one element a use.
  let uses: [JSONValue]
  let isTrainable: Bool
  /// Where Keras 3 defines the class.
  private let module: String?
  /// The file, for errors.
  let path: String

  /// What classes of Keras 1, and classes of Keras 2 under other names, are called now.
  private static let renamed = [
    "Convolution2D": "Conv2D", "Deconvolution2D": "Conv2DTranspose",
    "AtrousConvolution2D": "Conv2D", "SeparableConvolution2D": "SeparableConv2D",
    "Convolution2DTranspose": "Conv2DTranspose", "BatchNormalizationV1": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization", "MaxPool2D": "MaxPooling2D",
    "AvgPool2D": "AveragePooling2D", "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
  ]

  private static let modelClasses: Set<String> = ["Sequential", "Functional", "Model"]

  init(_ value: JSONValue, path: String) throws(WeightsError) {
    guard let className = value["class_name"]?.string, let config = value["config"] else {
      throw .badConfiguration("an entry has no 'class_name' and 'config'", path: path)
    }
    self.className = className
    self.path = path
    module = value["module"]?.string
    fields = config.object ?? [:]
    let isModel = Self.modelClasses.contains(className)
    layers = isModel ? config.array ?? fields["layers"]?.array : nil
    guard !isModel || layers != nil else {
      throw .badConfiguration("a \(className) has no list of layers", path: path)
    }
    name = fields["name"]?.string ?? value["name"]?.string ?? className.lowercased()
    uses = value["inbound_nodes"]?.array ?? []
    isTrainable = fields["trainable"]?.bool ?? true
  }

  var isSequential: Bool { className == "Sequential" }

  /// The entries of a model.
  func entries() throws(WeightsError) -> [ModelEntry] {
    var result: [ModelEntry] = []
    for layer in layers ?? [] { result.append(try ModelEntry(layer, path: path)) }
    return result
  }

  /// The only input or output of a functional model; `field` says which.
  func onlyEnd(_ field: String, _ what: String) throws(WeightsError) -> ModelTree.Source {
    guard let names = Self.references(fields[field]), !names.isEmpty else {
      throw .badConfiguration("'\(name)' has no usable '\(field)'", path: path)
    }
    guard names.count == 1 else {
      throw .unsupportedModel("\(names.count) \(what) of '\(name)'", path: path)
    }
    return names[0]
  }

  /// The calls whose outputs one call of this entry takes, in order.
  func sources(call: Int) throws(WeightsError) -> [ModelTree.Source] {
    let use = uses[call]
    if use.object != nil { return try keras3Sources(use) }
    let references = use.array?.first?.string == nil ? use.array ?? [] : [use]
    for reference in references {
      try check(arguments: reference.array?.dropFirst(3).first?.object ?? [:])
    }
    guard let names = Self.references(use), !names.isEmpty else {
      throw .badConfiguration("'\(name)' has no usable 'inbound_nodes'", path: path)
    }
    return names
  }

  private func keras3Sources(_ use: JSONValue) throws(WeightsError) -> [ModelTree.Source] {
    try check(arguments: use["kwargs"]?.object ?? [:])
    let names = Self.tensors(use["args"] ?? .null)
    guard !names.isEmpty else {
      throw .badConfiguration("'\(name)' has no usable 'inbound_nodes'", path: path)
    }
    return names
  }

  /// A base is often called with `training=False`, which is all that can be done here.
  private func check(arguments: [String: JSONValue]) throws(WeightsError) {
    for (argument, value) in arguments.sorted(by: { $0.key < $1.key }) {
      if value == .null || (argument == "training" && value == false) { continue }
      throw .unsupportedModel("layer '\(name)' called with '\(argument)'", path: path)
    }
  }

  /// The calls in `["a", 0, 0]` or `[["a", 0, 0], ["b", 1, 0, {}]]`, nil for anything else.
  private static func references(_ value: JSONValue?) -> [ModelTree.Source]? {
    guard let list = value?.array, !list.isEmpty else { return nil }
    if let name = list[0].string { return source(name, list) }
    var names: [ModelTree.Source] = []
    for element in list {
      guard let inner = references(element) else { return nil }
      names += inner
    }
    return names
  }

  private static func tensors(_ value: JSONValue) -> [ModelTree.Source] {
    if let list = value.array { return list.flatMap(tensors) }
    guard value["class_name"]?.string == "__keras_tensor__",
      let list = value["config"]?["keras_history"]?.array, let name = list.first?.string
    else { return [] }
    return source(name, list) ?? []
  }

  /// `["a", 1, 0]`: the first output of the second call of a; nil for other outputs.
  private static func source(_ name: String, _ list: [JSONValue]) -> [ModelTree.Source]? {
    guard (list.dropFirst(2).first?.int ?? 0) == 0 else { return nil }
    return [ModelTree.Source(name: name, call: max(list.dropFirst().first?.int ?? 0, 0))]
  }

  /// The input that a model or a Sequential's first layer declares: a name and the lengths of the
  /// axes without the batch, nil for any length.
  func declaredInput() throws(WeightsError) -> (name: String, shape: [Int?])? {
    let own = ["batch_shape", "batch_input_shape", "build_input_shape"]
      .compactMap { fields[$0]?.array }.first?.dropFirst().map(\.int)
    guard layers != nil else {
      return own.map { (className == "InputLayer" ? name : name + "_input", $0) }
    }
    let entries = try entries()
    let first: ModelEntry?
    if isSequential {
      first = entries.first
    } else {
      let input = try onlyEnd("input_layers", "inputs").name
      first = entries.first { $0.name == input }
    }
    return try first?.declaredInput() ?? own.map { (name + "_input", $0) }
  }

  /// Class and fields as Keras 2 and 3 have them, translated from Keras 1 where needed.
  func current() -> (className: String, fields: [String: JSONValue]) {
    var fields = fields
    fields["name"] = .string(name)
    func rename(_ old: String, _ new: String) {
      if fields[new] == nil, let value = fields[old] { fields[new] = value }
    }
    rename("nb_filter", "filters")
    rename("output_dim", "units")
    rename("border_mode", "padding")
    rename("subsample", "strides")
    rename("bias", "use_bias")
    rename("atrous_rate", "dilation_rate")
    if fields["kernel_size"] == nil, let rows = fields["nb_row"], let columns = fields["nb_col"] {
      fields["kernel_size"] = .array([rows, columns])
    }
    if fields["data_format"] == nil, let order = fields["dim_ordering"]?.string {
      fields["data_format"] = .string(order == "th" ? "channels_first" : "channels_last")
    }
    // Keras 3 saves computations without a layer, such as `x + 1`, as operations.
    let isOperation = module?.contains(".ops.") == true
    return (isOperation ? "ops." + className : Self.renamed[className] ?? className, fields)
  }
}
