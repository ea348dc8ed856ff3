import Compute
import Foundation

/// Single convolutions of well-known networks: the algorithm that a plan picks against direct
/// products, in GFLOP per second of CPU time, which other work on the machine disturbs little.
func benchmarkLayers(_ arguments: Arguments) {
  print("Convolutions, GFLOP per CPU second (direct count, best); \(BLAS.line)")
  print("layer".column(34) + "algorithm".column(22) + " picked  direct  ratio")
  // Side, inputs, outputs, window, stride, photos.
  let layers = [
    (150, 3, 64, 3, 1, 4), (112, 3, 64, 7, 2, 4), (150, 3, 32, 3, 2, 4), (75, 64, 64, 3, 1, 4),
    (56, 64, 64, 1, 1, 4), (56, 64, 256, 1, 1, 4), (28, 256, 512, 1, 2, 8),
    (14, 1024, 256, 1, 1, 8),
    (7, 512, 2048, 1, 1, 16), (7, 512, 512, 3, 1, 16), (14, 256, 256, 3, 1, 16),
    (14, 256, 256, 3, 2, 16), (28, 128, 128, 3, 1, 8), (32, 16, 16, 3, 1, 8), (32, 16, 64, 3, 1, 8),
    (32, 32, 32, 3, 1, 8), (36, 48, 192, 3, 1, 8), (4, 256, 256, 3, 1, 16), (5, 256, 256, 3, 1, 16),
    (6, 64, 64, 3, 1, 16), (9, 512, 512, 3, 1, 1), (9, 512, 512, 3, 1, 20),
  ]
  for (side, inputs, outputs, window, stride, photos) in layers {
    var builder = InferencePlanBuilder()
    let x = builder.input(shape: [side, side, inputs], name: "x")
    let kernel = Tensor(
      shape: [window, window, inputs, outputs],
      scalars: [Float](repeating: 0.01, count: window * window * inputs * outputs))
    let y = builder.convolution(
      x, kernel: kernel, bias: nil, strides: (stride, stride), padding: .same, name: "y")
    let batch = Tensor(
      shape: [photos, side, side, inputs],
      scalars: [Float](repeating: 0.5, count: photos * side * side * inputs))
    let plans = [ConvolutionChoice.fastest, .direct].map {
      builder.build(outputs: [y], convolutions: $0)
    }
    let step = plans[0].profile(batch)[0]
    var best = [Double.infinity, .infinity]
    for _ in 0..<arguments.integer("rounds", 20) {
      for (index, plan) in plans.enumerated() {
        best[index] = min(best[index], processorSeconds { _ = plan.run(batch) })
      }
    }
    let speeds = best.map { Double(step.floatingPointOperations) / $0 * 1e-9 }
    let name = "\(photos)x\(side)x\(side)x\(inputs) to \(outputs), \(window)x\(window) / \(stride)"
    print(
      name.column(34) + step.algorithm.column(22) + speeds[0].column(7, digits: 0)
        + speeds[1].column(8, digits: 0) + (speeds[0] / speeds[1]).column(7, digits: 2))
  }
}

/// Seconds of CPU time, over all threads, that `body` takes.
private func processorSeconds(_ body: () -> Void) -> Double {
  let start = clock()
  body()
  return Double(clock() - start) / Double(CLOCKS_PER_SEC)
}
