package import Compute
import Layers
package import Training

/// Where in a photo the evidence for a class lies.
package struct HeatMap: Sendable {
  /// Rows and columns of the layer that it was computed from.
  package let height: Int
  package let width: Int
  /// Row by row, 0 for no evidence to 1 for the most; all zero where nothing speaks for the class.
  package let values: [Float]
  /// The class that it is about.
  package let label: Int
  /// The probabilities of all classes.
  package let probabilities: [Float]

  package var probability: Float { probabilities[label] }
  /// Whether nothing in the photo speaks for the class.
  package var isEmpty: Bool { values.allSatisfy { $0 == 0 } }

  package init(height: Int, width: Int, values: [Float], label: Int, probabilities: [Float]) {
    (self.height, self.width, self.values) = (height, width, values)
    (self.label, self.probabilities) = (label, probabilities)
  }

  /// The map in another size, neighbours mixed, `height * width` numbers.
  package func resized(height newHeight: Int, width newWidth: Int) -> [Float] {
    resizedBilinearly(values, from: (height, width), to: (newHeight, newWidth))
  }

  /// The share of the map's mass that lies in a box, over the share of the area that the box takes:
  /// 1 for a map that is the same everywhere, nil for one that is all zero.
  ///
  /// - Parameter box: left, top, right and bottom as shares of the photo's width and height.
  package func concentration(
    in box: (left: Double, top: Double, right: Double, bottom: Double), side: Int = 256
  ) -> Double? {
    let map = resized(height: side, width: side)
    var (inside, all, area) = (0.0, 0.0, 0)
    for row in 0..<side {
      let y = (Double(row) + 0.5) / Double(side)
      for column in 0..<side {
        let x = (Double(column) + 0.5) / Double(side)
        let value = Double(map[row * side + column])
        all += value
        guard x > box.left, x < box.right, y > box.top, y < box.bottom else { continue }
        inside += value
        area += 1
      }
    }
    guard all > 0, area > 0 else { return nil }
    return inside / all / (Double(area) / Double(side * side))
  }
}

/// Computes heat maps of a model's classes.
///
/// What lies below the layer runs as an `InferencePlan`; only what lies above is differentiated.
package struct HeatMapper: Sendable {
  private let model: ClassifierModel
  package let method: HeatMapMethod
  /// The layer that the maps are computed from.
  package let layer: String
  /// The layer's `[height, width, channels]`.
  package let shape: [Int]
  private let path: GradientPath
  let plan: InferencePlan

  /// - Parameter layer: the layer to look at; the last convolution if nil.
  package init(
    _ model: ClassifierModel, method: HeatMapMethod = .gradCAM, layer: String? = nil
  ) throws {
    let network = model.network
    let index = try layer.map { try network.pictureLayer(named: $0) } ?? network.lastPictureLayer()
    if method == .cam { try Self.requirePooledHead(network, above: index) }
    self.model = model
    self.method = method
    self.layer = network.nodes[index].name
    shape = network.nodes[index].shape
    path = try GradientPath(network, from: index, to: network.outputIndex)
    // The classes' scores come from the plan too, so that probabilities are those of `predict`.
    plan = network.plan(
      outputs: path.known + [network.outputIndex], logits: true, precision: model.precision)
  }

  /// The maps of some photos.
  ///
  /// - Parameters:
  ///   - photos: preprocessed, `[n, height, width, 3]`.
  ///   - label: the class that the maps are about; of each photo the most probable if nil.
  package func maps(_ photos: Tensor, label: Int? = nil) -> [HeatMap] {
    guard photos.shape[0] > 0 else { return [] }
    var values = plan.run(photos)
    let logits = values.removeLast()
    let pass = path.forward(values)
    let probabilities = model.loss.probabilities(logits: logits)
    let labels = probabilities.map { row in
      label ?? row.indices.max { row[$0] < row[$1] } ?? 0
    }
    let score =
      method == .cam
      ? ClassScore.logitGradient(logits: logits, labels: labels, loss: model.loss)
      : ClassScore.gradient(logits: logits, labels: labels, loss: model.loss)
    let gradients = path.gradient(pass, ofLogits: score)
    let size = shape.reduce(1, *)
    return labels.indices.map { row in
      let range = row * size..<(row + 1) * size
      let values = map(
        pass.source.scalars.span.extracting(range), gradients.scalars.span.extracting(range))
      return HeatMap(
        height: shape[0], width: shape[1], values: values, label: labels[row],
        probabilities: probabilities[row])
    }
  }

  /// The weighted sum of the channels, what is below zero cut off, scaled to a largest value of 1.
  private func map(_ values: Span<Float>, _ gradients: Span<Float>) -> [Float] {
    let channels = shape[2]
    let weights = method.weights(values: values, gradients: gradients, channels: channels)
    var map = [Float](repeating: 0, count: shape[0] * shape[1])
    var largest: Float = 0
    for position in map.indices {
      var sum: Float = 0
      for channel in 0..<channels {
        sum += weights[channel] * values[position * channels + channel]
      }
      map[position] = max(sum, 0)
      largest = max(largest, sum)
    }
    guard largest > 0 else { return map }
    for position in map.indices { map[position] /= largest }
    return map
  }

  /// Class activation maps are defined for one Dense layer after an average over the picture.
  ///
  /// There the gradient's mean is the class's weight over the number of positions, and the map is that of
  /// Grad-CAM.
  private static func requirePooledHead(_ network: Network, above index: Int) throws {
    let above = network.nodes[(index + 1)...].filter { !($0.layer is any NoiseLayer) }
    let classes = above.map(\.layer.className)
    guard above.first?.layer is GlobalAveragePooling2D,
      classes == ["GlobalAveragePooling2D", "Dense"]
        || classes == ["GlobalAveragePooling2D", "Dense", "Activation"]
    else {
      throw ExplainError.noPooledHead(layer: network.nodes[index].name, found: classes)
    }
  }
}

/// Bilinear interpolation between the middles of pixels, as OpenCV's and Pillow's for enlarging.
func resizedBilinearly(
  _ values: [Float], from old: (height: Int, width: Int), to new: (height: Int, width: Int)
) -> [Float] {
  if old == new { return values }
  let rows = LinearPositions(from: old.height, to: new.height)
  let columns = LinearPositions(from: old.width, to: new.width)
  var result = [Float](repeating: 0, count: new.height * new.width)
  let source = values.span
  for row in 0..<new.height {
    let (upper, lower) = (rows.first[row] * old.width, rows.second[row] * old.width)
    let down = rows.share[row]
    for column in 0..<new.width {
      let (left, right) = (columns.first[column], columns.second[column])
      let across = columns.share[column]
      let above = source[upper + left] + (source[upper + right] - source[upper + left]) * across
      let below = source[lower + left] + (source[lower + right] - source[lower + left]) * across
      result[row * new.width + column] = above + (below - above) * down
    }
  }
  return result
}

/// For each new position on one axis, the two old ones between which it lies.
private struct LinearPositions {
  var first: [Int] = []
  var second: [Int] = []
  var share: [Float] = []

  init(from oldSize: Int, to newSize: Int) {
    for position in 0..<newSize {
      let place = (Double(position) + 0.5) * Double(oldSize) / Double(newSize) - 0.5
      let clamped = min(max(place, 0), Double(oldSize - 1))
      first.append(Int(clamped))
      second.append(min(Int(clamped) + 1, oldSize - 1))
      share.append(Float(clamped - clamped.rounded(.down)))
    }
  }
}
