import Compute

/// VGG16 without its head, random weights, straight through the plan builder.
func makeVGG16(size: Int) -> InferencePlan {
  var random = SeededRandom(seed: 1)
  var builder = InferencePlanBuilder()
  var x = builder.input(shape: [size, size, 3], name: "photo")
  let blocks = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]
  for (block, (layers, channels)) in blocks.enumerated() {
    for layer in 1...layers {
      let name = "block\(block + 1)_conv\(layer)"
      let inputs = builder.shape(of: x)[2]
      // Uniform with the variance of He's normal: quick to draw.
      let limit = (6 / Float(9 * inputs)).squareRoot()
      let kernel = Tensor(shape: [3, 3, inputs, channels]) { weights in
        for i in 0..<9 * inputs * channels { weights[i] = limit * (2 * random.uniform() - 1) }
      }
      x = builder.convolution(
        x, kernel: kernel, bias: [Float](repeating: 0.01, count: channels), strides: (1, 1),
        padding: .same, name: name)
      x = builder.activation(x, .relu, name: "relu")
    }
    x = builder.pooling(
      x, kind: .max, window: (2, 2), strides: (2, 2), padding: .valid, name: "pool")
  }
  let maps = x
  var plan: InferencePlan?
  let time = seconds { plan = builder.build(outputs: [maps]) }
  print("plan built in \((time * 1e3).column(0)) ms")
  return plan!
}

/// Photos per second of the VGG16 base; `tl bench` shows where the time of any base goes.
func benchmarkVGG16(_ arguments: Arguments) {
  let (size, batch) = (arguments.integer("size", 150), arguments.integer("batch", 20))
  print("VGG16 base, \(size) px, batches of \(batch); \(BLAS.line)")
  let plan = makeVGG16(size: size)
  var random = SeededRandom(seed: 2)
  let photos = Tensor(shape: [batch, size, size, 3]) { pixels in
    for i in 0..<batch * size * size * 3 { pixels[i] = random.uniform() }
  }
  print("first batch \((seconds { _ = plan.run(photos) } * 1e3).column(0)) ms")
  let times = (0..<arguments.integer("rounds", 10)).map { _ in seconds { _ = plan.run(photos) } }
    .sorted()
  let (best, median) = (times[0], times[times.count / 2])
  print(
    "\((Double(batch) / best).column(0)) photos/s best, \((Double(batch) / median).column(0)) "
      + "median, \((best * 1e3).column(0)) ms a batch")
}
