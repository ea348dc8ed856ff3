package import Layers

extension Network {
  /// The node of that name, whose output must be `[height, width, channels]`.
  package func pictureLayer(named name: String) throws -> Int {
    let index = try index(ofLayer: name)
    guard nodes[index].shape.count == 3 else {
      throw ExplainError.noPictureLayer(name, shape: nodes[index].shape)
    }
    return index
  }

  /// The node of that name; throws `LayerError.noSuchLayer` with those that are near.
  func index(ofLayer name: String) throws(LayerError) -> Int {
    if let index = index(named: name) { return index }
    let ranked = nodes.map { (LayerSelection.distance(name, $0.name), $0.name) }.sorted { $0 < $1 }
    throw .noSuchLayer(name, near: ranked.prefix(5).map(\.1))
  }

  /// The last convolution with all that belongs to it (its normalisation, sum and activation):
  /// the last layer that gives a picture and neither pools nor pads it.
  package func lastPictureLayer() throws -> Int {
    guard let index = nodes.indices.last(where: { $0 > 0 && isConvolutional($0) }) else {
      throw ExplainError.noPictureLayer(nodes[outputIndex].name, shape: outputShape)
    }
    return index
  }

  /// For each size of picture the last such layer, from the input upwards.
  package var blocks: [Int] {
    var last: [Int: Int] = [:]
    for index in nodes.indices.dropFirst() where isConvolutional(index) {
      last[nodes[index].shape[0] * 65_536 + nodes[index].shape[1]] = index
    }
    return last.values.sorted()
  }

  private func isConvolutional(_ index: Int) -> Bool {
    let layer = nodes[index].layer
    return nodes[index].shape.count == 3
      && !(layer is any WindowPooling || layer is ZeroPadding2D || layer is any NoiseLayer)
  }

  /// The picture layers that a list like `block1_conv1,block5_*` names, in the network's order.
  ///
  /// Throws `LayerError.noSuchLayer` for a name that fits none.
  package func pictureLayers(_ list: String) throws -> [Int] {
    var chosen = Set<Int>()
    for pattern in LayerSelection(list).patterns {
      let matching = nodes.indices.filter {
        nodes[$0].shape.count == 3 && LayerSelection.matches(pattern, nodes[$0])
      }
      // A layer of that name may be there and give no picture.
      if matching.isEmpty { chosen.insert(try pictureLayer(named: pattern)) }
      chosen.formUnion(matching)
    }
    return chosen.sorted()
  }
}
