package import Compute
package import Drawing
package import Layers

/// What layers make of one photo, channel by channel.
package struct LayerActivations: Sendable {
  package let layer: String
  package let className: String
  /// `[height, width, channels]`.
  package let value: Tensor
  /// The channels that are the same number everywhere in this photo.
  package let dead: [Int]

  /// - Parameter value: `[height, width, channels]`.
  package init(layer: String, className: String, value: Tensor) {
    self.layer = layer
    self.className = className
    self.value = value
    let channels = value.shape[2]
    let scalars = value.scalars.span
    var dead: [Int] = []
    for channel in 0..<channels {
      let first = scalars[channel]
      var isDead = true
      for index in stride(from: channel, to: scalars.count, by: channels)
      where scalars[index] != first {
        isDead = false
        break
      }
      if isDead { dead.append(channel) }
    }
    self.dead = dead
  }

  package var height: Int { value.shape[0] }
  package var width: Int { value.shape[1] }
  package var channels: Int { value.shape[2] }

  /// What the given nodes of a network make of one preprocessed photo `[1, height, width, 3]`.
  package static func of(
    _ network: Network, nodes: [Int], photo: Tensor
  ) -> [LayerActivations] {
    let outputs = network.plan(outputs: nodes, photos: photo.shape[0]).run(photo)
    return zip(nodes, outputs).map { index, output in
      let node = network.nodes[index]
      return LayerActivations(
        layer: node.name, className: node.layer.className, value: output.reshaped(node.shape))
    }
  }
}

extension LayerActivations {
  /// The channels as a grid of pictures, dead ones crossed out.
  ///
  /// Each channel is brought to the mean 128 and the deviation 64 and cut to 0 ... 255, as in the
  /// book.
  ///
  /// - Parameter limit: the number of channels shown, from the first.
  package func grid(limit: Int? = nil) -> PictureGrid {
    let shown = min(limit ?? channels, channels)
    let dead = Set(dead)
    let cells = (0..<shown).map { channel -> PictureGrid.Cell in
      dead.contains(channel)
        ? .dead
        : .picture(ColorMap.viridis.picture(normalized(channel), width: width, height: height))
    }
    return PictureGrid(title: title(shown), cells: cells, shape: (height, width))
  }

  private func title(_ shown: Int) -> String {
    var parts = ["\(layer)   \(height) × \(width)", "\(channels) channels"]
    if shown < channels { parts.append("the first \(shown) shown") }
    if !dead.isEmpty { parts.append("\(dead.count) dead (crossed out)") }
    return parts.joined(separator: ", ")
  }

  private func normalized(_ channel: Int) -> [Float] {
    let scalars = value.scalars.span
    var values = [Float](repeating: 0, count: height * width)
    var (sum, squares) = (0.0, 0.0)
    for position in values.indices {
      values[position] = scalars[position * channels + channel]
      sum += Double(values[position])
    }
    let mean = sum / Double(values.count)
    for value in values { squares += (Double(value) - mean) * (Double(value) - mean) }
    let deviation = max((squares / Double(values.count)).squareRoot(), 1e-20)
    for position in values.indices {
      let byte = (Double(values[position]) - mean) / deviation * 64 + 128
      values[position] = Float(max(0, min(255, byte)) / 255)
    }
    return values
  }
}
