internal import Layers

/// Turns a model that computes with pictures `[c, h, w]` (`channels_first`) into one with
/// `[h, w, c]`, layer by layer.
struct ChannelOrder {
  /// What becomes of a layer.
  enum Translation {
    /// The layer with these fields, on `[h, w, c]`.
    case same([String: JSONValue])
    /// The layer as it is, on pictures turned to `[c, h, w]` before it and back after it.
    case surrounded
  }

  /// Whether any of the model's layers has its channels first.
  let isChannelsFirst: Bool

  init(_ configuration: JSONValue) { isChannelsFirst = Self.isChannelsFirst(configuration) }

  private static func isChannelsFirst(_ entry: JSONValue) -> Bool {
    let fields = entry["config"]
    if let layers = fields?["layers"]?.array ?? fields?.array {
      return layers.contains(where: isChannelsFirst)
    }
    return fields?["data_format"]?.string == "channels_first"
      || fields?["dim_ordering"]?.string == "th"
  }

  /// The shape of an input, without the batch.
  func channelsLast(_ shape: [Int?]) -> [Int?] {
    isChannelsFirst && shape.count == 3 ? [shape[1], shape[2], shape[0]] : shape
  }

  /// - Parameter inputs: shapes without the batch, pictures `[h, w, c]`.
  func translation(
    className: String, fields: [String: JSONValue], inputs: [[Int]]
  ) -> Translation {
    guard isChannelsFirst, inputs.contains(where: { $0.count == 3 }) || makesPictures(className)
    else { return .same(fields) }
    var fields = fields
    if fields["data_format"]?.string == "channels_first" {
      fields["data_format"] = "channels_last"
      return .same(fields)
    }
    switch className {
    case "BatchNormalization", "Softmax":
      let axis = fields["axis"]
      guard axis == 1 || axis == [1] else { return .surrounded }
      fields["axis"] = -1
      return .same(fields)
    case "Concatenate":
      guard let axis = (fields["axis"] ?? -1).int, inputs.allSatisfy({ $0.count == 3 }),
        let place = [1: 3, 2: 1, 3: 2][axis < 0 ? axis + 4 : axis]
      else { return .surrounded }
      fields["axis"] = .integer(place)
      return .same(fields)
    case "Activation" where fields["activation"] != "softmax": return .same(fields)
    case "Rescaling" where fields["scale"]?.double != nil && fields["offset"]?.array == nil:
      return .same(fields)
    case "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum":
      return inputs.allSatisfy { $0.count == 3 } ? .same(fields) : .surrounded
    case _ where Self.indifferent.contains(className) || className.hasPrefix("Random"):
      return .same(fields)
    default: return .surrounded
    }
  }

  /// Layers that treat every number alike.
  private static let indifferent: Set<String> = [
    "ReLU", "LeakyReLU", "ELU", "Dropout", "GaussianNoise", "GaussianDropout", "InputLayer",
  ]

  /// What a layer is called that turns pictures to `[c, h, w]` before the named one.
  static func turningName(_ layer: String, input: Int = 0) -> String {
    "\(layer)_channels_first_\(input)"
  }

  /// Layers that can turn a row into a picture.
  private func makesPictures(_ className: String) -> Bool { className == "Reshape" }
}

extension Network {
  /// Flattens pictures as they are, `[h, w, c]`, where they were turned to `[c, h, w]` only for a
  /// `Flatten` whose numbers go to one dense layer, and brings that layer's rows into this order.
  ///
  /// - Returns: whether there was such a place.
  mutating func turnDenseRows() -> Bool {
    var isTurned = false
    while let place = nextDenseLayer {
      isTurned = true
      let picture = nodes[nodes[place.turn].inputs[0]].shape
      updateLayer(at: place.dense) { layer in
        layer.parameters[0].value = Arrangement.rowsChannelsLast(
          layer.parameters[0].value, picture)
      }
      self = bypassing(place.turn)
    }
    return isTurned
  }

  private var nextDenseLayer: (turn: Int, dense: Int)? {
    nodes.indices.lazy.compactMap { denseLayer(after: $0) }.first
  }

  /// The node that turns pictures for a `Flatten`, and the only one that takes what leaves it, a
  /// dense layer; nil where that is not so.
  private func denseLayer(after flatten: Int) -> (turn: Int, dense: Int)? {
    guard nodes[flatten].layer is Flatten, let turn = nodes[flatten].inputs.first,
      nodes[turn].name == ChannelOrder.turningName(nodes[flatten].name), users(of: turn).count == 1
    else { return nil }
    var last = flatten
    while true {
      let users = users(of: last)
      guard users.count == 1 else { return nil }
      last = users[0]
      if nodes[last].layer is Dense {
        return nodes.contains { $0.sharedWith == last } || nodes[last].sharedWith != nil
          ? nil : (turn, last)
      }
      guard ["Dropout", "GaussianDropout", "GaussianNoise"].contains(nodes[last].layer.className)
      else { return nil }
    }
  }
}
