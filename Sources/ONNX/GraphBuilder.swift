internal import Compute
internal import Foundation
internal import Weights

/// Puts a graph together, operator by operator.
///
/// Pictures enter as Keras has them, `[n, height, width, channels]`, are turned once for the first
/// operator that needs channels first, and are turned back where an order matters: for `Flatten`,
/// for what works along the channels as the last axis, and at the output.
struct GraphBuilder {
  private(set) var graph = Onnx_GraphProto()
  /// The bytes of all tensors so far.
  private(set) var tensorBytes = 0
  private let type: NumberType
  private var names = Set<String>()
  private var turned: [String: GraphValue] = [:]

  init(type: NumberType) { self.type = type }

  /// Keeps a name for later, so that no layer of that name takes it.
  mutating func reserve(_ name: String) { names.insert(name) }

  /// Declares what goes in or comes out: a batch of any length of `shape`.
  static func declaration(
    _ name: String, shape: [Int], documentation: String
  ) -> Onnx_ValueInfoProto {
    var declaration = Onnx_ValueInfoProto()
    declaration.name = name
    declaration.docString = documentation
    var tensor = Onnx_TypeProto.Tensor()
    tensor.elemType = Int32(Onnx_TensorProto.DataType.float.rawValue)
    var batch = Onnx_TensorShapeProto.Dimension()
    batch.dimParam = "batch"
    tensor.shape.dim =
      [batch]
      + shape.map { length in
        var dimension = Onnx_TensorShapeProto.Dimension()
        dimension.dimValue = Int64(length)
        return dimension
      }
    declaration.type.tensorType = tensor
    return declaration
  }

  /// The graph's input as a value.
  mutating func input(_ name: String, shape: [Int], documentation: String) -> GraphValue {
    graph.input.append(Self.declaration(name, shape: shape, documentation: documentation))
    return GraphValue(name: unused(name), shape: shape, isChannelsFirst: false)
  }

  /// Ends the graph with `value` under a name that was reserved.
  mutating func output(_ name: String, _ value: GraphValue, documentation: String) {
    let last = channelsLast(value)
    names.remove(name)
    add("Identity", [last.name], name: name)
    graph.output.append(
      Self.declaration(name, shape: last.shape, documentation: documentation))
  }

  /// Adds an operator of one output and returns the output's name, which begins with `name`.
  @discardableResult
  mutating func add(
    _ type: String, _ inputs: [String], _ settings: [OperatorSetting] = [], name: String
  ) -> String {
    var node = Onnx_NodeProto()
    node.opType = type
    node.input = inputs
    node.name = unused(name)
    node.output = [node.name]
    node.attribute = settings.map(Self.attribute)
    graph.node.append(node)
    return node.name
  }

  /// Adds a tensor that is known beforehand and returns its name.
  ///
  /// Where numbers are stored as float16, the graph makes them float32 when it is loaded.
  mutating func constant(_ value: Tensor, name: String) -> String {
    let name = unused(name)
    var tensor = Onnx_TensorProto()
    tensor.name = type == .float32 ? name : name + "/float16"
    tensor.dims = value.shape.map { Int64($0) }
    let stored: Onnx_TensorProto.DataType = type == .float32 ? .float : .float16
    tensor.dataType = Int32(stored.rawValue)
    tensor.rawData = Data(type.littleEndianBytes(of: value, 0..<value.count))
    tensorBytes += tensor.rawData.count
    graph.initializer.append(tensor)
    guard type == .float16 else { return name }
    var cast = Onnx_NodeProto()
    cast.opType = "Cast"
    (cast.name, cast.input, cast.output) = (name, [tensor.name], [name])
    cast.attribute = [Self.attribute(.int("to", Onnx_TensorProto.DataType.float.rawValue))]
    graph.node.append(cast)
    return name
  }

  /// Adds whole numbers, such as a shape.
  mutating func constant(_ numbers: [Int], name: String) -> String {
    var tensor = Onnx_TensorProto()
    tensor.name = unused(name)
    tensor.dims = [Int64(numbers.count)]
    tensor.dataType = Int32(Onnx_TensorProto.DataType.int64.rawValue)
    tensor.rawData = Data(
      numbers.flatMap { number in
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
      })
    graph.initializer.append(tensor)
    return tensor.name
  }

  /// The value as `[n, channels, height, width]` if it is a picture.
  mutating func channelsFirst(_ value: GraphValue) -> GraphValue {
    guard value.isPicture, !value.isChannelsFirst else { return value }
    return turned(value, order: [0, 3, 1, 2], isChannelsFirst: true)
  }

  /// The value as Keras has it.
  mutating func channelsLast(_ value: GraphValue) -> GraphValue {
    guard value.isChannelsFirst else { return value }
    return turned(value, order: [0, 2, 3, 1], isChannelsFirst: false)
  }

  private mutating func turned(
    _ value: GraphValue, order: [Int], isChannelsFirst: Bool
  ) -> GraphValue {
    if let known = turned[value.name] { return known }
    let name = add(
      "Transpose", [value.name], [.ints("perm", order)],
      name: value.name + (isChannelsFirst ? "/channels_first" : "/channels_last"))
    let result = GraphValue(name: name, shape: value.shape, isChannelsFirst: isChannelsFirst)
    turned[value.name] = result
    turned[name] = value
    return result
  }

  private mutating func unused(_ name: String) -> String {
    var (free, count) = (name, 1)
    while !names.insert(free).inserted {
      count += 1
      free = "\(name)_\(count)"
    }
    return free
  }

  private static func attribute(_ setting: OperatorSetting) -> Onnx_AttributeProto {
    var attribute = Onnx_AttributeProto()
    switch setting {
    case .int(let name, let value):
      (attribute.name, attribute.type, attribute.i) = (name, .int, Int64(value))
    case .ints(let name, let values):
      (attribute.name, attribute.type) = (name, .ints)
      attribute.ints = values.map { Int64($0) }
    case .float(let name, let value):
      (attribute.name, attribute.type, attribute.f) = (name, .float, Float(value))
    case .string(let name, let value):
      (attribute.name, attribute.type, attribute.s) = (name, .string, Data(value.utf8))
    }
    return attribute
  }
}
