extension Network {
  /// The same graph with its nodes in the order of Keras's `model.layers`.
  ///
  /// Layers far from the output come first; of those equally far the one that a walk from the output
  /// back to the input meets first (`map_graph` in keras/src/ops/function.py). What counts layers,
  /// as `last:4` or files that number them by class, relies on it.
  package func inKerasOrder() throws(LayerError) -> Network {
    let order = kerasOrder()
    var moved = [0: 0]
    var result = Network(
      name: name, inputShape: inputShape, inputName: nodes[0].name, scope: nodes[0].scope)
    for old in order where old != 0 {
      let node = nodes[old]
      let inputs = node.inputs.compactMap { moved[$0] }
      moved[old] = try result.add(node.layer, after: inputs, scope: node.scope)
      result.setTrainable(at: result.outputIndex, node.isTrainable)
    }
    result.setTrainable(at: 0, nodes[0].isTrainable)
    return result
  }

  private func kerasOrder() -> [Int] {
    var (met, finished): ([Int: Int], [Int]) = ([:], [])
    func walk(back index: Int) {
      guard met[index] == nil else { return }
      met[index] = met.count
      for input in nodes[index].inputs { walk(back: input) }
      finished.append(index)
    }
    walk(back: outputIndex)
    var depths: [Int: Int] = [:]
    for index in finished.reversed() {
      let depth = depths[index, default: 0]
      depths[index] = depth
      for input in nodes[index].inputs {
        depths[input] = max(depth + 1, depths[input, default: 0])
      }
    }
    return finished.sorted { left, right in
      let (near, far) = (depths[left, default: 0], depths[right, default: 0])
      return near == far ? met[left, default: 0] < met[right, default: 0] : near > far
    }
  }
}
