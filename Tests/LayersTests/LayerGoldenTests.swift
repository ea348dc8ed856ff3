import Compute
import Foundation
import HDF5
import Layers
import TestSupport
import Testing

/// Every layer against Keras: output, gradient of the input and of every parameter.
struct LayerGoldenTests {
  static let files = [
    "convolution_3x3", "convolution_sizes", "convolution_strides", "pooling", "dense",
    "normalization", "merging", "padding", "relu", "functions", "functions_within",
    "depthwise", "depthwise_taps", "separable",
    "parts", "transposed", "merges", "gathering", "resizing", "scaling",
  ]

  @Test(arguments: files)
  func agreesWithKeras(file: String) throws {
    let golden = try HDF5File.open(Bundle.module.path(to: "Goldens/\(file).h5"))
    defer { try? golden.close() }
    let cases = try golden.root.children().map(\.name)
    #expect(cases.count >= 5)
    for name in cases { try check(golden.root.group(name), "\(file)/\(name)") }
  }

  private func check(_ golden: HDF5Group, _ what: String) throws {
    let layer = try layer(golden)
    let inputs = try inputs(golden)
    var random = SeededRandom(seed: 1)
    let output = layer.forward(inputs, random: &random)
    let expected = try golden.tensor("output")
    #expect(output.value.shape == expected.shape, "\(what)")
    expectClose(output.value.scalars, expected.scalars, "\(what) output")
    try expectPlan(layer, inputs, expected, what)

    let gradients = layer.backward(
      try golden.tensor("output_gradient"), inputs: inputs, output: output,
      wanted: WantedGradients(inputs: true, parameters: true))
    #expect(gradients.inputs.count == inputs.count)
    for (index, gradient) in gradients.inputs.enumerated() {
      try expectClose(
        gradient.scalars, golden.tensor(Self.inputName(index) + "_gradient").scalars,
        absolute: 1e-5, relative: 1e-5, "\(what) gradient of input \(index)")
    }
    let trainable = layer.parameters.filter(\.isTrainable)
    #expect(gradients.parameters.count == trainable.count)
    for (parameter, gradient) in zip(trainable, gradients.parameters) {
      try expectClose(
        gradient.scalars, golden.tensor(parameter.name + "_gradient").scalars,
        absolute: 2e-5, relative: 1e-5, "\(what) \(parameter.name) gradient")
    }
  }

  /// `input`, `input_1`, `input_2` and so on.
  private static func inputName(_ index: Int) -> String {
    index == 0 ? "input" : "input_\(index)"
  }

  private func inputs(_ golden: HDF5Group) throws -> [Tensor] {
    var inputs = [try golden.tensor("input")]
    while try golden.contains(Self.inputName(inputs.count)) {
      inputs.append(try golden.tensor(Self.inputName(inputs.count)))
    }
    return inputs
  }

  /// The layer that the golden's configuration describes, with the golden's tensors.
  private func layer(_ golden: HDF5Group) throws -> any Layer {
    let json = try #require(try golden.attributes.string("config"))
    let className = try #require(try golden.attributes.string("className"))
    let fields = try JSONDecoder().decode([String: JSONValue].self, from: Data(json.utf8))
    var layer = try LayerRegistry.layer(
      className: className, configuration: try Configuration(fields),
      inputShapes: inputs(golden).map { Array($0.shape.dropFirst()) })
    for index in layer.parameters.indices {
      layer.parameters[index].value = try golden.tensor(layer.parameters[index].name)
    }
    return layer
  }

  private func expectPlan(
    _ layer: any Layer, _ inputs: [Tensor], _ expected: Tensor, _ what: String
  ) throws {
    // A plan has one input: several lie one after the other in it and are cut out.
    let input = inputs.count == 1 ? inputs[0] : joined(inputs)
    var builder = InferencePlanBuilder()
    let whole = builder.input(shape: Array(input.shape.dropFirst()), name: "input")
    var (values, start) = ([whole], 0)
    if inputs.count > 1 {
      values = inputs.map { part in
        let shape = Array(part.shape.dropFirst())
        let count = shape.reduce(1, *)
        defer { start += count }
        return builder.gather(
          whole, Gather(starts: [start], run: count, inputCount: input.shape[1]), to: shape,
          name: "part")
      }
    }
    let result = layer.compile(values, into: &builder)
    let planned = builder.build(outputs: [result]).run(input)[0]
    #expect(planned.shape == expected.shape, "\(what) plan")
    expectClose(planned.scalars, expected.scalars, "\(what) plan")
  }

  /// The inputs of each photo one after the other.
  private func joined(_ inputs: [Tensor]) -> Tensor {
    concatenated(inputs.map { $0.reshaped([$0.shape[0], $0.count / $0.shape[0]]) })
  }
}
