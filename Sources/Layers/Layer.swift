// Layers holds what a network is made of: the layers with forward and backward side by side, and
// the graph that joins them. It knows nothing of files, photos or named architectures.
package import Compute

/// One named tensor of a layer.
package struct Parameter: Sendable {
  /// Keras's short name, such as `kernel` or `bias`.
  package let name: String
  package var value: Tensor
  /// False for what training never changes by gradient (moving statistics).
  package let isTrainable: Bool

  package init(_ name: String, _ value: Tensor, isTrainable: Bool = true) {
    self.name = name
    self.value = value
    self.isTrainable = isTrainable
  }

  /// How many numbers there are, also before they are set.
  package var count: Int { value.shape.reduce(1, *) }
}

/// What a layer's training pass gives: its output, and what `backward` will want besides.
package struct LayerOutput: Sendable {
  package let value: Tensor
  /// What came before the layer's activation, where that is wanted.
  package let saved: Tensor?
  /// Anything else, as the layer likes it.
  package let kept: [Tensor]

  package init(_ value: Tensor, saved: Tensor? = nil, kept: [Tensor] = []) {
    self.value = value
    self.saved = saved
    self.kept = kept
  }
}

/// Which gradients a backward pass must compute.
package struct WantedGradients: Sendable {
  package let inputs: Bool
  package let parameters: Bool

  package init(inputs: Bool, parameters: Bool) {
    self.inputs = inputs
    self.parameters = parameters
  }
}

/// The gradients of one layer; an empty list stands for what was not wanted.
package struct LayerGradients: Sendable {
  package let inputs: [Tensor]
  package let parameters: [ParameterGradient]

  package init(inputs: [Tensor] = [], parameters: [ParameterGradient] = []) {
    self.inputs = inputs
    self.parameters = parameters
  }
}

/// A step of a network: it turns input tensors `[n, ...]` into one output tensor `[n, ...]`.
///
/// Shapes in this protocol leave out the batch axis `n`.
package protocol Layer: Sendable {
  /// Keras's class name, such as `Conv2D`.
  static var className: String { get }
  /// Builds the layer from a Keras configuration, its parameters zero or placeholders.
  init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError)

  var name: String { get }
  /// The class in Keras: the type's own but for layers that stand for several.
  var className: String { get }
  /// The tensors in the order in which Keras creates them.
  var parameters: [Parameter] { get set }
  /// What Keras's `get_config` gives, as far as this layer knows it.
  var configuration: [String: JSONValue] { get }

  /// The output shape, without the batch axis.
  func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int]
  /// Adds the layer to a plan for inference.
  func compile(_ inputs: [PlanValue], into builder: inout InferencePlanBuilder) -> PlanValue
  /// The training pass.
  func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput
  /// The gradients, given that of the output and what `forward` got and gave.
  func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients
  /// Draws fresh parameters the way Keras initialises them by default.
  mutating func initialize(random: inout SeededRandom)
}

/// A layer that only does something while training, and then draws it at random.
package protocol NoiseLayer: Layer {}

/// A layer that ends with a function of its numbers.
package protocol ActivatedLayer: Layer {
  var activation: PointwiseFunction { get }
}

/// A layer that can end a classifier: its sigmoid or softmax is taken together with the loss.
///
/// `forward` keeps what comes before the function in `LayerOutput.saved`.
package protocol ClassifierLayer: ActivatedLayer {
  /// Adds the layer to a plan without its activation.
  func compileLogits(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue
  /// The gradients, given that of what comes before the activation.
  func backward(
    beforeActivation gradient: Tensor, inputs: [Tensor], wanted: WantedGradients
  ) -> LayerGradients
}

extension Layer {
  /// Most layers have no parameters.
  package var parameters: [Parameter] {
    get { [] }
    set {}
  }
  package var className: String { Self.className }
  package var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }
  package mutating func initialize(random: inout SeededRandom) {}
}

/// What can be wrong with a layer or with how layers are joined.
package enum LayerError: Error, Equatable, CustomStringConvertible {
  case unknownClass(String, layer: String)
  case missingField(String, layer: String)
  case unsupported(String, layer: String)
  case wrongInput(layer: String, expected: String, found: [[Int]])
  case emptyOutput(layer: String, input: [Int])
  case noSuchLayer(String, near: [String])
  case nothingToTrain(String, [String])
  case badPattern(String, expected: String)
  case badGraph(String)

  /// The same with a layer's place among nested models.
  package func placed(in scope: [String]) -> LayerError {
    func place(_ layer: String) -> String { (scope + [layer]).joined(separator: "/") }
    return switch self {
    case .unknownClass(let className, let layer): .unknownClass(className, layer: place(layer))
    case .missingField(let field, let layer): .missingField(field, layer: place(layer))
    case .unsupported(let what, let layer): .unsupported(what, layer: place(layer))
    case .wrongInput(let layer, let expected, let found):
      .wrongInput(layer: place(layer), expected: expected, found: found)
    case .emptyOutput(let layer, let input): .emptyOutput(layer: place(layer), input: input)
    default: self
    }
  }

  package var description: String {
    switch self {
    case .unknownClass(let className, let layer):
      """
      layer '\(layer)' is of class '\(className)', which is not known here: expected one of \
      \(LayerRegistry.knownClassNames.joined(separator: ", "))
      """
    case .missingField(let field, let layer):
      "configuration of layer '\(layer)' has no usable '\(field)'"
    case .unsupported(let what, let layer):
      "layer '\(layer)' uses \(what), which is not supported"
    case .wrongInput(let layer, let expected, let found):
      "layer '\(layer)' cannot take its input: expected \(expected), found \(found)"
    case .emptyOutput(let layer, let input):
      "layer '\(layer)' has nothing left of an input \(input): the picture is too small"
    case .noSuchLayer(let name, let near):
      "no layer matches '\(name)'"
        + (near.isEmpty ? "" : ": near are \(near.map { "'\($0)'" }.joined(separator: ", "))")
    case .nothingToTrain(let pattern, let layers):
      layers == [pattern]
        ? "layer '\(pattern)' has no weights to train"
        : "'\(pattern)' means only layers without weights to train: "
          + layers.prefix(5).map { "'\($0)'" }.joined(separator: ", ")
    case .badPattern(let pattern, let expected):
      "no layers are called '\(pattern)': expected \(expected)"
    case .badGraph(let what): "the network's graph cannot be used: \(what)"
    }
  }
}
