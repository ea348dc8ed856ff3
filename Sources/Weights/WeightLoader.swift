internal import Compute
package import Layers

/// Fills a network from a file, tensor by tensor, by names and shapes.
package enum WeightLoader {
  /// Loads every parameter of `network` that `file` has.
  ///
  /// A layer is found by its name, among equal names by its scope; its parameters by theirs, or
  /// where the file has no names for them by order; and every shape must be equal.
  ///
  /// - Parameters:
  ///   - allowPartial: whether parameters that are missing or do not fit keep their values instead
  ///     of being an error.
  ///   - mapped: whether the numbers of large tensors may stay in the file. For networks that plans
  ///     are made of at once: whatever else looks at them copies them each time.
  /// - Returns: what became of every tensor of the network and the file.
  ///
  /// Throws `WeightsError.mismatch` with everything that is wrong, `WeightsError.notFinite` and
  /// `HDF5Error`; the network is then as it was.
  package static func load(
    _ file: KerasFile, into network: inout Network, allowPartial: Bool = false,
    mapped: Bool = false
  ) throws -> LoadReport {
    if file.format == .notKeras {
      throw WeightsError.notKeras(path: file.path, holds: try file.listing())
    }
    let file = file.named(as: network) ?? file
    let matching = Matching(file: file, network: network)
    if !allowPartial, let mismatch = matching.mismatch { throw WeightsError.mismatch(mismatch) }
    network = try filled(network, matching.loads, path: file.path, mapped: mapped)
    var report = LoadReport(rows: matching.rows)
    let hasKernels = matching.loads.contains { $0.tensor.shape.count == 4 }
    if hasKernels, let note = file.kernels.note { report.notes.append(note) }
    if !file.isTorch, matching.loads.contains(where: { $0.arrangement.flattened != nil }) {
      report.notes.append(LoadReport.turnedRows)
    }
    return report
  }

  /// The network with what the file has for it; what was a placeholder and stays without is zero.
  private static func filled(
    _ network: Network, _ loads: [Matching.Load], path: String, mapped: Bool
  ) throws -> Network {
    let tensors = try parallelMap(loads) { load in
      let stored = try load.tensor.read(file: path, mapped: mapped)
      let parameter = network.nodes[load.node].layer.parameters[load.parameter]
      return load.arrangement.apply(stored, shape: parameter.value.shape)
    }
    var result = network
    for (load, tensor) in zip(loads, tensors) {
      result.updateLayer(at: load.node) { $0.parameters[load.parameter].value = tensor }
    }
    for index in result.nodes.indices {
      for (position, parameter) in result.nodes[index].layer.parameters.enumerated()
      where parameter.value.isPlaceholder {
        result.updateLayer(at: index) {
          $0.parameters[position].value = Tensor(zeros: parameter.value.shape)
        }
      }
    }
    return result
  }
}
