package import Compute
import Foundation
package import Layers

/// What another network makes of the photos that a network learns from, to be predicted by it
/// besides their classes.
///
/// While it learns, the network's last layer has one more output for each of the teacher's features,
/// which is to say the feature, less its mean and divided by its deviation over all photos; these
/// outputs are taken off afterwards. That is distillation of features, as in Romero and others 2015
/// (arXiv:1412.6550): a base learns more from few photos than their classes tell.
package struct Teacher: Sendable {
  /// How much the mean square of what is missed counts beside the loss of the classes; predicting
  /// means alone misses 1.
  static let weight: Float = 10

  /// The feature file.
  package let path: String
  /// Such as `vgg16's 'block5_pool'`.
  package let name: String
  /// How many features there are of a photo.
  package let width: Int
  private let features: Tensor
  /// Rows by the SHA-256 of the photo's file.
  private let rows: [String: Int]

  /// Takes features `[n, width]`, as `tl extract-features --pooling avg` makes them.
  package init(_ path: String) throws {
    let file = try FeatureFile(path)
    defer { file.close() }
    guard file.isComplete else {
      throw TrainingError.incomplete(path, rows: file.rows.count)
    }
    guard file.rowShape.count == 1, !file.rows.isEmpty else {
      throw TrainingError.unfitTeacher(path, found: [file.rows.count] + file.rowShape)
    }
    self.path = path
    name = "\(file.source.base)'s '\(file.source.layer)'"
    width = file.rowShape[0]
    features = try file.features(0..<file.rows.count).standardizingColumns()
    let pairs = file.rows.enumerated().map { ($1.fingerprint, $0) }
    rows = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
  }

  /// The features of photos, given by the SHA-256 of their files, `[photos, width]`.
  func targets(for fingerprints: [String]) throws -> Tensor {
    let found = fingerprints.compactMap { rows[$0] }
    guard found.count == fingerprints.count else {
      throw TrainingError.teacherLacksPhotos(
        path, missing: fingerprints.count - found.count, of: fingerprints.count)
    }
    return features.gatheringRows(found)
  }

  /// The gradient for all outputs `[n, classes + width]`, given that for the classes.
  static func gradient(
    outputs: Tensor, targets: Tensor, classGradient: Tensor
  ) -> Tensor {
    let (classes, width) = (classGradient.shape[1], targets.shape[1])
    let share = 2 * weight / Float(max(targets.count, 1))
    var gradient = Tensor(zeros: outputs.shape)
    for row in 0..<outputs.shape[0] {
      let start = row * (classes + width)
      for column in 0..<classes {
        gradient.scalars[start + column] = classGradient.scalars[row * classes + column]
      }
      for column in 0..<width {
        let missed =
          outputs.scalars[start + classes + column] - targets.scalars[row * width + column]
        gradient.scalars[start + classes + column] = share * missed
      }
    }
    return gradient
  }
}

extension Tensor {
  /// The first columns of a matrix.
  package func firstColumns(_ count: Int) -> Tensor {
    let width = shape[1]
    if count == width { return self }
    var kept: [Float] = []
    for row in 0..<shape[0] { kept += scalars[row * width..<row * width + count] }
    return Tensor(shape: [shape[0], count], scalars: kept)
  }

  /// The matrix with columns of mean 0 and deviation 1; constant columns become 0.
  fileprivate func standardizingColumns() -> Tensor {
    let (n, width) = (shape[0], shape[1])
    var (sums, squares) = (
      [Double](repeating: 0, count: width), [Double](repeating: 0, count: width)
    )
    for row in 0..<n {
      for column in 0..<width {
        let value = Double(scalars[row * width + column])
        sums[column] += value
        squares[column] += value * value
      }
    }
    var result = self
    for column in 0..<width {
      let mean = sums[column] / Double(n)
      let variance = max(squares[column] / Double(n) - mean * mean, 0)
      let isConstant = variance <= 1e-10 * squares[column] / Double(n)
      let scale = isConstant ? 0 : 1 / variance.squareRoot()
      for row in 0..<n {
        let value = Double(scalars[row * width + column])
        result.scalars[row * width + column] = Float((value - mean) * scale)
      }
    }
    return result
  }
}

extension Network {
  /// The network with more outputs of its last Dense layer, drawn afresh.
  package func widened(by count: Int, seed: UInt64) throws -> Network {
    var random = SeededRandom(seed: seed)
    return try replacingLast { dense in
      let (inputs, units) = (dense.kernel.shape[0], dense.units)
      let drawn = KernelInitializer.glorotUniform.draw(shape: [inputs, count], random: &random)
      var kernel: [Float] = []
      for input in 0..<inputs {
        kernel += dense.kernel.scalars[input * units..<(input + 1) * units]
        kernel += drawn.scalars[input * count..<(input + 1) * count]
      }
      return (
        Tensor(shape: [inputs, units + count], scalars: kernel),
        dense.bias.map { $0 + [Float](repeating: 0, count: count) }
      )
    }
  }

  /// The network with only the first outputs of its last Dense layer.
  package func narrowed(to count: Int) throws -> Network {
    try replacingLast { dense in
      (dense.kernel.firstColumns(count), dense.bias.map { Array($0.prefix(count)) })
    }
  }

  private func replacingLast(
    _ change: (Dense) -> (kernel: Tensor, bias: [Float]?)
  ) throws -> Network {
    guard let last = nodes[outputIndex].layer as? Dense, let input = nodes[outputIndex].inputs.first
    else { preconditionFailure("a taught network must end with a Dense layer") }
    let head = headStart
    let (kernel, bias) = change(last)
    var network = ending(at: input)
    try network.add(
      Dense(
        name: last.name, kernel: kernel,
        bias: bias.map { Tensor(shape: [$0.count], scalars: $0) }, activation: last.activation))
    network.declareHead(from: head)
    return network
  }
}
