import Compute
import TestSupport
import Testing

/// Optimizer steps by every instruction set against the formulas in Double.
@Suite struct UpdateTests {
  /// Shapes of a kernel; with them the number of examples that its gradient is a sum over.
  static let sizes = [
    (1, 1, 1), (3, 5, 2), (7, 16, 4), (40, 33, 20), (300, 1, 3), (70, 256, 20), (1, 5000, 2),
    (5, 3, 0), (101, 272, 40), (20, 48, 130),
  ]

  @Test(arguments: sizes, [false, true])
  func rmspropAgreesWithItsFormula(
    _ size: (inputs: Int, outputs: Int, rows: Int), _ isSparse: Bool
  ) {
    let (start, state, gradient) = problem(size, isSparse)
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

  @Test(arguments: sizes, [false, true])
  func adamAgreesWithItsFormula(
    _ size: (inputs: Int, outputs: Int, rows: Int), _ isSparse: Bool
  ) {
    let (start, state, gradient) = problem(size, isSparse)
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

  /// A saturated loss leaves gradients whose squares Float can only hold imprecisely, and slowly.
  @Test func numbersBelowTheNormalOnesCountAsNothing() {
    let tiny = Float.leastNormalMagnitude
    for kernels in KernelTable.available {
      var value = Tensor(repeating: 1, shape: [40])
      var meanSquare = Tensor(repeating: tiny, shape: [40])
      ParameterUpdate.rmsprop(
        &value, gradient: .stored(Tensor(repeating: 1e-20, shape: [40])), meanSquare: &meanSquare,
        rate: 1e13, rho: 0.5, epsilon: 1e-8, kernels: kernels)
      #expect(meanSquare.scalars == [Float](repeating: 0, count: 40), "\(kernels.name)")
      expectClose(
        value.scalars, [Float](repeating: 0.999, count: 40), absolute: 1e-6, kernels.name)
      #expect(tiny * value.scalars[0] > 0, "\(kernels.name) leaves other code alone")
    }
  }

  /// A start, a state without negative numbers, and a gradient given as a product.
  private func problem(
    _ size: (inputs: Int, outputs: Int, rows: Int), _ isSparse: Bool = false
  ) -> (start: Tensor, state: Tensor, gradient: ParameterGradient) {
    let shape = [size.inputs, size.outputs]
    var state = Tensor.random(shape, seed: 2)
    for i in state.scalars.indices { state.scalars[i] = 0.1 + abs(state.scalars[i]) }
    return (
      Tensor.random(shape, seed: 1), state,
      .product(
        x: isSparse
          ? .mostlyZeros([size.rows, size.inputs])
          : .random([size.rows, size.inputs], seed: 3),
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
    (40, 90, 272),
  ]

  @Test(arguments: sizes, [false, true])
  func agreesWithItsDefinition(_ size: (n: Int, inputs: Int, outputs: Int), _ isSparse: Bool) {
    let (n, inputs, outputs) = size
    let x = isSparse ? .mostlyZeros([n, inputs]) : Tensor.random([n, inputs], seed: 1)
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

  /// Where rows are no whole vectors, zeros are multiplied as any number.
  @Test func skippingZerosChangesNoBit() {
    let x = Tensor.mostlyZeros([20, 700])
    let wide = Tensor.random([700, 273], seed: 2)
    func columns(_ tensor: Tensor) -> Tensor {
      let rows = tensor.shape[0]
      return Tensor(
        shape: [rows, 272],
        scalars: (0..<rows).flatMap { tensor.scalars[$0 * 273..<$0 * 273 + 272] })
    }
    let y = affine(x, kernel: columns(wide), bias: nil)
    #expect(y == columns(affine(x, kernel: wide, bias: nil)))
    let dy = Tensor.random([20, 273], seed: 3)
    let steps = [dy, columns(dy)].map { dy in
      var value = Tensor(repeating: 1, shape: [700, dy.shape[1]])
      var meanSquare = value
      ParameterUpdate.rmsprop(
        &value, gradient: .product(x: x, dy: dy), meanSquare: &meanSquare, rate: 0.1, rho: 0.5,
        epsilon: 1e-3)
      return [value, meanSquare]
    }
    #expect(steps[1] == steps[0].map(columns))
  }

  @Test(arguments: [false, true])
  func doesNotDependOnTheThreads(isSparse: Bool) {
    let x = isSparse ? .mostlyZeros([20, 1300]) : Tensor.random([20, 1300], seed: 1)
    let kernel = Tensor.random([1300, 48], seed: 2)
    let dy = Tensor.random([20, 48], seed: 3)
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

extension Tensor {
  /// What relu and pooling leave: five sixths are zeros, in no order; the first row and column too.
  fileprivate static func mostlyZeros(_ shape: [Int]) -> Tensor {
    var result = Tensor.random(shape, seed: 5)
    let choice = Tensor.random(shape, seed: 6)
    for i in result.scalars.indices {
      let isKept = abs(choice.scalars[i]) * 6 < 1 && i >= shape[1] && i % shape[1] > 0
      if !isKept { result.scalars[i] = 0 }
    }
    return result
  }
}
