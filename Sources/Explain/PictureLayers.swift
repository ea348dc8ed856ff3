package import Layers

extension Network {
  /// The node of that name, whose output must be `[height, width, channels]`.
  package func pictureLayer(named name: String) throws -> Int {
    guard let index = index(named: name) else {
      let names = nodes.map(\.name)
      throw LayerError.noSuchLayer(
        name, near: LayerSelection.near(name, names).filter(names.contains))
    }
    guard nodes[index].shape.count == 3 else {
      throw ExplainError.noPictureLayer(name, shape: nodes[index].shape)
    }
    return index
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
      && !(layer is any WindowPooling || layer is ZeroPadding2D || layer is Dropout)
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
      if matching.isEmpty { chosen.insert(try pictureLayer(named: pattern)) }
      chosen.formUnion(matching)
    }
    return chosen.sorted()
  }
}
