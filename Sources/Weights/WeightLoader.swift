internal import Compute
package import Layers

/// Fills a network from a file, tensor by tensor, by names and shapes.
package enum WeightLoader {
  /// Loads every parameter of `network` that `file` has.
  ///
  /// A layer is found by its name, among equal names by its scope; its parameters by theirs, or
  /// where the file has no names for them by order; and every shape must be equal.
  ///
  /// - Parameter allowPartial: whether parameters that are missing or do not fit keep their values
  ///   instead of being an error.
  /// - Returns: what became of every tensor of the network and the file.
  ///
  /// Throws `WeightsError.mismatch` with everything that is wrong, `WeightsError.notFinite` and
  /// `HDF5Error`; the network is then as it was.
  package static func load(
    _ file: KerasFile, into network: inout Network, allowPartial: Bool = false
  ) throws -> LoadReport {
    if file.format == .notKeras {
      throw WeightsError.notKeras(path: file.path, holds: try file.listing())
    }
    let matching = Matching(file: file, network: network)
    if !allowPartial, let mismatch = matching.mismatch { throw WeightsError.mismatch(mismatch) }
    let turnsKernels = file.backend == "theano"
    var result = network
    var turned = 0
    for match in matching.loads {
      var value = Tensor(
        shape: match.tensor.shape, scalars: try match.tensor.read(file: file.path))
      if turnsKernels, value.shape.count == 4 {
        value = turnedByHalf(value)
        turned += 1
      }
      result.updateLayer(at: match.node) { $0.parameters[match.parameter].value = value }
    }
    network = result
    var report = LoadReport(rows: matching.rows)
    if turned > 0 {
      report.notes.append(
        "Theano wrote the file: \(turned) of its kernels turned by 180 degrees")
    }
    return report
  }

  /// A kernel `[h, w, c, o]` with height and width reversed: Theano convolves, others correlate.
  static func turnedByHalf(_ kernel: Tensor) -> Tensor {
    let (positions, size) = (kernel.shape[0] * kernel.shape[1], kernel.shape[2] * kernel.shape[3])
    var result = kernel
    for position in 0..<positions {
      let from = (positions - 1 - position) * size
      result.scalars.replaceSubrange(
        position * size..<(position + 1) * size, with: kernel.scalars[from..<from + size])
    }
    return result
  }
}
