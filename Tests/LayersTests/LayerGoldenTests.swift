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
    let input = try golden.tensor("input")
    var random = SeededRandom(seed: 1)
    let output = layer.forward([input], random: &random)
    let expected = try golden.tensor("output")
    #expect(output.value.shape == expected.shape, "\(what)")
    expectClose(output.value.scalars, expected.scalars, "\(what) output")
    try expectPlan(layer, input, expected, what)

    let gradients = layer.backward(
      try golden.tensor("output_gradient"), inputs: [input], output: output,
      wanted: WantedGradients(inputs: true, parameters: true))
    try expectClose(
      gradients.inputs[0].scalars, golden.tensor("input_gradient").scalars,
      absolute: 1e-5, relative: 1e-5, "\(what) input gradient")
    #expect(gradients.parameters.count == layer.parameters.count)
    for (parameter, gradient) in zip(layer.parameters, gradients.parameters) {
      try expectClose(
        gradient.scalars, golden.tensor(parameter.name + "_gradient").scalars,
        absolute: 2e-5, relative: 1e-5, "\(what) \(parameter.name) gradient")
    }
  }

  /// The layer that the golden's configuration describes, with the golden's tensors.
  private func layer(_ golden: HDF5Group) throws -> any Layer {
    let json = try #require(try golden.attributes.string("config"))
    let className = try #require(try golden.attributes.string("className"))
    let fields = try JSONDecoder().decode([String: JSONValue].self, from: Data(json.utf8))
    var layer = try LayerRegistry.layer(
      className: className, configuration: try Configuration(fields),
      inputShapes: [Array(golden.tensor("input").shape.dropFirst())])
    for index in layer.parameters.indices {
      layer.parameters[index].value = try golden.tensor(layer.parameters[index].name)
    }
    return layer
  }

  private func expectPlan(
    _ layer: any Layer, _ input: Tensor, _ expected: Tensor, _ what: String
  ) throws {
    var network = Network(
      name: "one", inputShape: Array(input.shape.dropFirst()), inputName: "input")
    try network.add(layer)
    let planned = network.plan(outputs: [network.outputIndex]).run(input)[0]
    #expect(planned.shape == expected.shape, "\(what) plan")
    expectClose(planned.scalars, expected.scalars, "\(what) plan")
  }
}
