package import Compute

/// How fresh kernels are drawn, by Keras's names and formulas.
///
/// `fan in` is how many numbers a unit takes, `fan out` how many units take a number.
package enum KernelInitializer: String, Sendable, CaseIterable {
  /// Uniform within `sqrt(6 / (fan in + fan out))` (Glorot and Bengio 2010); Keras's default.
  case glorotUniform = "glorot_uniform"
  /// Normal with variance `2 / (fan in + fan out)`, cut off at two deviations.
  case glorotNormal = "glorot_normal"
  /// Uniform within `sqrt(6 / fan in)` (He and others 2015), which keeps what passes many
  /// convolutions with relu from fading.
  case heUniform = "he_uniform"
  /// Normal with variance `2 / fan in`, cut off at two deviations.
  case heNormal = "he_normal"
  /// Uniform within `sqrt(3 / fan in)` (LeCun and others 1998).
  case lecunUniform = "lecun_uniform"
  /// Normal with variance `1 / fan in`, cut off at two deviations.
  case lecunNormal = "lecun_normal"

  /// A kernel `[..., inputs, outputs]` with numbers drawn afresh.
  package func draw(shape: [Int], random: inout SeededRandom) -> Tensor {
    let limit = limit(shape: shape)
    var kernel = Tensor(zeros: shape)
    for index in kernel.scalars.indices {
      kernel.scalars[index] =
        isNormal ? Self.cutNormal(&random) * (limit / 2) : (2 * random.uniform() - 1) * limit
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
    case .lecunUniform: (3 / Float(field * inputs)).squareRoot()
    case .glorotNormal: Self.cut * (2 / Float(field * (inputs + outputs))).squareRoot()
    case .heNormal: Self.cut * (2 / Float(field * inputs)).squareRoot()
    case .lecunNormal: Self.cut * (1 / Float(field * inputs)).squareRoot()
    }
  }

  private var isNormal: Bool {
    [.glorotNormal, .heNormal, .lecunNormal].contains(self)
  }

  /// Where a normal distribution is cut off whose deviation is 1 after the cut: two of its deviations
  /// before, which Keras has as 1 / 0.8796....
  private static let cut: Float = 2 / 0.879_625_66

  /// Normal with deviation 1, drawn again where it is beyond 2.
  private static func cutNormal(_ random: inout SeededRandom) -> Float {
    while true {
      let value = random.normal()
      if abs(value) < 2 { return value }
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
