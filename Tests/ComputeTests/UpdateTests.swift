import Compute
import TestSupport
import Testing

/// Optimizer steps by every instruction set against the formulas in Double.
@Suite struct UpdateTests {
  /// Shapes of a kernel; with them the number of examples that its gradient is a sum over.
  static let sizes = [
    (1, 1, 1), (3, 5, 2), (7, 16, 4), (40, 33, 20), (300, 1, 3), (70, 256, 20), (1, 5000, 2),
    (5, 3, 0),
  ]

  @Test(arguments: sizes)
  func rmspropAgreesWithItsFormula(_ size: (inputs: Int, outputs: Int, rows: Int)) {
    let (start, state, gradient) = problem(size)
    let g = gradient.scalars.map(Double.init)
    let v = zip(state.scalars, g).map { 0.9 * Double($0) + 0.1 * $1 * $1 }
    let p = zip(start.scalars, zip(g, v)).map {
      Double($0) - 0.01 * $1.0 / ($1.1 + 1e-7).squareRoot()
    }
    for kernels in KernelTable.available {
      for given in [gradient, .stored(Tensor(shape: start.shape, scalars: gradient.scalars))] {
        var (value, meanSquare) = (start, state)
        ParameterUpdate.rmsprop(
          &value, gradient: given, meanSquare: &meanSquare, rate: 0.01, rho: 0.9, epsilon: 1e-7,
          kernels: kernels)
        expectClose(value.scalars, p.map { Float($0) }, absolute: 2e-6, "\(kernels.name) value")
        expectClose(
          meanSquare.scalars, v.map { Float($0) }, absolute: 1e-6, "\(kernels.name) mean square")
      }
    }
  }

  @Test(arguments: sizes)
  func adamAgreesWithItsFormula(_ size: (inputs: Int, outputs: Int, rows: Int)) {
    let (start, state, gradient) = problem(size)
    let g = gradient.scalars.map(Double.init)
    let m = zip(start.scalars, g).map { 0.9 * Double($0) + 0.1 * $1 }
    let v = zip(state.scalars, g).map { 0.99 * Double($0) + 0.01 * $1 * $1 }
    let p = zip(start.scalars, zip(m, v)).map {
      Double($0) - 0.01 * $1.0 / ($1.1.squareRoot() + 1e-3)
    }
    for kernels in KernelTable.available {
      var (value, mean, meanSquare) = (start, start, state)
      ParameterUpdate.adam(
        &value, gradient: gradient, mean: &mean, meanSquare: &meanSquare, rate: 0.01, beta1: 0.9,
        beta2: 0.99, epsilon: 1e-3, kernels: kernels)
      expectClose(value.scalars, p.map { Float($0) }, absolute: 2e-6, "\(kernels.name) value")
      expectClose(mean.scalars, m.map { Float($0) }, absolute: 1e-6, "\(kernels.name) mean")
      expectClose(
        meanSquare.scalars, v.map { Float($0) }, absolute: 1e-6, "\(kernels.name) mean square")
    }
  }

  @Test(arguments: sizes, [false, true])
  func momentumAgreesWithItsFormula(
    _ size: (inputs: Int, outputs: Int, rows: Int), _ nesterov: Bool
  ) {
    let (start, state, gradient) = problem(size)
    let g = gradient.scalars.map(Double.init)
    let m = zip(state.scalars, g).map { 0.9 * Double($0) - 0.01 * $1 }
    let p = zip(start.scalars, zip(g, m)).map {
      Double($0) + (nesterov ? 0.9 * $1.1 - 0.01 * $1.0 : $1.1)
    }
    for kernels in KernelTable.available {
      var (value, velocity) = (start, state)
      ParameterUpdate.momentum(
        &value, gradient: gradient, velocity: &velocity, rate: 0.01, momentum: 0.9,
        nesterov: nesterov, kernels: kernels)
      expectClose(value.scalars, p.map { Float($0) }, absolute: 1e-6, "\(kernels.name) value")
      expectClose(velocity.scalars, m.map { Float($0) }, absolute: 1e-6, "\(kernels.name) velocity")
    }
  }

  /// A start, a state without negative numbers, and a gradient given as a product.
  private func problem(
    _ size: (inputs: Int, outputs: Int, rows: Int)
  ) -> (start: Tensor, state: Tensor, gradient: ParameterGradient) {
    let shape = [size.inputs, size.outputs]
    var state = Tensor.random(shape, seed: 2)
    for i in state.scalars.indices { state.scalars[i] = 0.1 + abs(state.scalars[i]) }
    return (
      Tensor.random(shape, seed: 1), state,
      .product(
        x: Tensor.random([size.rows, size.inputs], seed: 3),
        dy: Tensor.random([size.rows, size.outputs], seed: 4))
    )
  }
}

@Suite struct ReLUTests {
  @Test(arguments: [0, 1, 17, 70_000 * 2])
  func agreesWithItsDefinition(count: Int) {
    let x = Tensor.random([count], seed: 1)
    let dy = Tensor.random([count], seed: 2)
    for kernels in KernelTable.available {
      var y = x
      PointwiseFunction.relu.apply(to: &y, width: count, kernels: kernels)
      #expect(y.scalars == x.scalars.map { max($0, 0) }, "\(kernels.name)")
      let dx = PointwiseFunction.relu.gradient(dy, output: y, width: count, kernels: kernels)
      #expect(
        dx.scalars == zip(dy.scalars, x.scalars).map { $1 > 0 ? $0 : 0 }, "\(kernels.name)")
    }
  }
}

/// Dense layers' products and their gradients against the definition.
@Suite struct AffineTests {
  /// Rows, inputs, outputs: also more rows than are multiplied without packing.
  static let sizes = [
    (1, 1, 1), (20, 700, 33), (3, 1100, 70), (64, 90, 5), (65, 40, 17), (0, 4, 3), (25, 513, 256),
  ]

  @Test(arguments: sizes)
  func agreesWithItsDefinition(_ size: (n: Int, inputs: Int, outputs: Int)) {
    let (n, inputs, outputs) = size
    let x = Tensor.random([n, inputs], seed: 1)
    let kernel = Tensor.random([inputs, outputs], seed: 2)
    let bias = Tensor.random([outputs], seed: 3)
    let dy = Tensor.random([n, outputs], seed: 4)
    var y = [Double](repeating: 0, count: n * outputs)
    var dx = [Double](repeating: 0, count: n * inputs)
    var dw = [Double](repeating: 0, count: inputs * outputs)
    for row in 0..<n {
      for o in 0..<outputs {
        y[row * outputs + o] = Double(bias.scalars[o])
        let g = Double(dy.scalars[row * outputs + o])
        for i in 0..<inputs {
          let (value, weight) = (x.scalars[row * inputs + i], kernel.scalars[i * outputs + o])
          y[row * outputs + o] += Double(value) * Double(weight)
          dx[row * inputs + i] += g * Double(weight)
          dw[i * outputs + o] += g * Double(value)
        }
      }
    }
    let result = affine(x, kernel: kernel, bias: bias.scalars)
    let gradients = affineGradients(
      dy, x: x, kernel: kernel, wantsInput: true, wantsParameters: true)
    expectClose(result.scalars, y.map { Float($0) }, absolute: 1e-4, "output")
    expectClose(gradients.input?.scalars ?? [], dx.map { Float($0) }, absolute: 1e-4, "input")
    expectClose(gradients.kernel?.scalars ?? [], dw.map { Float($0) }, absolute: 1e-4, "kernel")
  }

  @Test func doesNotDependOnTheThreads() {
    let x = Tensor.random([20, 1300], seed: 1)
    let kernel = Tensor.random([1300, 40], seed: 2)
    let dy = Tensor.random([20, 40], seed: 3)
    let before = Threads.count
    defer { Threads.count = before }
    let results = [1, 2, 5].map { threads in
      Threads.count = threads
      let gradient = affineGradients(
        dy, x: x, kernel: kernel, wantsInput: false, wantsParameters: true
      ).kernel
      return [affine(x, kernel: kernel, bias: nil).scalars, gradient?.scalars ?? []]
    }
    #expect(results[1] == results[0])
    #expect(results[2] == results[0])
  }
}
