/// A tensor of the graph that is being built.
struct GraphValue {
  let name: String
  /// As in Keras: without the batch axis, pictures `[height, width, channels]`.
  let shape: [Int]
  /// Whether it is a picture that lies as ONNX's operators want it: `[n, channels, height, width]`.
  let isChannelsFirst: Bool

  var isPicture: Bool { shape.count == 3 }

  /// Another name for what has the same shape and order.
  func renamed(_ name: String) -> GraphValue {
    GraphValue(name: name, shape: shape, isChannelsFirst: isChannelsFirst)
  }
}

/// A setting of an operator.
enum OperatorSetting {
  case int(String, Int)
  case ints(String, [Int])
  case float(String, Double)
  case string(String, String)
}
