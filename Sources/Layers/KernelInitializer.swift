package import Compute

/// How fresh kernels are drawn, by Keras's names and formulas.
///
/// `fan in` is how many numbers a unit takes, `fan out` how many units take a number.
package enum KernelInitializer: String, Sendable {
  /// Uniform within `sqrt(6 / (fan in + fan out))` (Glorot and Bengio 2010); Keras's default.
  case glorotUniform = "glorot_uniform"
  /// Uniform within `sqrt(6 / fan in)` (He and others 2015), which keeps what passes many
  /// convolutions with relu from fading.
  case heUniform = "he_uniform"

  /// A kernel `[..., inputs, outputs]` with numbers drawn afresh.
  package func draw(shape: [Int], random: inout SeededRandom) -> Tensor {
    let limit = limit(shape: shape)
    var kernel = Tensor(zeros: shape)
    for index in kernel.scalars.indices {
      kernel.scalars[index] = (2 * random.uniform() - 1) * limit
    }
    return kernel
  }

  /// The largest number that can be drawn for a kernel `[..., inputs, outputs]`.
  package func limit(shape: [Int]) -> Float {
    precondition(shape.count >= 2, "a kernel needs two axes or more but has \(shape)")
    let field = shape.dropLast(2).reduce(1, *)
    let (inputs, outputs) = (shape[shape.count - 2], shape[shape.count - 1])
    return switch self {
    case .glorotUniform: (6 / Float(field * (inputs + outputs))).squareRoot()
    case .heUniform: (6 / Float(field * inputs)).squareRoot()
    }
  }
}

/// Draws a layer's kernel and makes its bias zero.
func initializeAffine(
  _ parameters: inout [Parameter], _ initializer: KernelInitializer = .glorotUniform,
  random: inout SeededRandom
) {
  parameters[0].value = initializer.draw(shape: parameters[0].value.shape, random: &random)
  if parameters.count > 1 { parameters[1].value = Tensor(zeros: parameters[1].value.shape) }
}
