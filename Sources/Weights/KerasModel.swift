package import Layers

/// A network out of a full-model file, with what rides along.
package struct KerasModel: Sendable {
  package let network: Network
  package var extras: ModelExtras
  /// What became of every tensor.
  package let report: LoadReport

  package init(network: Network, extras: ModelExtras, report: LoadReport) {
    (self.network, self.extras, self.report) = (network, extras, report)
  }

  /// Reads a full model.
  ///
  /// - Parameters:
  ///   - inputShape: one picture's `[height, width, channels]` in place of the model's own; needed
  ///     where the model takes pictures of any size.
  ///   - allowPartial: whether tensors may be missing; those stay zero.
  ///   - mapped: whether large tensors may stay in the file, see `WeightLoader.load`.
  ///
  /// Throws `WeightsError` and `HDF5Error`.
  package static func read(
    _ path: String, inputShape: [Int]? = nil, allowPartial: Bool = false, mapped: Bool = false
  ) throws -> KerasModel {
    let file = try KerasFile(path)
    defer { file.close() }
    let (network, report) = try file.network(
      inputShape: inputShape, allowPartial: allowPartial, mapped: mapped)
    return KerasModel(network: network, extras: try file.extras(), report: report)
  }
}

extension KerasFile {
  /// The network that the file describes, filled with its tensors.
  ///
  /// Every node is trainable as the file has it. See `KerasModel.read` for parameters and errors.
  ///
  /// - Parameter cut: what to keep of the network before tensors are looked for.
  package func network(
    inputShape: [Int]? = nil, allowPartial: Bool = false, mapped: Bool = false,
    cut: (Network) throws -> Network = { $0 }
  ) throws -> (Network, LoadReport) {
    guard let configuration else {
      if format == .notKeras { throw WeightsError.notKeras(path: path, holds: try listing()) }
      throw WeightsError.noConfiguration(path: path, holds: contents)
    }
    var network = try cut(built(configuration, inputShape: inputShape))
    var report = try WeightLoader.load(
      self, into: &network, allowPartial: allowPartial, mapped: mapped)
    report.notes += ModelFlags(configuration).notes
    if network.turnDenseRows() { report.notes.append(LoadReport.turnedRows) }
    return (network, report)
  }

  private func built(_ configuration: JSONValue, inputShape: [Int]?) throws -> Network {
    do {
      return try NetworkBuilder.network(
        configuration, path: path, kerasVersion: kerasVersion, inputShape: inputShape)
    } catch let error as LayerError {
      throw WeightsError.unusableLayers(error, path: path)
    }
  }

  /// What tl keeps in model files besides Keras's own; empty in files by others.
  package func extras() throws -> ModelExtras {
    try file.map { try ModelExtras(readFrom: $0.root.attributes) } ?? ModelExtras(texts: metadata)
  }

  /// The first names in the file, for errors.
  func listing() throws -> String {
    let names = try file?.root.children().map { "'\($0.name)'" } ?? []
    if names.isEmpty { return "an empty HDF5 file" }
    return names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", ..." : "")
  }
}
