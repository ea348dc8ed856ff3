import Compute
import Layers
import Training

/// The book's head on cached features of VGG16: steps per second.
func benchmarkHead(_ arguments: Arguments) {
  let (inputs, units) = (arguments.integer("inputs", 8192), arguments.integer("units", 256))
  let batch = arguments.integer("batch", 20)
  print("Head \(inputs) -> \(units) -> 1, batches of \(batch), RMSprop; \(BLAS.line)")
  let kernel = inputs * units + units
  // Forward and the gradient of the kernel; the input needs none.
  benchmarkTraining(
    arguments, layers: headLayers(inputs: inputs, units: units), inputShape: [inputs],
    work: 4 * batch * kernel)
}

/// The last block of VGG16 and a head, trained on what leaves the block before: steps per second.
func benchmarkBlock5(_ arguments: Arguments) {
  let side = arguments.integer("size", 150) / 16
  let batch = arguments.integer("batch", 20)
  print(
    "Block 5 at \(arguments.integer("size", 150)) px and a head, batches of \(batch), RMSprop; "
      + BLAS.line)
  var random = SeededRandom(seed: 1)
  let convolutions = (1...3).map { index in
    var layer: any Layer = Conv2D(
      name: "block5_conv\(index)", kernel: Tensor(zeros: [3, 3, 512, 512]),
      bias: Tensor(zeros: [512]), padding: .same, activation: .relu)
    layer.initialize(random: &random)
    return layer
  }
  let features = (side / 2) * (side / 2) * 512
  // Forward and both gradients, but the lowest layer's input needs none.
  let one = 2 * side * side * 9 * 512 * 512
  benchmarkTraining(
    arguments,
    layers: convolutions + [MaxPooling2D(name: "block5_pool"), Flatten(name: "flatten")]
      + headLayers(inputs: features, units: 256),
    inputShape: [side, side, 512], work: batch * (8 * one + 6 * features * 256))
}

private func headLayers(inputs: Int, units: Int) -> [any Layer] {
  [
    Dense(
      name: "dense", kernel: Tensor(zeros: [inputs, units]), bias: Tensor(zeros: [units]),
      activation: .relu),
    Dropout(name: "dropout", rate: 0.5),
    Dense(
      name: "dense_1", kernel: Tensor(zeros: [units, 1]), bias: Tensor(zeros: [1]),
      activation: .sigmoid),
  ]
}

private func benchmarkTraining(
  _ arguments: Arguments, layers: [any Layer], inputShape: [Int], work: Int
) {
  var random = SeededRandom(seed: 2)
  var network = Network(name: "suffix", inputShape: inputShape, inputName: "cached")
  do {
    for layer in layers { try network.add(layer) }
    network.initialize(random: &random) { _ in true }
    var trainer = try Trainer(
      network: network, loss: .binaryCrossentropy, settings: TrainingSettings())
    let batch = arguments.integer("batch", 20)
    let values = Tensor(shape: [batch] + inputShape) { values in
      for i in 0..<batch * inputShape.reduce(1, *) { values[i] = max(0, random.normal()) }
    }
    let labels = (0..<batch).map { $0 % 2 }
    _ = trainer.trainStep(values, labels: labels)
    let times = (0..<arguments.integer("rounds", 50)).map { _ in
      seconds { _ = trainer.trainStep(values, labels: labels) }
    }.sorted()
    for (name, time) in [("best", times[0]), ("median", times[times.count / 2])] {
      print(
        name.column(8) + (time * 1e3).column(9, digits: 2) + " ms a step"
          + (1 / time).column(9) + " steps/s"
          + (Double(work) / time * 1e-9).column(7, digits: 0) + " GFLOP/s")
    }
  } catch {
    print("the network cannot be made: \(error)")
  }
}
