import Compute
import Synchronization
import TestSupport
import Testing

struct ConvolutionCase: CustomTestStringConvertible, Sendable {
  var height: Int
  var width: Int
  var cin: Int
  var cout: Int
  var window: (Int, Int) = (3, 3)
  var strides: (Int, Int) = (1, 1)
  var padding = Padding.same
  var photos = 1

  var testDescription: String {
    "\(photos)x\(height)x\(width)x\(cin) to \(cout), \(window) / \(strides) \(padding)"
  }

  static let table: [ConvolutionCase] = [
    .init(height: 1, width: 1, cin: 1, cout: 1),
    .init(height: 1, width: 1, cin: 16, cout: 32, photos: 3),
    .init(height: 2, width: 3, cin: 5, cout: 7),
    .init(height: 4, width: 4, cin: 16, cout: 16, photos: 2),
    .init(height: 5, width: 9, cin: 17, cout: 33),
    .init(height: 9, width: 9, cin: 64, cout: 48, photos: 5),
    .init(height: 12, width: 8, cin: 32, cout: 64),
    .init(height: 13, width: 31, cin: 24, cout: 40, photos: 2),
    .init(height: 18, width: 18, cin: 130, cout: 70),
    .init(height: 37, width: 22, cin: 64, cout: 96),
    .init(height: 14, width: 15, cin: 64, cout: 64, photos: 3),
    .init(height: 18, width: 18, cin: 48, cout: 80, photos: 2),
    .init(height: 19, width: 25, cin: 64, cout: 32, photos: 4),
    .init(height: 12, width: 14, cin: 48, cout: 48, padding: .valid, photos: 2),
    .init(height: 8, width: 8, cin: 32, cout: 32, padding: .valid),
    .init(height: 3, width: 3, cin: 32, cout: 32, padding: .valid, photos: 2),
    .init(height: 2, width: 2, cin: 32, cout: 32, padding: .valid),
    .init(height: 20, width: 21, cin: 3, cout: 64),
    .init(height: 20, width: 21, cin: 3, cout: 64, strides: (2, 2), photos: 2),
    .init(height: 23, width: 24, cin: 3, cout: 10, window: (7, 7), strides: (2, 2)),
    .init(
      height: 23, width: 24, cin: 3, cout: 10, window: (7, 7), strides: (2, 2),
      padding: .valid),
    .init(height: 7, width: 7, cin: 65, cout: 31, window: (1, 1), photos: 3),
    .init(height: 7, width: 8, cin: 16, cout: 64, window: (1, 1), strides: (2, 2)),
    .init(
      height: 15, width: 13, cin: 96, cout: 70, window: (1, 1), strides: (2, 3), padding: .valid,
      photos: 2),
    .init(height: 9, width: 14, cin: 20, cout: 40, window: (5, 2), strides: (2, 1)),
    .init(height: 6, width: 6, cin: 4, cout: 4, window: (2, 2), strides: (3, 3)),
    .init(height: 0, width: 5, cin: 4, cout: 4),
  ]
}

@Suite struct InferencePlanTests {
  @Test(arguments: ConvolutionCase.table)
  func convolutionAgreesWithItsDefinitionOnEveryInstructionSet(_ c: ConvolutionCase) {
    let kernel = Tensor.random(
      [c.window.0, c.window.1, c.cin, c.cout], seed: 1,
      deviation: 1 / Float(c.window.0 * c.window.1 * c.cin).squareRoot())
    let bias = Tensor.random([c.cout], seed: 2).scalars
    let batch = Tensor.random([c.photos, c.height, c.width, c.cin], seed: 3)
    let sums = (0..<c.photos).flatMap { photo in
      NaivePlan.convolution(
        NaivePlan.picture(batch, photo: photo), kernel: kernel, bias: bias,
        strides: c.strides, padding: c.padding
      ).values
    }
    for function in [PointwiseFunction.linear, .relu, .rectifier(.init(ceiling: 0.5))] {
      var builder = InferencePlanBuilder()
      let x = builder.input(shape: [c.height, c.width, c.cin], name: "x")
      let y = builder.convolution(
        x, kernel: kernel, bias: bias, strides: c.strides, padding: c.padding, name: "y")
      let z = builder.activation(y, function, name: "z")
      let expected = NaivePlan.pointwise(sums, function, rowLength: 1).map { Float($0) }
      for kernels in KernelTable.tested {
        for choice in ConvolutionChoice.allCases {
          let plan = builder.build(outputs: [z], kernels: kernels, convolutions: choice)
          let result = plan.run(batch)[0]
          #expect(result.shape == [c.photos] + builder.shape(of: z))
          // Winograd's larger tiles round more: up to 5e-5 of what outputs usually are.
          expectClose(
            result.scalars, expected, absolute: choice == .direct ? 2e-5 : 6e-5, relative: 1e-5,
            "\(kernels.name) \(function) \(choice)")
        }
      }
    }
  }

  @Test(arguments: ConvolutionCase.table.filter { $0.cin % 2 == 0 })
  func convolutionInBF16RoundsWhatItMultipliesAndNothingElse(_ c: ConvolutionCase) {
    let kernel = Tensor.random(
      [c.window.0, c.window.1, c.cin, c.cout], seed: 1,
      deviation: 1 / Float(c.window.0 * c.window.1 * c.cin).squareRoot())
    let batch = Tensor.random([c.photos, c.height, c.width, c.cin], seed: 3)
    let (rounded, roundedKernel) = (Self.rounded(batch), Self.rounded(kernel))
    let expected = (0..<c.photos).flatMap { photo in
      NaivePlan.convolution(
        NaivePlan.picture(rounded, photo: photo), kernel: roundedKernel, bias: nil,
        strides: c.strides, padding: c.padding
      ).values.map { Float($0) }
    }
    var builder = InferencePlanBuilder()
    let x = builder.input(shape: [c.height, c.width, c.cin], name: "x")
    let y = builder.convolution(
      x, kernel: kernel, bias: nil, strides: c.strides, padding: c.padding, name: "y")
    for kernels in KernelTable.tested {
      let direct = builder.build(
        outputs: [y], kernels: kernels, convolutions: .direct, precision: .bf16
      ).run(batch)[0]
      expectClose(
        direct.scalars, expected, absolute: 2e-5, relative: 1e-5, "\(kernels.name) direct")
      // Winograd rounds sums of pixels and of weights: more than the numbers themselves.
      let fastest = builder.build(
        outputs: [y], kernels: kernels, convolutions: .fastest, precision: .bf16
      ).run(batch)[0]
      expectClose(fastest.scalars, expected, absolute: 0.15, "\(kernels.name) fastest")
      #expect(Self.cosine(fastest.scalars, expected) > 0.9995, "\(kernels.name)")
    }
  }

  /// What lies between convolutions is stored as the next one reads it: the same as rounding it.
  @Test(arguments: ConvolutionChoice.allCases)
  func bf16BetweenConvolutionsIsWhatTheNextOneWouldRound(_ choice: ConvolutionChoice) {
    func kernel(_ shape: [Int], _ seed: UInt64) -> Tensor {
      .random(
        shape, seed: seed, deviation: (1 / Float(shape[0] * shape[1] * shape[2])).squareRoot())
    }
    let first = kernel([3, 3, 16, 48], 1)
    let second = kernel([1, 1, 48, 42], 2)
    let third = kernel([3, 3, 42, 42], 3)
    let last = kernel([3, 3, 16, 16], 4)
    let batch = Tensor.random([3, 13, 11, 16], seed: 5)
    for kernels in KernelTable.tested {
      func run(_ x: Tensor, _ describe: (inout InferencePlanBuilder, PlanValue) -> [PlanValue])
        -> [Tensor]
      {
        var builder = InferencePlanBuilder()
        let value = builder.input(shape: Array(x.shape.dropFirst()), name: "x")
        let outputs = describe(&builder, value)
        return builder.build(
          outputs: outputs, kernels: kernels, convolutions: choice, precision: .bf16
        ).run(x)
      }
      func convolve(
        _ builder: inout InferencePlanBuilder, _ x: PlanValue, _ kernel: Tensor, _ stride: Int = 1
      ) -> PlanValue {
        let y = builder.convolution(
          x, kernel: kernel, bias: nil, strides: (stride, stride), padding: .same, name: "y")
        return builder.activation(y, .relu, name: "relu")
      }
      let together = run(batch) { builder, x in
        let a = convolve(&builder, x, first)
        let b = convolve(&builder, a, second, 2)
        let c = builder.convolution(
          b, kernel: third, bias: nil, strides: (1, 1), padding: .same, name: "c")
        return [builder.sum([c, b], name: "sum"), convolve(&builder, x, last)]
      }
      let a = Self.rounded(run(batch) { builder, x in [convolve(&builder, x, first)] }[0])
      let b = Self.rounded(run(a) { builder, x in [convolve(&builder, x, second, 2)] }[0])
      let c = run(b) { builder, x in
        [
          builder.convolution(
            x, kernel: third, bias: nil, strides: (1, 1), padding: .same, name: "c")
        ]
      }[0]
      expectClose(
        together[0].scalars, zip(c.scalars, b.scalars).map(+), absolute: 1e-6, relative: 1e-6,
        "\(kernels.name) \(choice)")
    }
  }

  /// To the nearest number of 8 bits, ties to even.
  private static func rounded(_ x: Tensor) -> Tensor {
    Tensor(
      shape: x.shape,
      scalars: x.scalars.map { value in
        let bits = value.bitPattern
        return Float(bitPattern: (bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff_0000)
      })
  }

  private static func cosine(_ a: [Float], _ b: [Float]) -> Double {
    func dot(_ a: [Float], _ b: [Float]) -> Double {
      zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    return a.isEmpty ? 1 : dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
  }

  @Test(arguments: [PoolingKind.max, .average], [Padding.valid, .same])
  func poolingAgreesWithItsDefinition(_ kind: PoolingKind, _ padding: Padding) {
    for (shape, window, strides) in [
      ([6, 7, 5], (2, 2), (2, 2)), ([7, 6, 16], (3, 3), (2, 2)), ([5, 5, 1], (3, 2), (1, 3)),
      ([4, 4, 33], (1, 1), (1, 1)), ([9, 8, 17], (3, 3), (1, 1)),
    ] {
      let batch = Tensor.random([2] + shape, seed: 4)
      var builder = InferencePlanBuilder()
      let x = builder.input(shape: shape, name: "x")
      let y = builder.pooling(
        x, kind: kind, window: window, strides: strides, padding: padding, name: "y")
      let all = builder.globalPooling(x, kind: kind, name: "all")
      let results = builder.build(outputs: [y, all]).run(batch)
      let pictures = (0..<2).map { NaivePlan.picture(batch, photo: $0) }
      expectClose(
        results[0].scalars,
        pictures.flatMap {
          NaivePlan.pooling(
            $0, kind: kind, window: window, strides: strides, padding: padding
          ).values.map { Float($0) }
        }, "\(shape) \(window) \(strides)")
      expectClose(
        results[1].scalars,
        pictures.flatMap {
          NaivePlan.pooling(
            $0, kind: kind, window: (shape[0], shape[1]), strides: (1, 1), padding: .valid
          ).values.map { Float($0) }
        }, "global \(shape)")
      #expect(results[1].shape == [2, shape[2]])
    }
  }

  @Test(arguments: [(1, 1, 1), (3, 5, 7), (20, 64, 33), (2, 257, 64), (17, 130, 1)])
  func denseAndPointwiseFunctionsAgreeWithTheirDefinitions(
    _ photos: Int, _ inputs: Int, _ outputs: Int
  ) {
    let kernel = Tensor.random([inputs, outputs], seed: 5, deviation: 0.1)
    let bias = Tensor.random([outputs], seed: 6).scalars
    let batch = Tensor.random([photos, inputs], seed: 7)
    var sums: [Double] = []
    for n in 0..<photos {
      for o in 0..<outputs {
        sums.append(
          (0..<inputs).reduce(Double(bias[o])) { sum, i in
            sum + Double(batch.scalars[n * inputs + i]) * Double(kernel.scalars[i * outputs + o])
          })
      }
    }
    for function in [PointwiseFunction.linear, .relu, .sigmoid, .tanh, .softmax] {
      var builder = InferencePlanBuilder()
      let x = builder.input(shape: [inputs], name: "x")
      let y = builder.dense(x, kernel: kernel, bias: bias, name: "y")
      let z = builder.activation(y, function, name: "z")
      expectClose(
        builder.build(outputs: [z]).run(batch)[0].scalars,
        NaivePlan.pointwise(sums, function, rowLength: outputs).map { Float($0) },
        "\(function)")
    }
  }

  @Test(
    arguments: [(8, 8), (13, 11), (9, 9), (4, 5), (2, 2), (1, 4), (16, 7)], [false, true])
  func poolingFusedIntoAConvolutionAgreesWithItsDefinition(
    _ size: (height: Int, width: Int), _ reluFirst: Bool
  ) {
    let kernel = Tensor.random([3, 3, 16, 48], seed: 31, deviation: 0.1)
    let bias = Tensor.random([48], seed: 32).scalars
    let batch = Tensor.random([3, size.height, size.width, 16], seed: 33)
    let expected = (0..<3).flatMap { photo in
      let maps = NaivePlan.convolution(
        NaivePlan.picture(batch, photo: photo), kernel: kernel, bias: bias, strides: (1, 1),
        padding: .same)
      return NaivePlan.pooling(
        maps, kind: .max, window: (2, 2), strides: (2, 2), padding: .valid
      ).values.map { Float(max($0, 0)) }
    }
    var builder = InferencePlanBuilder()
    let x = builder.input(shape: [size.height, size.width, 16], name: "x")
    var y = builder.convolution(
      x, kernel: kernel, bias: bias, strides: (1, 1), padding: .same, name: "y")
    if reluFirst { y = builder.activation(y, .relu, name: "relu") }
    y = builder.pooling(
      y, kind: .max, window: (2, 2), strides: (2, 2), padding: .valid, name: "pool")
    if !reluFirst { y = builder.activation(y, .relu, name: "relu") }
    for kernels in KernelTable.tested {
      let result = builder.build(outputs: [y], kernels: kernels).run(batch)[0]
      #expect(result.shape == [3, size.height / 2, size.width / 2, 48])
      expectClose(result.scalars, expected, absolute: 2e-5, "\(kernels.name)")
    }
  }

  /// A shallow convolution and the one after it are done together where rows are long.
  @Test(arguments: Precision.allCases, [(50, 97, false), (49, 131, true), (64, 112, true)])
  func chainsOfConvolutionsAreWhatTheirPartsAre(
    _ precision: Precision, _ size: (height: Int, width: Int, pooled: Bool)
  ) {
    let first = Tensor.random([3, 3, 3, 32], seed: 51, deviation: 0.2)
    let second = Tensor.random([3, 3, 32, 48], seed: 52, deviation: 0.06)
    let bias = Tensor.random([32], seed: 53).scalars
    let batch = Tensor.random([3, size.height, size.width, 3], seed: 54)
    func plan(_ kernels: KernelTable, _ choice: ConvolutionChoice, between: Bool) -> InferencePlan {
      var builder = InferencePlanBuilder()
      let x = builder.input(shape: [size.height, size.width, 3], name: "x")
      var y = builder.convolution(
        x, kernel: first, bias: bias, strides: (1, 1), padding: .same, name: "first")
      y = builder.activation(y, .relu, name: "relu")
      let middle = y
      y = builder.convolution(
        y, kernel: second, bias: nil, strides: (1, 1), padding: .same, name: "second")
      if size.pooled {
        y = builder.pooling(
          y, kind: .max, window: (2, 2), strides: (2, 2), padding: .valid, name: "pool")
      }
      y = builder.activation(y, .relu, name: "last")
      return builder.build(
        outputs: between ? [y, middle] : [y], kernels: kernels, convolutions: choice,
        precision: precision)
    }
    for kernels in KernelTable.tested {
      let chained = plan(kernels, .fastest, between: false)
      let steps = chained.profile(batch)
      #expect(steps[0].name.hasPrefix("first + relu + second"))
      let result = chained.run(batch)[0]
      let apart = plan(kernels, .fastest, between: true)
      #expect(apart.profile(batch).count == steps.count + 1)
      // In bf16 what is asked for is kept as float32.
      let same = result == apart.run(batch)[0] || precision == .bf16
      #expect(same, "\(kernels.name)")
      expectClose(
        result.scalars, plan(kernels, .direct, between: false).run(batch)[0].scalars,
        absolute: precision == .f32 ? 6e-5 : 0.15, "\(kernels.name)")
      let before = Threads.count
      defer { Threads.count = before }
      for threads in [1, 3, 8] {
        Threads.count = threads
        let same = chained.run(batch.rows(1..<2)).first == result.rows(1..<2)
        #expect(same, "\(threads) threads")
      }
    }
  }

  @Test func valuesUsedTwiceAndOutputsInTheMiddleSurviveFusion() {
    var builder = InferencePlanBuilder()
    let x = builder.input(shape: [8, 8, 16], name: "x")
    let kernel = Tensor.random([3, 3, 16, 32], seed: 8, deviation: 0.1)
    let maps = builder.convolution(
      x, kernel: kernel, bias: nil, strides: (1, 1), padding: .same, name: "maps")
    let relu = builder.activation(maps, .relu, name: "relu")
    let pooled = builder.pooling(
      relu, kind: .max, window: (2, 2), strides: (2, 2), padding: .valid, name: "pool")
    let tanh = builder.activation(maps, .tanh, name: "tanh")
    let flat = builder.reshape(pooled, to: [4 * 4 * 32], name: "flat")
    let unused = builder.activation(pooled, .sigmoid, name: "unused")
    #expect(builder.shape(of: unused) == [4, 4, 32])
    let results = builder.build(outputs: [relu, flat, tanh, x, flat])
      .run(Tensor.random([3, 8, 8, 16], seed: 9))
    #expect(
      results.map(\.shape) == [
        [3, 8, 8, 32], [3, 512], [3, 8, 8, 32], [3, 8, 8, 16], [3, 512],
      ])
    #expect(results[3] == Tensor.random([3, 8, 8, 16], seed: 9))
    #expect(results[1] == results[4])
    for n in 0..<3 {
      let picture = NaivePlan.convolution(
        NaivePlan.picture(results[3], photo: n), kernel: kernel, bias: nil, strides: (1, 1),
        padding: .same)
      let positive = NaivePlan.Picture(
        height: 8, width: 8, channels: 32, values: picture.values.map { max($0, 0) })
      let expected = NaivePlan.pooling(
        positive, kind: .max, window: (2, 2), strides: (2, 2), padding: .valid)
      expectClose(results[0].rows(n..<n + 1).scalars, positive.values.map { Float($0) })
      expectClose(results[1].rows(n..<n + 1).scalars, expected.values.map { Float($0) })
      expectClose(
        results[2].rows(n..<n + 1).scalars,
        NaivePlan.pointwise(picture.values, .tanh, rowLength: 32).map { Float($0) })
    }
  }

  /// A small network with every kind of operation; the batch is larger than one chunk.
  private static func mixedPlan(_ precision: Precision) -> InferencePlan {
    var builder = InferencePlanBuilder()
    func weights(_ shape: [Int], _ seed: UInt64) -> Tensor {
      .random(
        shape, seed: seed,
        deviation: (2 / Float(shape.dropLast().reduce(1, *))).squareRoot())
    }
    var x = builder.input(shape: [26, 22, 3], name: "photo")
    for (index, (cin, cout, pool)) in [(3, 32, false), (32, 48, true), (48, 64, true)].enumerated()
    {
      x = builder.convolution(
        x, kernel: weights([3, 3, cin, cout], UInt64(index)),
        bias: weights([cout], 10).scalars, strides: (1, 1), padding: .same, name: "conv\(index)")
      x = builder.activation(x, .relu, name: "relu\(index)")
      if pool {
        x = builder.pooling(
          x, kind: .max, window: (2, 2), strides: (2, 2), padding: .valid, name: "pool\(index)")
      }
    }
    x = builder.convolution(
      x, kernel: weights([1, 1, 64, 20], 11), bias: nil, strides: (2, 2), padding: .valid,
      name: "one")
    let mean = builder.globalPooling(x, kind: .average, name: "mean")
    x = builder.reshape(x, to: [3 * 3 * 20], name: "flat")
    x = builder.dense(x, kernel: weights([180, 37], 12), bias: nil, name: "dense")
    x = builder.activation(x, .softmax, name: "answer")
    return builder.build(outputs: [x, mean], precision: precision)
  }

  @Test(arguments: Precision.allCases)
  func resultsDoNotDependOnTheBatch(_ precision: Precision) {
    let plan = Self.mixedPlan(precision)
    let batch = Tensor.random([71, 26, 22, 3], seed: 13)
    let together = plan.run(batch)
    for size in [1, 2, 3, 20, 33] {
      var pieces = [[Float]](repeating: [], count: together.count)
      for start in stride(from: 0, to: 71, by: size) {
        let results = plan.run(batch.rows(start..<min(start + size, 71)))
        for (index, result) in results.enumerated() { pieces[index] += result.scalars }
      }
      #expect(pieces == together.map(\.scalars), "batches of \(size)")
    }
    #expect(plan.run(Tensor(zeros: [0, 26, 22, 3])).map(\.shape) == [[0, 37], [0, 20]])
  }

  /// Values of over a megabyte make a plan run its first steps for a few photos at a time, or for one
  /// on each thread.
  @Test(arguments: [1, 2, 3, 16])
  func resultsDoNotDependOnTheBatchWherePhotosAreLarge(_ threads: Int) {
    var builder = InferencePlanBuilder()
    let x = builder.input(shape: [190, 201, 3], name: "photo")
    func convolution(_ x: PlanValue, _ outputs: Int, _ name: String) -> PlanValue {
      let inputs = builder.shape(of: x)[2]
      return builder.convolution(
        x, kernel: .random([3, 3, inputs, outputs], seed: 20, deviation: 0.2), bias: nil,
        strides: (1, 1), padding: .same, name: name)
    }
    let a = builder.activation(convolution(x, 16, "a"), .relu, name: "relu")
    let b = builder.sum([convolution(a, 16, "b"), a], name: "sum")
    let c = builder.pooling(
      b, kind: .max, window: (6, 6), strides: (6, 6), padding: .valid, name: "c")
    let d = convolution(c, 32, "d")
    let e = builder.globalPooling(b, kind: .average, name: "e")
    let f = builder.globalPooling(d, kind: .max, name: "f")
    let g = builder.globalPooling(c, kind: .max, name: "g")
    let plan = builder.build(outputs: [c, e, f, g])
    let batch = Tensor.random([14, 190, 201, 3], seed: 21)
    let before = Threads.count
    defer { Threads.count = before }
    Threads.count = threads
    for _ in 0..<3 {
      let together = plan.run(batch)
      let apart = (0..<14).map { plan.run(batch.rows($0..<$0 + 1)) }
      for output in together.indices {
        let same = together[output].scalars == apart.flatMap { $0[output].scalars }
        #expect(same, "output \(output)")
      }
    }
  }

  @Test(arguments: Precision.allCases)
  func resultsDoNotDependOnTheThreads(_ precision: Precision) {
    let plan = Self.mixedPlan(precision)
    let batch = Tensor.random([5, 26, 22, 3], seed: 14)
    let before = Threads.count
    defer { Threads.count = before }
    Threads.count = 1
    let expected = plan.run(batch)
    for threads in [2, 3, 8] {
      Threads.count = threads
      #expect(plan.run(batch) == expected, "\(threads) threads")
      #expect(Self.mixedPlan(precision).run(batch) == expected, "built by \(threads) threads")
    }
  }

  /// For a few photos kernels are transformed as they are used.
  @Test(arguments: Precision.allCases)
  func resultsDoNotDependOnHowManyPhotosWereForeseen(_ precision: Precision) {
    let batch = Tensor.random([40, 10, 13, 96], seed: 21)
    let kernel = Tensor.random([3, 3, 96, 176], seed: 22, deviation: 0.05)
    let before = Threads.count
    defer { Threads.count = before }
    for kernels in KernelTable.tested {
      var builder = InferencePlanBuilder()
      let x = builder.input(shape: [10, 13, 96], name: "x")
      let y = builder.convolution(
        x, kernel: kernel, bias: nil, strides: (1, 1), padding: .same, name: "y")
      func plan(photos: Int?) -> InferencePlan {
        builder.build(outputs: [y], kernels: kernels, precision: precision, photos: photos)
      }
      let expected = plan(photos: nil).run(batch)
      for photos in [0, 1, 3, 9, 40] {
        for threads in [1, 2, 3] {
          Threads.count = threads
          let plan = plan(photos: photos)
          let few = plan.run(batch.rows(0..<photos)) == [expected[0].rows(0..<photos)]
          #expect(few, "\(photos) photos, \(threads) threads, \(kernels.name)")
          let many = plan.run(batch) == expected
          #expect(many, "more than \(photos) photos, \(threads) threads, \(kernels.name)")
        }
      }
    }
  }

  /// For a few photos kernels are laid out as they are used.
  @Test(
    arguments: [
      ConvolutionCase(height: 1, width: 1, cin: 200, cout: 100, window: (1, 1)),
      ConvolutionCase(height: 7, width: 7, cin: 65, cout: 31, window: (1, 1)),
      ConvolutionCase(height: 9, width: 8, cin: 64, cout: 70, window: (1, 1), strides: (2, 2)),
      ConvolutionCase(height: 12, width: 11, cin: 20, cout: 40, strides: (2, 2)),
      ConvolutionCase(height: 9, width: 9, cin: 6, cout: 33, window: (5, 5), padding: .valid),
    ], Precision.allCases)
  func resultsDoNotDependOnWhetherPanelsAreKept(_ c: ConvolutionCase, _ precision: Precision) {
    let batch = Tensor.random([6, c.height, c.width, c.cin], seed: 25)
    let kernel = Tensor.random([c.window.0, c.window.1, c.cin, c.cout], seed: 26)
    let before = Threads.count
    defer { Threads.count = before }
    for kernels in KernelTable.tested {
      var builder = InferencePlanBuilder()
      let x = builder.input(shape: [c.height, c.width, c.cin], name: "x")
      let y = builder.convolution(
        x, kernel: kernel, bias: nil, strides: c.strides, padding: c.padding, name: "y")
      func plan(photos: Int?) -> InferencePlan {
        builder.build(outputs: [y], kernels: kernels, precision: precision, photos: photos)
      }
      let expected = plan(photos: nil).run(batch)
      for (photos, threads) in [(1, 1), (1, 2), (2, 3)] {
        Threads.count = threads
        let plan = plan(photos: photos)
        let few = plan.run(batch.rows(0..<photos)) == [expected[0].rows(0..<photos)]
        #expect(few, "\(photos) photos, \(threads) threads, \(kernels.name)")
        let many = plan.run(batch) == expected
        #expect(many, "more than \(photos) photos, \(threads) threads, \(kernels.name)")
      }
    }
  }

  /// Kernels that lie in somebody else's memory: it is let go once they are laid out.
  @Test func lentKernelsGiveTheSameResults() {
    let batch = Tensor.random([1, 14, 14, 128], seed: 27)
    let kernel = Tensor.random([3, 3, 128, 128], seed: 28, deviation: 0.05)
    let dense = Tensor.random([128, 40], seed: 29)
    let letGo = Mutex(0)
    kernel.scalars.withUnsafeBufferPointer { numbers in
      dense.scalars.withUnsafeBufferPointer { rows in
        func result(_ kernel: Tensor, _ dense: Tensor, photos: Int?) -> [Tensor] {
          var builder = InferencePlanBuilder()
          let x = builder.input(shape: [14, 14, 128], name: "x")
          let y = builder.convolution(
            x, kernel: kernel, bias: nil, strides: (1, 1), padding: .same, name: "y")
          let z = builder.globalPooling(y, kind: .average, name: "z")
          let w = builder.dense(z, kernel: dense, bias: nil, name: "w")
          return builder.build(outputs: [w], photos: photos).run(batch)
        }
        let lent = Tensor(
          shape: kernel.shape, lent: LentNumbers(numbers) { letGo.withLock { $0 += 1 } })
        let lentDense = Tensor(
          shape: dense.shape, lent: LentNumbers(rows) { letGo.withLock { $0 += 1 } })
        let expected = result(kernel, dense, photos: nil)
        #expect(result(lent, lentDense, photos: 1) == expected)
        #expect(letGo.withLock { $0 } == 0, "nothing is let go that will be used")
        #expect(result(lent, lentDense, photos: nil) == expected)
        #expect(letGo.withLock { $0 } == 2)
      }
    }
  }

  /// What a file lends is copied where it will be wanted again and again: the file may change.
  @Test func longRunsKeepTheirKernels() {
    let batch = Tensor.random([2, 9, 9, 512], seed: 30)
    let small = Tensor.random([1, 9, 9, 4], seed: 31)
    var numbers = Tensor.random([3, 3, 512, 512], seed: 32, deviation: 0.02).scalars
    var others = Tensor.random([3, 3, 6, 4], seed: 33).scalars
    let before = Threads.count
    defer { Threads.count = before }
    Threads.count = 2
    numbers.withUnsafeMutableBufferPointer { numbers in
      others.withUnsafeMutableBufferPointer { others in
        func lent(_ memory: UnsafeMutableBufferPointer<Float>, _ shape: [Int]) -> Tensor {
          Tensor(shape: shape, lent: LentNumbers(UnsafeBufferPointer(memory)) {})
        }
        var builder = InferencePlanBuilder()
        let x = builder.input(shape: [9, 9, 512], name: "x")
        let y = builder.convolution(
          x, kernel: lent(numbers, [3, 3, 512, 512]), bias: nil, strides: (1, 1), padding: .same,
          name: "y")
        let great = builder.build(outputs: [y])
        builder = InferencePlanBuilder()
        let a = builder.input(shape: [9, 9, 4], name: "a")
        let b = builder.transposedConvolution(
          a, kernel: lent(others, [3, 3, 6, 4]), bias: nil, strides: (2, 2), padding: .same,
          outputPadding: nil, name: "b")
        let transposed = builder.build(outputs: [b])
        let expected = (great.run(batch), transposed.run(small))
        numbers.update(repeating: 0)
        others.update(repeating: 0)
        let same = great.run(batch) == expected.0 && transposed.run(small) == expected.1
        #expect(same)
      }
    }
  }

  /// Few threads transform such kernels as they use them, many keep them.
  @Test func resultsDoNotDependOnWhetherGreatKernelsAreKept() {
    let batch = Tensor.random([9, 9, 9, 512], seed: 23)
    var builder = InferencePlanBuilder()
    let x = builder.input(shape: [9, 9, 512], name: "x")
    let y = builder.convolution(
      x, kernel: .random([3, 3, 512, 512], seed: 24, deviation: 0.02), bias: nil,
      strides: (1, 1), padding: .same, name: "y")
    let before = Threads.count
    defer { Threads.count = before }
    Threads.count = 16
    let expected = builder.build(outputs: [y]).run(batch)[0]
    for threads in [1, 2] {
      Threads.count = threads
      let plan = builder.build(outputs: [y])
      #expect(plan.run(batch)[0] == expected, "\(threads) threads")
      #expect(plan.run(batch.rows(8..<9))[0] == expected.rows(8..<9), "\(threads) threads")
    }
  }

  @Test func severalThreadsMayRunOnePlan() async {
    let plan = Self.mixedPlan(.f32)
    let batch = Tensor.random([4, 26, 22, 3], seed: 15)
    let expected = plan.run(batch)
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<6 { group.addTask { plan.run(batch) == expected } }
      for await same in group { #expect(same) }
    }
  }

  @Test func profileNamesEveryStep() {
    let steps = Self.mixedPlan(.f32).profile(Tensor.random([2, 26, 22, 3], seed: 16))
    #expect(steps.contains { $0.name.hasPrefix("conv0") })
    #expect(steps.last?.name == "answer")
    let first = steps.first { $0.name.hasPrefix("conv0") }
    #expect(first?.floatingPointOperations == 2 * 2 * 26 * 22 * 27 * 32)
  }
}
