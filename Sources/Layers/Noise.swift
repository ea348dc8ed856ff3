package import Compute

/// Noise that is multiplied with or added to numbers while training; nothing otherwise.
package protocol ElementNoise: NoiseLayer {
  /// The factors, or what is added, for a batch `[n, ...]`.
  func draw(shape: [Int], random: inout SeededRandom) -> Tensor
  /// Whether numbers are multiplied by the noise; else it is added to them.
  var multiplies: Bool { get }
}

extension ElementNoise {
  package var multiplies: Bool { true }

  package func outputShape(for inputs: [[Int]]) throws(LayerError) -> [Int] {
    guard inputs.count == 1 else {
      throw .wrongInput(layer: name, expected: "one input", found: inputs)
    }
    return inputs[0]
  }

  package func compile(
    _ inputs: [PlanValue], into builder: inout InferencePlanBuilder
  ) -> PlanValue {
    inputs[0]
  }

  package func forward(_ inputs: [Tensor], random: inout SeededRandom) -> LayerOutput {
    let noise = draw(shape: inputs[0].shape, random: &random)
    if multiplies { return LayerOutput(product(inputs[0], noise), kept: [noise]) }
    var sum = inputs[0]
    sum.add(noise)
    return LayerOutput(sum)
  }

  package func backward(
    _ gradient: Tensor, inputs: [Tensor], output: LayerOutput, wanted: WantedGradients
  ) -> LayerGradients {
    LayerGradients(inputs: [output.kept.first.map { product(gradient, $0) } ?? gradient])
  }
}

extension Configuration {
  /// A share of numbers in `0..<1`; Keras 1 called it `p`.
  fileprivate func rate() throws(LayerError) -> Double {
    guard let rate = fields["rate"]?.double ?? fields["p"]?.double, rate >= 0, rate < 1 else {
      throw .missingField("rate", layer: name)
    }
    return rate
  }
}

/// Inverted dropout (Srivastava and others 2014), only while training: Keras's `Dropout`.
package struct Dropout: ElementNoise {
  package static let className = "Dropout"
  package let name: String
  /// The share of inputs set to zero, in `0..<1`.
  package let rate: Double

  package init(name: String, rate: Double) {
    precondition(rate >= 0 && rate < 1, "a dropout rate must be in 0..<1 but is \(rate)")
    self.name = name
    self.rate = rate
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    try configuration.require("noise_shape", [])
    self.init(name: configuration.name, rate: try configuration.rate())
  }

  package var configuration: [String: JSONValue] {
    ["name": .string(name), "rate": .number(rate)]
  }

  package func draw(shape: [Int], random: inout SeededRandom) -> Tensor {
    dropoutFactors(shape, rate: Float(rate), random: &random)
  }
}

/// Dropout of whole channels of a picture (Tompson and others 2015): Keras's `SpatialDropout2D`.
package struct SpatialDropout2D: ElementNoise {
  package static let className = "SpatialDropout2D"
  package let name: String
  /// The share of channels set to zero, in `0..<1`.
  package let rate: Double

  package init(name: String, rate: Double) {
    precondition(rate >= 0 && rate < 1, "a dropout rate must be in 0..<1 but is \(rate)")
    self.name = name
    self.rate = rate
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    _ = try singleInput(inputShapes, rank: 3, "[height, width, channels]", configuration)
    try configuration.require("data_format", ["channels_last"])
    self.init(name: configuration.name, rate: try configuration.rate())
  }

  package var configuration: [String: JSONValue] {
    ["name": .string(name), "rate": .number(rate), "data_format": "channels_last"]
  }

  package func draw(shape: [Int], random: inout SeededRandom) -> Tensor {
    let (photos, pixels, channels) = (shape[0], shape[1] * shape[2], shape[3])
    let factors = dropoutFactors([photos, channels], rate: Float(rate), random: &random)
    return broadcast(factors.reshaped([photos, 1, channels]), to: [photos, pixels, channels])
      .reshaped(shape)
  }
}

/// Normal noise added to numbers: Keras's `GaussianNoise`.
package struct GaussianNoise: ElementNoise {
  package static let className = "GaussianNoise"
  package let name: String
  /// The noise's standard deviation.
  package let deviation: Double
  package var multiplies: Bool { false }

  package init(name: String, deviation: Double) {
    self.name = name
    self.deviation = deviation
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    guard
      let deviation = configuration.fields["stddev"]?.double
        ?? configuration.fields["sigma"]?.double, deviation >= 0
    else { throw .missingField("stddev", layer: configuration.name) }
    self.init(name: configuration.name, deviation: deviation)
  }

  package var configuration: [String: JSONValue] {
    ["name": .string(name), "stddev": .number(deviation)]
  }

  package func draw(shape: [Int], random: inout SeededRandom) -> Tensor {
    normalNumbers(shape, mean: 0, deviation: Float(deviation), random: &random)
  }
}

/// Numbers multiplied by normal noise around 1 of variance `rate / (1 - rate)`: Keras's
/// `GaussianDropout`.
package struct GaussianDropout: ElementNoise {
  package static let className = "GaussianDropout"
  package let name: String
  package let rate: Double

  package init(name: String, rate: Double) {
    precondition(rate >= 0 && rate < 1, "a dropout rate must be in 0..<1 but is \(rate)")
    self.name = name
    self.rate = rate
  }

  package init(configuration: Configuration, inputShapes: [[Int]]) throws(LayerError) {
    self.init(name: configuration.name, rate: try configuration.rate())
  }

  package var configuration: [String: JSONValue] {
    ["name": .string(name), "rate": .number(rate)]
  }

  package func draw(shape: [Int], random: inout SeededRandom) -> Tensor {
    normalNumbers(
      shape, mean: 1, deviation: Float((rate / (1 - rate)).squareRoot()), random: &random)
  }
}
