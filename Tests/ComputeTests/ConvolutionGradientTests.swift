import Compute
import TestSupport
import Testing

/// Convolution and its gradients while training, by every instruction set, against the definition.
@Suite struct ConvolutionGradientTests {
  struct Case: Sendable, CustomStringConvertible {
    let n: Int
    let size: (Int, Int)
    let channels: (Int, Int)
    var window = (3, 3)
    var strides = (1, 1)
    var padding = Padding.same
    var description: String { "\(n) \(size) \(channels) \(window) \(strides) \(padding)" }
  }

  static let cases = [
    // Tiles of 4x4 that are whole, cut, and more than are worked on at once.
    Case(n: 12, size: (8, 8), channels: (32, 32)),
    Case(n: 6, size: (9, 11), channels: (48, 80)),
    Case(n: 8, size: (9, 9), channels: (32, 112), padding: .valid),
    Case(n: 70, size: (7, 8), channels: (32, 32)),
    // Tiles of 3x3 where they fit better, alone and with some outputs cut.
    Case(n: 6, size: (9, 9), channels: (64, 48)),
    Case(n: 30, size: (5, 6), channels: (32, 32)),
    // What is multiplied as it lies.
    Case(n: 2, size: (9, 9), channels: (16, 20)),
    Case(n: 3, size: (7, 5), channels: (3, 5), window: (5, 2), strides: (2, 1)),
    Case(n: 2, size: (4, 6), channels: (9, 7), window: (1, 1)),
    Case(n: 2, size: (8, 8), channels: (4, 40), strides: (2, 2), padding: .valid),
    Case(n: 2, size: (7, 6), channels: (5, 33), window: (1, 1), strides: (2, 2)),
    Case(n: 2, size: (10, 11), channels: (6, 8), window: (2, 4), strides: (3, 2)),
    Case(n: 1, size: (3, 2), channels: (7, 3), window: (5, 7)),
    Case(n: 2, size: (9, 4), channels: (3, 6), window: (1, 1), strides: (1, 5), padding: .valid),
    Case(n: 1, size: (40, 40), channels: (32, 24), window: (5, 5)),
  ]

  @Test(arguments: cases)
  func agreesWithTheDefinition(_ problem: Case) {
    let (x, kernel, bias, dy) = tensors(problem)
    let expected = reference(problem, x, kernel, bias, dy)
    for table in KernelTable.available {
      let y = convolution(
        x, kernel: kernel, bias: bias, strides: problem.strides, padding: problem.padding,
        kernels: table)
      let gradients = convolutionGradients(
        dy, x: x, kernel: kernel, strides: problem.strides, padding: problem.padding,
        wantsInput: true, wantsParameters: true, kernels: table)
      for (what, actual, expected) in [
        ("output", y.scalars, expected.y), ("input", gradients.input?.scalars ?? [], expected.dx),
        ("kernel", gradients.kernel?.scalars ?? [], expected.dw),
        ("bias", gradients.bias?.scalars ?? [], expected.db),
      ] {
        // Of the largest: what cancels is no better than its terms.
        let largest = expected.reduce(0) { max($0, abs($1)) }
        expectClose(
          actual, expected.map { Float($0) }, absolute: Float(largest) * 1e-5, relative: 0,
          "\(table.name) \(what)")
      }
    }
  }

  @Test func doesNotDependOnTheThreads() {
    let problem = Self.cases[1]
    let (x, kernel, bias, dy) = tensors(problem)
    let before = Threads.count
    defer { Threads.count = before }
    let results = [1, 2, 5].map { threads in
      Threads.count = threads
      let y = convolution(x, kernel: kernel, bias: bias, strides: (1, 1), padding: .same)
      let gradients = convolutionGradients(
        dy, x: x, kernel: kernel, strides: (1, 1), padding: .same, wantsInput: true,
        wantsParameters: true)
      return [y.scalars, gradients.input?.scalars ?? [], gradients.kernel?.scalars ?? []]
    }
    #expect(results[1] == results[0])
    #expect(results[2] == results[0])
  }

  private func tensors(_ problem: Case) -> (Tensor, Tensor, [Float], Tensor) {
    let kernelShape = [
      problem.window.0, problem.window.1, problem.channels.0, problem.channels.1,
    ]
    let x = Tensor.random(
      [problem.n, problem.size.0, problem.size.1, problem.channels.0], seed: 1)
    let shape = ConvolutionGeometry(
      input: x.shape, kernel: kernelShape, strides: problem.strides, padding: problem.padding
    ).outputShape
    return (
      x, Tensor.random(kernelShape, seed: 2), Tensor.random([problem.channels.1], seed: 3).scalars,
      Tensor.random(shape, seed: 4)
    )
  }

  private func reference(
    _ problem: Case, _ x: Tensor, _ kernel: Tensor, _ bias: [Float], _ dy: Tensor
  ) -> (y: [Double], dx: [Double], dw: [Double], db: [Double]) {
    let (cin, cout) = problem.channels
    let rows = WindowAxis(
      input: problem.size.0, window: problem.window.0, stride: problem.strides.0,
      padding: problem.padding)
    let columns = WindowAxis(
      input: problem.size.1, window: problem.window.1, stride: problem.strides.1,
      padding: problem.padding)
    let (a, k, d) = (
      x.scalars.map(Double.init), kernel.scalars.map(Double.init), dy.scalars.map(Double.init)
    )
    var y = (0..<d.count).map { Double(bias[$0 % cout]) }
    var dx = [Double](repeating: 0, count: a.count)
    var dw = [Double](repeating: 0, count: k.count)
    var db = [Double](repeating: 0, count: cout)
    for i in d.indices { db[i % cout] += d[i] }
    for position in 0..<d.count / cout {
      let column = position % columns.outputSize
      let row = position / columns.outputSize % rows.outputSize
      let photo = position / columns.outputSize / rows.outputSize
      for tap in 0..<problem.window.0 * problem.window.1 {
        let h = row * problem.strides.0 + tap / problem.window.1 - rows.paddingBefore
        let w = column * problem.strides.1 + tap % problem.window.1 - columns.paddingBefore
        guard h >= 0, w >= 0, h < problem.size.0, w < problem.size.1 else { continue }
        let from = ((photo * problem.size.0 + h) * problem.size.1 + w) * cin
        for c in 0..<cin {
          for o in 0..<cout {
            let weight = (tap * cin + c) * cout + o
            y[position * cout + o] += a[from + c] * k[weight]
            dx[from + c] += d[position * cout + o] * k[weight]
            dw[weight] += d[position * cout + o] * a[from + c]
          }
        }
      }
    }
    return (y, dx, dw, db)
  }
}
