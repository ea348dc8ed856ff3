import Compute
import TestSupport
import Testing

/// Plans with branches, normalisation and padding against naive twins, fused and not.
struct FusionTests {
  private static let kernels = KernelTable.tested

  @Test(arguments: [1, 3], [7, 32])
  func scalingAfterAConvolution(_ window: Int, _ outputs: Int) {
    let kernel = Tensor.random([window, window, 16, outputs], seed: 1, deviation: 0.1)
    let bias = Tensor.random([outputs], seed: 2).scalars
    let scale = Tensor.random([outputs], seed: 3).scalars
    let shift = Tensor.random([outputs], seed: 4).scalars
    let batch = Tensor.random([3, 9, 7, 16], seed: 5)
    for bias in [bias, nil] {
      var builder = InferencePlanBuilder()
      let x = builder.input(shape: [9, 7, 16], name: "x")
      let maps = builder.convolution(
        x, kernel: kernel, bias: bias, strides: (1, 1), padding: .same, name: "maps")
      let scaled = builder.scaling(maps, scale: scale, shift: shift, name: "scaled")
      let y = builder.activation(scaled, .relu, name: "relu")
      let expected = (0..<3).flatMap { photo in
        NaivePlan.convolution(
          NaivePlan.picture(batch, photo: photo), kernel: kernel, bias: bias, strides: (1, 1),
          padding: .same
        ).values.enumerated().map { index, value in
          let channel = index % outputs
          return Float(max(value * Double(scale[channel]) + Double(shift[channel]), 0))
        }
      }
      for table in Self.kernels {
        // A value in the middle that is asked for cannot be fused away.
        for (outputs, names) in [
          ([y], ["maps + scaled + relu"]), ([y, maps], ["maps", "scaled + relu"]),
        ] {
          let plan = builder.build(outputs: outputs, kernels: table)
          expectClose(plan.run(batch)[0].scalars, expected, absolute: 3e-5, "\(table.name)")
          #expect(plan.profile(batch).map(\.name) == names)
        }
      }
    }
  }

  @Test func scalingThatFollowsNoConvolution() {
    let batch = Tensor.random([2, 3, 2, 5], seed: 1)
    let scale = Tensor.random([5], seed: 2).scalars
    let shift = Tensor.random([5], seed: 3).scalars
    var builder = InferencePlanBuilder()
    let x = builder.input(shape: [3, 2, 5], name: "x")
    let y = builder.scaling(x, scale: scale, shift: shift, name: "y")
    let z = builder.activation(y, .rectifier(.init(ceiling: 0.75)), name: "z")
    let results = builder.build(outputs: [y, z]).run(batch)
    let expected = batch.scalars.enumerated().map { $1 * scale[$0 % 5] + shift[$0 % 5] }
    expectClose(results[0].scalars, expected, absolute: 1e-6)
    expectClose(results[1].scalars, expected.map { min(max($0, 0), 0.75) }, absolute: 1e-6)
  }

  struct PaddingCase: Sendable {
    var border = PictureBorder(top: 1, bottom: 1, left: 1, right: 1)
    var window = (3, 3)
    var strides = (1, 1)
    var channels = 16
    var outputs = 16
    var isMerged = true
  }

  static let paddings: [PaddingCase] = [
    PaddingCase(),
    PaddingCase(
      border: .init(top: 3, bottom: 3, left: 3, right: 3), window: (7, 7), strides: (2, 2),
      channels: 3, outputs: 10),
    PaddingCase(border: .init(top: 0, bottom: 1, left: 0, right: 1), strides: (2, 2)),
    PaddingCase(border: .init(top: 2, bottom: 0, left: 1, right: 2), outputs: 32),
    PaddingCase(border: .init(top: 2, bottom: 2, left: 2, right: 2)),
    PaddingCase(border: .init(top: 3, bottom: 0, left: 0, right: 0), isMerged: false),
    PaddingCase(window: (1, 1), strides: (2, 2), isMerged: false),
  ]

  @Test(arguments: paddings.indices)
  func paddingBeforeAConvolution(index: Int) {
    let c = Self.paddings[index]
    let kernel = Tensor.random(
      [c.window.0, c.window.1, c.channels, c.outputs], seed: 1, deviation: 0.1)
    let batch = Tensor.random([3, 11, 8, c.channels], seed: 2)
    var builder = InferencePlanBuilder()
    let x = builder.input(shape: [11, 8, c.channels], name: "x")
    let padded = builder.zeroPadding(x, border: c.border, name: "pad")
    let y = builder.convolution(
      padded, kernel: kernel, bias: nil, strides: c.strides, padding: .valid, name: "y")
    let expected = (0..<3).flatMap { photo in
      NaivePlan.convolution(
        NaivePlan.padded(NaivePlan.picture(batch, photo: photo), c.border), kernel: kernel,
        bias: nil, strides: c.strides, padding: .valid
      ).values.map { Float($0) }
    }
    for table in Self.kernels {
      let plan = builder.build(outputs: [y], kernels: table)
      let result = plan.run(batch)[0]
      #expect(result.shape == [3] + builder.shape(of: y))
      expectClose(result.scalars, expected, absolute: 3e-5, "\(table.name)")
      #expect(plan.profile(batch).count == (c.isMerged ? 1 : 2))
    }
    let apart = builder.build(outputs: [y, padded]).run(batch)
    expectClose(apart[0].scalars, expected, absolute: 3e-5)
    #expect(
      apart[1].scalars
        == (0..<3).flatMap { photo in
          NaivePlan.padded(NaivePlan.picture(batch, photo: photo), c.border).values
            .map { Float($0) }
        })
  }

  @Test(arguments: [PoolingKind.max, .average])
  func zerosBeforeAPoolingCount(kind: PoolingKind) {
    // All numbers are negative: where zeros did not count, the border would be another.
    var batch = Tensor.random([2, 7, 6, 5], seed: 3)
    for index in batch.scalars.indices { batch.scalars[index] = -abs(batch.scalars[index]) }
    for (window, strides) in [((3, 3), (2, 2)), ((2, 2), (2, 2)), ((2, 3), (1, 1))] {
      let border = PictureBorder(top: 1, bottom: 1, left: 1, right: 0)
      var builder = InferencePlanBuilder()
      let x = builder.input(shape: [7, 6, 5], name: "x")
      let padded = builder.zeroPadding(x, border: border, name: "pad")
      let y = builder.pooling(
        padded, kind: kind, window: window, strides: strides, padding: .valid, name: "y")
      let plan = builder.build(outputs: [y])
      let expected = (0..<2).flatMap { photo in
        NaivePlan.pooling(
          NaivePlan.padded(NaivePlan.picture(batch, photo: photo), border), kind: kind,
          window: window, strides: strides, padding: .valid
        ).values.map { Float($0) }
      }
      expectClose(plan.run(batch)[0].scalars, expected, absolute: 1e-6, "\(window)")
      #expect(plan.profile(batch).map(\.name) == ["pad + y"])
    }
  }

  /// A residual block: `relu(x + f(x))`, its last convolution 1x1 or 3x3 with some stride.
  @Test(arguments: [(1, 1), (1, 2), (3, 1), (3, 2)], [5, 48])
  func sumsAreAddedWhereTheLastConvolutionStores(_ shape: (Int, Int), _ width: Int) {
    let (window, stride) = shape
    func weights(_ size: Int, _ seed: UInt64) -> Tensor {
      .random([size, size, width, width], seed: seed, deviation: 0.2)
    }
    let bias = Tensor.random([width], seed: 3).scalars
    let batch = Tensor.random([3, 9, 7, width], seed: 4)
    for relu in [false, true] {
      for shortcutLast in [false, true] {
        var builder = InferencePlanBuilder()
        let x = builder.input(shape: [9, 7, width], name: "x")
        func path(_ size: Int, _ seed: UInt64) -> PlanValue {
          builder.convolution(
            x, kernel: weights(size, seed), bias: bias, strides: (stride, stride),
            padding: .same, name: "\(seed)")
        }
        let first = path(shortcutLast ? window : 1, 1)
        let second = path(shortcutLast ? 1 : window, 2)
        var y = builder.sum([first, second], name: "sum")
        if relu { y = builder.activation(y, .relu, name: "relu") }
        let sums = (0..<3).flatMap { photo -> [Double] in
          let picture = NaivePlan.picture(batch, photo: photo)
          let parts = [(shortcutLast ? window : 1, 1), (shortcutLast ? 1 : window, 2)].map {
            NaivePlan.convolution(
              picture, kernel: weights($0.0, UInt64($0.1)), bias: bias,
              strides: (stride, stride), padding: .same
            ).values
          }
          return zip(parts[0], parts[1]).map { $0 + $1 }
        }
        let expected = sums.map { Float(relu ? max($0, 0) : $0) }
        for table in Self.kernels {
          let direct = builder.build(outputs: [y], kernels: table, convolutions: .direct)
          expectClose(direct.run(batch)[0].scalars, expected, absolute: 5e-5, "\(table.name)")
          #expect(direct.profile(batch).count == 2)
          let fastest = builder.build(outputs: [y], kernels: table)
          expectClose(fastest.run(batch)[0].scalars, expected, absolute: 1e-4, "\(table.name)")
          let apart = builder.build(outputs: [y, first, second], kernels: table)
          expectClose(apart.run(batch)[0].scalars, expected, absolute: 1e-4, "\(table.name)")
          #expect(apart.profile(batch).count == 3)
        }
      }
    }
  }

  /// A sum lies where what was added to it lay, unless that is wanted again.
  @Test func sumsTakeNoPlaceThatIsStillWanted() {
    let batch = Tensor.random([3, 9, 7, 48], seed: 4)
    var builder = InferencePlanBuilder()
    var seed: UInt64 = 5
    func convolve(_ x: PlanValue) -> PlanValue {
      seed += 1
      return builder.convolution(
        x, kernel: .random([1, 1, 48, 48], seed: seed, deviation: 0.2), bias: nil,
        strides: (1, 1), padding: .valid, name: "\(seed)")
    }
    let x = builder.input(shape: [9, 7, 48], name: "x")
    let start = convolve(x)
    let first = builder.sum([convolve(convolve(start)), start], name: "first")
    let second = builder.sum([convolve(convolve(first)), first], name: "second")
    let third = builder.sum([convolve(convolve(second)), start], name: "third")
    let fourth = builder.sum([convolve(third), third], name: "fourth")
    let last = builder.sum([convolve(convolve(fourth)), x], name: "last")
    for table in Self.kernels {
      // Outputs stay where they are.
      let kept = builder.build(
        outputs: [last, start, first, second, third, fourth], kernels: table)
      let plan = builder.build(outputs: [last], kernels: table)
      for _ in 0..<2 {
        expectClose(
          plan.run(batch)[0].scalars, kept.run(batch)[0].scalars, absolute: 1e-5,
          "\(table.name)")
      }
    }
  }

  @Test func sumsOfOneValueAndOfThree() {
    let batch = Tensor.random([2, 6], seed: 1)
    var builder = InferencePlanBuilder()
    let x = builder.input(shape: [6], name: "x")
    let y = builder.dense(x, kernel: .random([6, 6], seed: 2), bias: nil, name: "y")
    let twice = builder.sum([y, y], name: "twice")
    let sum = builder.sum([x, y, x], name: "three")
    let results = builder.build(outputs: [y, twice, sum]).run(batch)
    expectClose(results[1].scalars, results[0].scalars.map { 2 * $0 }, absolute: 1e-5)
    let three = zip(batch.scalars, results[0].scalars).map { $0 + $1 + $0 }
    expectClose(results[2].scalars, three, absolute: 1e-5)
  }

  @Test func valuesSideBySide() {
    let batch = Tensor.random([3, 4, 2, 5], seed: 1)
    var builder = InferencePlanBuilder()
    let x = builder.input(shape: [4, 2, 5], name: "x")
    let y = builder.activation(x, .relu, name: "y")
    let z = builder.concatenation([y, x, y], name: "z")
    #expect(builder.shape(of: z) == [4, 2, 15])
    let result = builder.build(outputs: [z]).run(batch)[0]
    #expect(result.shape == [3, 4, 2, 15])
    let expected = (0..<24).flatMap { row in
      let values = batch.scalars[row * 5..<row * 5 + 5]
      return values.map { max($0, 0) } + values + values.map { max($0, 0) }
    }
    #expect(result.scalars == expected)
  }

  /// Two residual blocks and a concatenation; large pictures take the chunk in several parts.
  private static func branchedPlan(_ size: Int) -> InferencePlan {
    var builder = InferencePlanBuilder()
    var seed: UInt64 = 1
    func convolve(_ x: PlanValue, _ window: Int, _ outputs: Int, _ stride: Int) -> PlanValue {
      seed += 1
      let inputs = builder.shape(of: x)[2]
      let sum = builder.convolution(
        x,
        kernel: .random(
          [window, window, inputs, outputs], seed: seed,
          deviation: 1 / Float(window * window * inputs).squareRoot()), bias: nil,
        strides: (stride, stride), padding: .same, name: "conv\(seed)")
      return builder.scaling(
        sum, scale: Tensor.random([outputs], seed: seed + 100).scalars,
        shift: Tensor.random([outputs], seed: seed + 200).scalars, name: "bn\(seed)")
    }
    func relu(_ x: PlanValue) -> PlanValue { builder.activation(x, .relu, name: "relu\(seed)") }
    let photo = builder.input(shape: [size, size + 1, 3], name: "photo")
    let border = PictureBorder(top: 3, bottom: 3, left: 3, right: 3)
    var x = relu(convolve(builder.zeroPadding(photo, border: border, name: "pad"), 7, 16, 2))
    for block in 0..<2 {
      let shortcut = block == 0 ? convolve(x, 1, 48, 1) : x
      let path = convolve(relu(convolve(relu(convolve(x, 1, 16, 1)), 3, 16, 1)), 1, 48, 1)
      x = relu(builder.sum([shortcut, path], name: "sum\(block)"))
    }
    let joined = builder.concatenation([x, convolve(x, 3, 5, 1)], name: "joined")
    let small = convolve(joined, 3, 9, 4)
    let mean = builder.globalPooling(small, kind: .average, name: "mean")
    let largest = builder.globalPooling(x, kind: .max, name: "max")
    return builder.build(outputs: [mean, small, largest])
  }

  @Test(arguments: [20, 200])
  func resultsDoNotDependOnBatchAndThreads(size: Int) {
    let count = size == 20 ? 37 : 5
    let plan = Self.branchedPlan(size)
    let batch = Tensor.random([count, size, size + 1, 3], seed: 9)
    let together = plan.run(batch)
    for size in [1, 3] {
      var pieces = [[Float]](repeating: [], count: together.count)
      for start in stride(from: 0, to: count, by: size) {
        let results = plan.run(batch.rows(start..<min(start + size, count)))
        for (index, result) in results.enumerated() { pieces[index] += result.scalars }
      }
      #expect(pieces == together.map(\.scalars), "batches of \(size)")
    }
    let before = Threads.count
    defer { Threads.count = before }
    for threads in [1, 2, 5] {
      Threads.count = threads
      #expect(plan.run(batch) == together, "\(threads) threads")
    }
  }
}
